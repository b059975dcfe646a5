"""Tables of the Migration MPTF; CHECKs, keys and one trigger repeat the rules that must never be broken."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Sequence,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

from services.mptf.lifecycle import MEETING_STATUSES, PUBLIC, STATUSES, WAITING
from shared import clock
from shared.idempotency import IdempotencyMixin
from shared.records import HistoryMixin, PublicationMixin, RecordMixin

DECISIONS = ("select", "not_select", "defer", "reconsider", "approve", "cancel")
Money = Numeric(20, 4)
Day = date


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    """The service's own metadata; its schema is its role's search path."""


REFERENCES = Sequence("concept_note_reference", metadata=Base.metadata)


class Meeting(Base):
    """A meeting of the Steering Committee."""

    __tablename__ = "meetings"
    __table_args__ = (
        CheckConstraint(_one_of("status", MEETING_STATUSES), name="meeting_status_known"),
        UniqueConstraint("id", "date", name="meetings_id_date"),
        Index("meetings_by_date", "date", "id"),
    )
    noun = "meeting"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    date: Mapped[date] = mapped_column(Date)
    title: Mapped[str] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="planned")
    revision: Mapped[int] = mapped_column(Integer, default=1)
    # The date whose deadline people were reminded of.
    reminded_for: Mapped[Day | None] = mapped_column(Date)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    # The Fund Management Unit keeps every meeting: none has an owner.
    owner = None

    @property
    def tag(self) -> str:
        return str(self.revision)

    def touch(self) -> None:
        self.revision += 1
        self.updated_at = clock.now()


class Minutes(Base):
    """The minutes of a meeting as they were recorded, with the quorum; a later text stands beside the earlier."""

    __tablename__ = "minutes"
    __table_args__ = (CheckConstraint("present >= 0 AND needed >= 0", name="quorum_counts_people"),)

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meetings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    present: Mapped[int] = mapped_column(Integer)
    needed: Mapped[int] = mapped_column(Integer)
    recorded_by: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class FilterColumns:
    """What lists, facets and sums read, derived from the content; alike on working records and publications."""

    scope: Mapped[str | None] = mapped_column(Text)
    thematic_area: Mapped[int | None] = mapped_column(SmallInteger)
    objectives: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    regions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    # An organisation and, at the same place, its part of the budget: null where it is not known.
    organisations: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    amounts: Mapped[list[Decimal | None]] = mapped_column(ARRAY(Money), default=list)
    budget: Mapped[Decimal | None] = mapped_column(Money)
    title: Mapped[str] = mapped_column(Text(collation="C"))
    search: Mapped[Any] = mapped_column(TSVECTOR)


class ConceptNote(RecordMixin, FilterColumns, Base):
    """A concept note, later the joint programme, as its owner works on it."""

    __tablename__ = "concept_notes"
    __table_args__ = (
        CheckConstraint(_one_of("status", STATUSES), name="status_known"),
        CheckConstraint(f"public = ({_one_of('status', PUBLIC)})", name="public_from_selection_on"),
        CheckConstraint("NOT public OR version > 0", name="public_has_publication"),
        CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        CheckConstraint(
            f"NOT ({_one_of('status', WAITING)}) OR counted_from IS NOT NULL", name="waiting_counts_from_a_day"
        ),
        CheckConstraint("(meeting_id IS NULL) = (meeting_on IS NULL)", name="meeting_with_its_date"),
        # The database itself keeps the copy of the date right when a meeting is moved.
        ForeignKeyConstraint(["meeting_id", "meeting_on"], ["meetings.id", "meetings.date"], onupdate="CASCADE"),
        Index("concept_notes_owner", "owner", "updated_at", "id"),
        Index("concept_notes_updated", "updated_at", "id"),
        Index("concept_notes_meeting", "meeting_id"),
        Index("concept_notes_countries", "countries", postgresql_using="gin"),
        Index("concept_notes_participants", "participants", postgresql_using="gin"),
    )
    noun = "concept note"

    external_id: Mapped[str | None] = mapped_column(Text, unique=True)
    # Slugs of its organisations: whose people may read it.
    participants: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The countries for which the submitting Resident Coordinator spoke.
    submitted_for: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    # The day from which the six weeks count, the one before the latest submission, and the last deferral's meeting.
    counted_from: Mapped[date | None] = mapped_column(Date)
    counted_before: Mapped[date | None] = mapped_column(Date)
    deferred_after: Mapped[date | None] = mapped_column(Date)
    # The meeting that considers it, or that decided on it.
    meeting_id: Mapped[UUID | None] = mapped_column()
    meeting_on: Mapped[date | None] = mapped_column(Date)
    assessment: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ConceptNoteHistory(HistoryMixin, Base):
    __tablename__ = "concept_note_history"
    record_of = "concept_notes"


class ConceptNotePublication(PublicationMixin, Base):
    __tablename__ = "concept_note_publications"
    record_of = "concept_notes"


ConceptNote.History = ConceptNoteHistory
ConceptNote.Publication = ConceptNotePublication


class Programme(FilterColumns, Base):
    """What the public reads of each selected note, rendered; a cache that can be rebuilt."""

    __tablename__ = "programmes"
    __table_args__ = (
        Index("programmes_newest", "published_at", "id"),
        Index("programmes_updated", "updated_at", "id"),
        Index("programmes_title", "title", "id"),
        Index("programmes_search", "search", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("concept_notes.id", ondelete="CASCADE"), primary_key=True)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class Endorsement(Base):
    """A Resident Coordinator's word for a note of several countries, until it is withdrawn or lapses."""

    __tablename__ = "endorsements"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_with_its_cause"),
        CheckConstraint(_one_of("ended_by", ("withdrawal", "change")), name="ended_by_known"),
        Index(
            "endorsements_one_standing",
            "record_id",
            "country",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    noun = "endorsement"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("concept_notes.id", ondelete="CASCADE"), index=True)
    country: Mapped[str] = mapped_column(Text)
    sub: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[str | None] = mapped_column(Text)


