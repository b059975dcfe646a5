"""Tables of the pledges service; CHECKs repeat the rules that must never be broken."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Sequence,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

from services.pledges.lifecycle import STATUSES, SUPPORT_STATUSES
from shared import clock
from shared.idempotency import IdempotencyMixin
from shared.records import HistoryMixin, PublicationMixin, RecordMixin

IMPLEMENTATION = ("planned", "in_progress", "fulfilled", "discontinued")
IMPORT_STATUSES = ("queued", "running", "succeeded", "failed")
IMPORT_OUTCOMES = ("ready", "created", "known", "faulty")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    """The service's own metadata; its schema is its role's search path."""


REFERENCES = Sequence("pledge_reference", metadata=Base.metadata)
ORDINALS = Sequence("published_pledge_ordinal", metadata=Base.metadata, minvalue=0, start=0)


class FilterColumns:
    """What lists, facets and searches read, derived from the content; alike on working records and publications."""

    approach: Mapped[str | None] = mapped_column(Text)
    entity_type: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    scope: Mapped[str | None] = mapped_column(Text)
    implementation_status: Mapped[str | None] = mapped_column(Text)
    forms: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    objectives: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    principles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    regions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    title: Mapped[str] = mapped_column(Text(collation="C"))
    search: Mapped[Any] = mapped_column(TSVECTOR)


class Pledge(RecordMixin, FilterColumns, Base):
    """A pledge as its owner works on it."""

    __tablename__ = "pledges"
    __table_args__ = (
        CheckConstraint(_one_of("status", STATUSES), name="status_known"),
        CheckConstraint("NOT public OR version > 0", name="public_has_publication"),
        CheckConstraint("status <> 'published' OR public", name="published_is_public"),
        CheckConstraint("status NOT IN ('draft', 'declined', 'withdrawn') OR NOT public", name="hidden_is_not_public"),
        CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        Index("pledges_owner", "owner", "updated_at", "id"),
        Index("pledges_updated", "updated_at", "id"),
    )
    noun = "pledge"

    # The number it has in the register it came from; an import with the same number changes nothing.
    external_id: Mapped[str | None] = mapped_column(Text, unique=True)
    # Participants, by name, whom their own entity has confirmed or the secretariat has vouched for.
    confirmed: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PledgeHistory(HistoryMixin, Base):
    __tablename__ = "pledge_history"
    record_of = "pledges"


class PledgePublication(PublicationMixin, Base):
    __tablename__ = "pledge_publications"
    __table_args__ = (
        Index(
            "pledge_publications_matches",
            text("(content ->> 'matches')"),
            postgresql_where=text("content ? 'matches'"),
        ),
    )
    record_of = "pledges"


Pledge.History = PledgeHistory
Pledge.Publication = PledgePublication


class PublishedPledge(FilterColumns, Base):
    """The current publication of each pledge that the public reads, rendered; a cache that can be rebuilt."""

    __tablename__ = "published_pledges"
    __table_args__ = (
        Index("published_pledges_newest", "published_at", "id"),
        Index("published_pledges_updated", "updated_at", "id"),
        Index("published_pledges_title", "title", "id"),
        Index("published_pledges_objectives", "objectives", postgresql_using="gin"),
        Index("published_pledges_countries", "countries", postgresql_using="gin"),
        Index("published_pledges_search", "search", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("pledges.id", ondelete="CASCADE"), primary_key=True)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # From when freshness counts; null once nothing more is expected (fulfilled or discontinued).
    fresh_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Its place in the summary's bitmaps; a republished pledge gets a new one.
    ordinal: Mapped[int] = mapped_column(Integer, ORDINALS, server_default=ORDINALS.next_value(), unique=True)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(20, 4))
    currency: Mapped[str | None] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class PublishedChange(Base):
    """That a published pledge's row was written or removed, in the order of commits: what the summaries follow."""

    __tablename__ = "published_changes"

    number: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ProgressReport(Base):
    """What the owner says of a published pledge's progress; never changed, only corrected by a later one."""

    __tablename__ = "progress_reports"
    __table_args__ = (CheckConstraint(_one_of("implementation_status", IMPLEMENTATION), name="implementation_known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("pledges.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    created_by: Mapped[str] = mapped_column(Text)
    implementation_status: Mapped[str] = mapped_column(Text)
    reported_on: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    corrects: Mapped[UUID | None] = mapped_column(ForeignKey("progress_reports.id"), unique=True)


class SupportRequest(Base):
    """A request for support in carrying out a pledge; for its owner and the secretariat."""

    __tablename__ = "support_requests"
    __table_args__ = (
        CheckConstraint(_one_of("status", SUPPORT_STATUSES), name="support_status_known"),
        CheckConstraint(
            "(status <> 'open') = (assignee IS NOT NULL) OR status = 'closed'", name="assigned_to_somebody"
        ),
        CheckConstraint("(status = 'answered') <= (answer IS NOT NULL)", name="answered_with_an_answer"),
        Index("support_requests_newest", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    record_id: Mapped[UUID] = mapped_column(ForeignKey("pledges.id", ondelete="CASCADE"), index=True)
    owner: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default="open")
    topic: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    assignee: Mapped[str | None] = mapped_column(Text)
    answer: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PledgeImport(Base):
    """A file of pledges that the secretariat brings in: all of its rows or none."""

    __tablename__ = "pledge_imports"
    __table_args__ = (CheckConstraint(_one_of("status", IMPORT_STATUSES), name="import_status_known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    status: Mapped[str] = mapped_column(Text, default="queued")
    dry_run: Mapped[bool] = mapped_column(Boolean)
    form: Mapped[str] = mapped_column(Text)
    sub: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    # Why nothing in the file could be read.
    detail: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PledgeImportChunk(Base):
    """A piece of the file, kept until it has been read."""

    __tablename__ = "pledge_import_chunks"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("pledge_imports.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PledgeImportRow(Base):
    """What became of a row; `staged` holds what it says until the import has ended."""

    __tablename__ = "pledge_import_rows"
    __table_args__ = (CheckConstraint(_one_of("outcome", IMPORT_OUTCOMES), name="import_outcome_known"),)

    import_id: Mapped[UUID] = mapped_column(ForeignKey("pledge_imports.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    outcome: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    faults: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    gaps: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    staged: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # Kept without a reference: the report outlives a draft that is deleted.
    pledge_id: Mapped[UUID | None] = mapped_column()
    reference: Mapped[str | None] = mapped_column(Text)


class File(Base):
    """The bytes of attachments, once for each digest (SHA-256, hexadecimal)."""

    __tablename__ = "files"

    digest: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class FileChunk(Base):
    """A piece of a file."""

    __tablename__ = "file_chunks"

    digest: Mapped[str] = mapped_column(ForeignKey("files.digest", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Attachment(Base):
    """The one file of a pledge: of the working record (number 0), and of each publication as it was then."""

    __tablename__ = "attachments"

    record_id: Mapped[UUID] = mapped_column(ForeignKey("pledges.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, default=0)
    digest: Mapped[str] = mapped_column(ForeignKey("files.digest"), index=True)
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    # Private unless its owner says public.
    public: Mapped[bool] = mapped_column(Boolean)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)


class IdempotencyKey(IdempotencyMixin, Base):
    """First answers to creations, for 24 hours."""
