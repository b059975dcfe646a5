"""The working record, its history and its immutable publications: what the four services' records have in common."""

import collections.abc
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar
from uuid import UUID

from fastapi import Path
from sqlalchemy import Boolean, DateTime, ForeignKey, Integer, Sequence, SmallInteger, Text, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from uuid_utils.compat import uuid7

from shared import clock
from shared.auth import Caller
from shared.lifecycle import Lifecycle
from shared.problems import Problem


class RecordMixin:
    """The working record: what owners edit and staff judge; the public never reads it.

    `content` is the record as its service's draft model writes it; columns beside it are derived from it.
    `version` counts publications, `revision` every change: it is the entity tag.
    """

    # The service's own tables of the two kinds below.
    History: ClassVar[Any]
    Publication: ClassVar[Any]
    noun: ClassVar[str]
    # Fields of the content that no publication keeps.
    private: ClassVar[tuple[str, ...]] = ("contact",)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    reference: Mapped[str] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=0)
    revision: Mapped[int] = mapped_column(Integer, default=1)
    owner: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sample: Mapped[bool] = mapped_column(Boolean, default=False)
    source: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    complete: Mapped[bool] = mapped_column(Boolean, default=True)
    # Whether the public reads a publication now: what decides between 404, 410 and an answer.
    public: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def tag(self) -> str:
        """The entity tag of the working record: its revision."""
        return str(self.revision)

    def touch(self) -> None:
        """Count a change."""
        self.revision += 1
        self.updated_at = clock.now()


class HistoryMixin:
    """One step in a record's life, kept for good."""

    record_of: ClassVar[str]

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    sub: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    from_status: Mapped[str | None] = mapped_column(Text)
    to_status: Mapped[str] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)

    @declared_attr
    def record_id(cls) -> Mapped[UUID]:
        return mapped_column(ForeignKey(f"{cls.record_of}.id", ondelete="CASCADE"), index=True)


class PublicationMixin:
    """One publication: immutable, numbered, with the content as it was and the schema it was written in."""

    record_of: ClassVar[str]

    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    schema_version: Mapped[int] = mapped_column(SmallInteger, default=1)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)

    @declared_attr
    def record_id(cls) -> Mapped[UUID]:
        return mapped_column(ForeignKey(f"{cls.record_of}.id", ondelete="CASCADE"), primary_key=True, sort_order=-1)


# Number of a publication, as it stands in a path.
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

R = TypeVar("R", bound=RecordMixin)


async def new_reference(session: AsyncSession, prefix: str, sequence: Sequence) -> str:
    """The next reference, such as `PLG-2026-0042`; a number that a rollback takes is not used again."""
    number = await session.scalar(sequence.next_value())
    return f"{prefix}-{clock.today().year}-{number:04d}"


async def find(session: AsyncSession, model: type[R], record_id: UUID, *, lock: bool = False) -> R:
    """The working record, or 404. With `lock` nobody else changes it before this request ends."""
    record = await session.get(model, record_id, with_for_update=lock or None)
    if record is None:
        raise Problem("not-found", f"There is no such {model.noun}.")
    return record


def owner_for(caller: Caller, wanted: str | None, purpose: str) -> str:
    """Whose a new record is: the caller's entity, or for the secretariat the one it names."""
    if wanted is not None and wanted != caller.entity and not caller.has("secretariat"):
        raise Problem("forbidden", "Only the secretariat enters records for another entity.")
    owner = wanted or caller.entity
    if owner is None:
        raise Problem("forbidden", f"Your token names no entity to {purpose} for.")
    return owner


def hidden(noun: str, version: int) -> Problem:
    """What somebody hears who may read publications only, where there is none: 410 once there was one, else 404."""
    if version > 0:
        return Problem("gone", f"This {noun} was withdrawn after its publication.")
    return Problem("not-found", f"There is no such {noun}.")


def note(
    record: RecordMixin,
    caller: Caller,
    action: str,
    *,
    left: str | None,
    comment: str | None = None,
    details: dict[str, Any] | None = None,
) -> HistoryMixin:
    """The history's entry for what `caller` has just done to `record`; the caller of this adds it to the session."""
    found: HistoryMixin = record.History(
        record_id=record.id,
        sub=caller.sub,
        actor=caller.name or caller.sub,
        action=action,
        from_status=left,
        to_status=record.status,
        comment=comment,
        details=details or {},
    )
    return found


def move(
    session: AsyncSession,
    lifecycle: Lifecycle[Any],
    record: RecordMixin,
    action: str,
    caller: Caller,
    comment: str | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Apply an action and write it into the history."""
    left, _ = lifecycle.apply(record, action, caller, comment)
    record.touch()
    session.add(note(record, caller, action, left=left, comment=comment, details=details))


def publish(session: AsyncSession, record: RecordMixin) -> PublicationMixin:
    """Write the record's content as its next publication, from now on what the public reads."""
    record.version += 1
    record.public = True
    record.published_at = record.published_at or clock.now()
    content = {name: value for name, value in record.content.items() if name not in record.private}
    made: PublicationMixin = record.Publication(record_id=record.id, number=record.version, content=content)
    session.add(made)
    return made


def restored(record: RecordMixin, publication: PublicationMixin) -> dict[str, Any]:
    """The content that a dropped revision goes back to: the publication's, and what no publication keeps."""
    return {**publication.content, **{name: record.content[name] for name in record.private if name in record.content}}


async def publication(session: AsyncSession, record: RecordMixin, number: int) -> PublicationMixin:
    found: PublicationMixin | None = await session.get(record.Publication, {"record_id": record.id, "number": number})
    if found is None:
        raise Problem("not-found", f"This {record.noun} has no version {number}.")
    return found


async def history(
    session: AsyncSession, record: RecordMixin, after: UUID | None, limit: int
) -> collections.abc.Sequence[HistoryMixin]:
    """Steps in the order they were made, after the one named."""
    table = record.History
    statement = select(table).where(table.record_id == record.id).order_by(table.id).limit(limit)
    if after is not None:
        statement = statement.where(table.id > after)
    return (await session.scalars(statement)).all()


async def versions(
    session: AsyncSession, record: RecordMixin, after: int, limit: int
) -> collections.abc.Sequence[PublicationMixin]:
    """Publications in their order, after the number given."""
    table = record.Publication
    statement = (
        select(table).where(table.record_id == record.id, table.number > after).order_by(table.number).limit(limit)
    )
    return (await session.scalars(statement)).all()


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result