class Decision(Base):
    """A decision of the Steering Committee: never changed, only reconsidered by a later one."""

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint(_one_of("decision", DECISIONS), name="decision_known"),
        CheckConstraint("(decision = 'reconsider') = (reconsiders IS NOT NULL)", name="reconsiders_a_decision"),
        CheckConstraint(
            "decision NOT IN ('select', 'not_select', 'defer') OR (meeting_id IS NOT NULL AND rationale IS NOT NULL)",
            name="taken_at_a_meeting_for_a_reason",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("concept_notes.id"), index=True)
    meeting_id: Mapped[UUID | None] = mapped_column(ForeignKey("meetings.id"), index=True)
    decision: Mapped[str] = mapped_column(Text)
    rationale: Mapped[str | None] = mapped_column(Text)
    reconsiders: Mapped[UUID | None] = mapped_column(ForeignKey("decisions.id"), unique=True)
    sub: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class ApprovedLine(Base):
    """An organisation's part of an approved budget, and what was transferred against it so far: a trigger counts."""

    __tablename__ = "approved_lines"
    __table_args__ = (
        CheckConstraint("transferred BETWEEN 0 AND approved", name="never_more_than_approved"),
        CheckConstraint("approved >= 0", name="approved_is_no_debt"),
    )

    record_id: Mapped[UUID] = mapped_column(ForeignKey("concept_notes.id"), primary_key=True)
    organisation: Mapped[str] = mapped_column(Text, primary_key=True)
    approved: Mapped[Decimal] = mapped_column(Money)
    transferred: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))


class Transfer(Base):
    """A transfer of the Administrative Agent to an organisation, in USD; a refund is negative."""

    __tablename__ = "transfers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["record_id", "organisation"], ["approved_lines.record_id", "approved_lines.organisation"]
        ),
        CheckConstraint("amount <> 0", name="transfer_moves_money"),
        Index("transfers_of_a_line", "record_id", "organisation"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    record_id: Mapped[UUID] = mapped_column()
    organisation: Mapped[str] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(Money)
    transferred_on: Mapped[date] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class Contribution(Base):
    """What a donor gave to the Fund; amount, currency and date are null where no source gives them."""

    __tablename__ = "contributions"
    __table_args__ = (
        CheckConstraint("(amount IS NULL) = (currency IS NULL)", name="amount_with_its_currency"),
        CheckConstraint("amount > 0", name="contribution_is_positive"),
        Index("contributions_by_creation", "created_at", "id"),
    )
    noun = "contribution"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    external_id: Mapped[str | None] = mapped_column(Text, unique=True)
    donor: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal | None] = mapped_column(Money)
    currency: Mapped[str | None] = mapped_column(Text)
    contributed_on: Mapped[str | None] = mapped_column(Text)
    thematic_areas: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    note: Mapped[str | None] = mapped_column(Text)
    source: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    complete: Mapped[bool] = mapped_column(default=True)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    @property
    def tag(self) -> str:
        return str(self.revision)


class IdempotencyKey(IdempotencyMixin, Base):
    """First answers to creations, for 24 hours."""
