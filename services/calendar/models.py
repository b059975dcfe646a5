"""Tables of the calendar service; CHECKs repeat the rules that must never be broken."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, TSVECTOR, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.calendar.lifecycle import OPEN, PUBLIC, STATEMENT_STATUSES, STATUSES
from shared.idempotency import IdempotencyMixin
from shared.records import HistoryMixin, PublicationMixin, RecordMixin


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    """The service's own metadata; its schema is its role's search path."""


REFERENCES = Sequence("calendar_reference", metadata=Base.metadata)


class FilterColumns:
    """What lists, feeds and searches read, derived from the content; alike on working records and publications."""

    kind: Mapped[str | None] = mapped_column(Text)
    mode: Mapped[str | None] = mapped_column(Text)
    precision: Mapped[str | None] = mapped_column(Text)
    series: Mapped[str | None] = mapped_column(Text)
    # true, false or unknown: whether the Network speaks with one voice was lost from the source.
    one_voice: Mapped[str] = mapped_column(Text, default="unknown")
    network: Mapped[str] = mapped_column(Text, default="unknown")
    objectives: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    principles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    # Every name under which a lead may be asked for, in lower case.
    leads: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    regions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    title: Mapped[str] = mapped_column(Text(collation="C"))
    search: Mapped[Any] = mapped_column(TSVECTOR)


class Event(RecordMixin, FilterColumns, Base):
    """An event as the secretariat and its suggester work on it."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(_one_of("status", STATUSES), name="status_known"),
        CheckConstraint(f"public = ({_one_of('status', tuple(sorted(PUBLIC)))})", name="public_by_status"),
        CheckConstraint("public = (version > 0)", name="public_has_publication"),
        CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        CheckConstraint("NOT public OR first_day IS NOT NULL", name="public_has_dates"),
        CheckConstraint("first_day <= last_day", name="ends_after_start"),
        Index("events_updated", "updated_at", "id"),
        Index("events_created_by", "created_by", "updated_at", "id"),
        Index("events_suggested", "first_day", postgresql_where=text("status = 'suggested'")),
    )
    noun = "event"

    external_id: Mapped[str | None] = mapped_column(Text, unique=True)
    first_day: Mapped[date | None] = mapped_column(Date)
    last_day: Mapped[date | None] = mapped_column(Date)
    # Counts what subscribers have to hear of (RFC 5545, 3.8.7.4).
    sequence: Mapped[int] = mapped_column(Integer, default=0)
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Where the suggester is told of the decision; never in an answer.
    suggester_email: Mapped[str | None] = mapped_column(Text)


class EventHistory(HistoryMixin, Base):
    __tablename__ = "event_history"
    record_of = "events"


class EventPublication(PublicationMixin, Base):
    __tablename__ = "event_publications"
    record_of = "events"


Event.History = EventHistory
Event.Publication = EventPublication


class PublishedEvent(FilterColumns, Base):
    """Each event that the public reads, rendered in every form; a cache that can be rebuilt."""

    __tablename__ = "published_events"
    __table_args__ = (
        Index("published_events_newest", "published_at", "id"),
        Index("published_events_updated", "updated_at", "id"),
        Index("published_events_title", "title", "id"),
        Index("published_events_first_day", "first_day", "starts_minute", "id"),
        Index("published_events_until", "until", "id"),
        Index("published_events_days", "days", postgresql_using="gist", postgresql_where=text("anniversary IS NULL")),
        Index("published_events_anniversary", "anniversary", postgresql_where=text("anniversary IS NOT NULL")),
        Index("published_events_series", "series", postgresql_where=text("series IS NOT NULL")),
        Index("published_events_objectives", "objectives", postgresql_using="gin"),
        Index("published_events_search", "search", postgresql_using="gin"),
        Index("published_events_alike", "title", postgresql_using="gin", postgresql_ops={"title": "gin_trgm_ops"}),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    # The last day of all: far off for what recurs.
    until: Mapped[date] = mapped_column(Date)
    days: Mapped[Range[date]] = mapped_column(DATERANGE)
    starts_minute: Mapped[int] = mapped_column(SmallInteger)
    starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    timezone: Mapped[str | None] = mapped_column(Text)
    anniversary: Mapped[int | None] = mapped_column(SmallInteger)
    # The edition of the same series that says more precisely when this takes place.
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("events.id"))
    # First days of occurrences in whose place an edition of the series stands.
    excluded: Mapped[list[date]] = mapped_column(ARRAY(Date), default=list)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    occurrence: Mapped[bytes] = mapped_column(LargeBinary)
    ics: Mapped[bytes] = mapped_column(LargeBinary)


class Statement(RecordMixin, Base):
    """A statement of the Network, as its lead drafts it and the secretariat clears it."""

    __tablename__ = "statements"
    __table_args__ = (
        CheckConstraint(_one_of("status", STATEMENT_STATUSES), name="status_known"),
        CheckConstraint("public = (status = 'issued')", name="public_when_issued"),
        CheckConstraint("public = (version > 0)", name="public_has_publication"),
        CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        Index("statements_due", "due_on", "id", postgresql_where=text(_one_of("status", tuple(sorted(OPEN))))),
        Index("statements_issued", "published_at", "id", postgresql_where=text("public")),
        Index("statements_updated", "updated_at", "id"),
        Index("statements_event", "event_id"),
    )
    noun = "statement"

    event_id: Mapped[UUID | None] = mapped_column(ForeignKey("events.id"))
    # The day it is for, and the day by which its present status is to be left; both follow the event.
    day: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date | None] = mapped_column(Date)
    # Slugs of the lead entities and their deputies.
    drafters: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    # Its event and leads as they stand in the calendar now.
    resolved: Mapped[dict[str, Any]] = mapped_column(JSONB)
    kind: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text)
    objectives: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    principles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    leads: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


class StatementHistory(HistoryMixin, Base):
    __tablename__ = "statement_history"
    record_of = "statements"


class StatementPublication(PublicationMixin, Base):
    __tablename__ = "statement_publications"
    record_of = "statements"


Statement.History = StatementHistory
Statement.Publication = StatementPublication


class FocalPoint(Base):
    """Whom an entity has named to hear what is due; never in a public answer."""

    __tablename__ = "focal_points"

    entity: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)


class Reminder(Base):
    """A reminder that went out, so that none goes out twice."""

    __tablename__ = "reminders"

    # The event, or a statement that stands on its own.
    subject: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    days_before: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    entity: Mapped[str] = mapped_column(Text, primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class IdempotencyKey(IdempotencyMixin, Base):
    """First answers to creations, for 24 hours."""
