"""Tables of the practices service; CHECKs repeat the rules that must never be broken."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from uuid_utils.compat import uuid7

from services.practices.lifecycle import STATUSES
from services.practices.rule import Panel
from shared import clock
from shared.idempotency import IdempotencyMixin
from shared.records import HistoryMixin, PublicationMixin, RecordMixin


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    """The service's own metadata; its schema is its role's search path."""


SHELF = 2048
REFERENCES = Sequence("practice_reference", metadata=Base.metadata)


class FilterColumns:
    """What lists, facets and searches read, derived from the content; alike on working records and publications."""

    language: Mapped[str | None] = mapped_column(Text)
    # Those the text can be read in: the original and its translations.
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    scope: Mapped[str | None] = mapped_column(Text)
    call: Mapped[UUID | None]
    objectives: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    principles: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    sdgs: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), default=list)
    entity_types: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    countries: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    regions: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    title: Mapped[str] = mapped_column(Text(collation="C"))
    title_search: Mapped[Any] = mapped_column(TSVECTOR)
    # Title and summary: what relevance is computed from. The whole text is read through its index alone.
    head: Mapped[Any] = mapped_column(TSVECTOR)
    search: Mapped[Any] = mapped_column(TSVECTOR)


class Practice(RecordMixin, FilterColumns, Base):
    """A practice as its owner works on it."""

    __tablename__ = "practices"
    __table_args__ = (
        CheckConstraint(_one_of("status", STATUSES), name="status_known"),
        CheckConstraint("NOT public OR version > 0", name="public_has_publication"),
        CheckConstraint("status <> 'published' OR public", name="published_is_public"),
        CheckConstraint("status NOT IN ('draft', 'declined', 'withdrawn') OR NOT public", name="hidden_is_not_public"),
        CheckConstraint("(version > 0) = (published_at IS NOT NULL)", name="published_at_with_first_version"),
        # Only what came from before this system was never reviewed.
        CheckConstraint("NOT public OR peer_reviewed IS TRUE OR source IS NOT NULL", name="public_is_reviewed"),
        CheckConstraint("status NOT IN ('submitted', 'in_review') OR round > 0", name="review_has_round"),
        Index("practices_owner", "owner", "updated_at", "id"),
        Index("practices_updated", "updated_at", "id"),
        Index("practices_status", "status"),
    )
    noun = "practice"

    external_id: Mapped[str | None] = mapped_column(Text, unique=True)
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Whether the publication that stands was carried by peer review; null for what was published before this system.
    peer_reviewed: Mapped[bool | None] = mapped_column(Boolean, default=False)
    # Counts submissions: each opens a round of review.
    round: Mapped[int] = mapped_column(Integer, default=0)
    # The last round that ended in a publication or a refusal; a round after an open one keeps its reviewers.
    decided_round: Mapped[int] = mapped_column(Integer, default=0)
    review_started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # The owner marks a revision that changes no substance.
    editorial: Mapped[bool] = mapped_column(Boolean, default=False)

    # Loaded beside the record before its lifecycle is asked: the seats of the round in progress.
    panel = Panel()


class PracticeHistory(HistoryMixin, Base):
    __tablename__ = "practice_history"
    record_of = "practices"


class PracticePublication(PublicationMixin, Base):
    __tablename__ = "practice_publications"
    record_of = "practices"

    peer_reviewed: Mapped[bool | None] = mapped_column(Boolean)
    # Languages of translations that a reviewer of the round reads: reviewed with the practice.
    reviewed_translations: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


Practice.History = PracticeHistory
Practice.Publication = PracticePublication


class PublishedPractice(FilterColumns, Base):
    """The current publication of each practice that the public reads; a cache that can be rebuilt."""

    __tablename__ = "published_practices"
    __table_args__ = (
        Index("published_practices_newest", "published_at", "id"),
        Index("published_practices_updated", "updated_at", "id"),
        Index("published_practices_title", "title", "id"),
        Index("published_practices_objectives", "objectives", postgresql_using="gin"),
        Index("published_practices_countries", "countries", postgresql_using="gin"),
        Index("published_practices_ordinal", "ordinal", unique=True),
        # By shelf too: what is newest is found without going through all that holds a frequent word. One index: with
        # two the planner takes the shelf from one and reads the other's texts.
        Index("published_practices_search", "shelf", "title_search", "search", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"), primary_key=True)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # Counts publications as they come; a shelf holds so many of them that lie side by side.
    ordinal: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    shelf: Mapped[int] = mapped_column(BigInteger, Computed(f"ordinal / {SHELF}", persisted=True))


class PublishedText(Base):
    """A publication in one of its languages, rendered: the answer without its HTML, the HTML, the plain text."""

    __tablename__ = "published_texts"

    id: Mapped[UUID] = mapped_column(ForeignKey("published_practices.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    # Languages the texts are in: more than one where a translation leaves a field out.
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    html: Mapped[bytes] = mapped_column(LargeBinary)
    plain: Mapped[str] = mapped_column(Text)


class Word(Base):
    """A word of a published title or summary, for queries that are misspelt."""

    __tablename__ = "words"
    __table_args__ = (Index("words_similar", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}),)

    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


class Call(Base):
    """A call for practices on some objectives, open until its deadline."""

    __tablename__ = "calls"
    __table_args__ = (Index("calls_deadline", "deadline", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    created_by: Mapped[str] = mapped_column(Text)
    deadline: Mapped[date] = mapped_column(Date)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sample: Mapped[bool] = mapped_column(Boolean, default=False)


class Reviewer(Base):
    """A person of the roster. Nobody outside the secretariat learns who they are."""

    __tablename__ = "reviewers"
    __table_args__ = (
        CheckConstraint(_one_of("kind", ("internal", "external")), name="kind_known"),
        Index("reviewers_name", "name", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    subject: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text(collation="C"))
    email: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    organisation: Mapped[str | None] = mapped_column(Text)
    entity: Mapped[str | None] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Text)
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    objectives: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    sample: Mapped[bool] = mapped_column(Boolean, default=False)


class Assignment(Base):
    """A reviewer's seat in one round of a practice's review."""

    __tablename__ = "assignments"
    __table_args__ = (
        UniqueConstraint("practice_id", "round", "reviewer_id", name="assignments_once_a_round"),
        CheckConstraint("conflict IS NULL OR declared_at IS NOT NULL", name="declared_when"),
        Index("assignments_reviewer", "reviewer_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    practice_id: Mapped[UUID] = mapped_column(ForeignKey("practices.id", ondelete="CASCADE"))
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("reviewers.id"))
    round: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    created_by: Mapped[str] = mapped_column(Text)
    conflict: Mapped[bool | None] = mapped_column(Boolean)
    conflict_comment: Mapped[str | None] = mapped_column(Text)
    declared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reminded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    replaced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    reviewer: Mapped[Reviewer] = relationship(lazy="raise")
    review: Mapped["Review | None"] = relationship(lazy="raise", back_populates="assignment")


class Review(Base):
    """A reviewer's judgement in one round; never changed."""

    __tablename__ = "reviews"
    __table_args__ = (CheckConstraint(_one_of("recommendation", ("accept", "revise", "decline")), name="known"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignments.id", ondelete="CASCADE"), unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    recommendation: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)

    assignment: Mapped[Assignment] = relationship(lazy="raise", back_populates="review")


class IdempotencyKey(IdempotencyMixin, Base):
    """First answers to creations, for 24 hours."""
