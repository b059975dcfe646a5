"""Attachments in the database: bytes once by digest, and which publication has which."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from services.pledges import schemas
from services.pledges.models import Attachment, File, FileChunk, Pledge
from shared import clock, jobs
from shared.database import Database

CHUNK = 256 * 1024
WORKING = 0
# Bytes that nothing refers to any more stay so long, for whoever is reading them.
ORPHANED = timedelta(days=1)
FORGET = "pledges.forget_files"


async def of(session: AsyncSession, pledge_id: UUID, number: int = WORKING) -> Attachment | None:
    """The attachment of the working record, or of the publication of this number."""
    return await session.get(Attachment, {"record_id": pledge_id, "number": number})


def shown(found: Attachment | None) -> dict[str, Any] | None:
    """What is said of it beside the pledge."""
    return schemas.PledgeAttachment.model_validate(found, from_attributes=True).model_dump() if found else None


async def put(session: AsyncSession, pledge: Pledge, path: Path, **about: Any) -> Attachment:
    """Make the file at `path` the working record's attachment; equal bytes are stored once."""
    digest, size = about["digest"], about["size"]
    row = upsert(File).values(digest=digest, size=size, created_at=clock.now())
    # Touched even where it stands: whoever forgets old files then lets it be.
    kept = row.on_conflict_do_update(index_elements=[File.digest], set_={"created_at": row.excluded.created_at})
    fresh = await session.scalar(kept.returning(literal_column("xmax = 0")))
    if fresh:
        with path.open("rb") as file:
            for number, content in enumerate(iter(lambda: file.read(CHUNK), b"")):
                await session.execute(insert(FileChunk).values(digest=digest, number=number, content=content))
    return await session.merge(Attachment(record_id=pledge.id, number=WORKING, created_at=clock.now(), **about))


async def content(database: Database, digest: str) -> AsyncGenerator[bytes, None]:
    """The bytes of a file, a piece at a time; no connection is held while a piece is on its way."""
    number = 0
    while True:
        statement = select(FileChunk.content).where(FileChunk.digest == digest, FileChunk.number == number)
        async with database.reader.connect() as reader:
            piece = (await reader.execute(statement)).scalar_one_or_none()
        if piece is None:
            return
        yield piece
        number += 1


async def publish(session: AsyncSession, pledge: Pledge) -> None:
    """The publication just made keeps the attachment as it is now."""
    await _copy(session, pledge, WORKING, pledge.version)


async def restore(session: AsyncSession, pledge: Pledge) -> None:
    """A dropped revision goes back to the publication's attachment."""
    await _copy(session, pledge, pledge.version, WORKING)


async def _copy(session: AsyncSession, pledge: Pledge, source: int, target: int) -> None:
    names = [column.name for column in Attachment.__table__.columns if column.name != "number"]
    table = Attachment
    await session.execute(delete(table).where(table.record_id == pledge.id, table.number == target))
    rows = select(*(getattr(table, name) for name in names), literal_column(str(target))).where(
        table.record_id == pledge.id, table.number == source
    )
    await session.execute(insert(table).from_select([*names, "number"], rows))


async def forget(job: jobs.Job) -> None:
    """Drop bytes that no record and no publication refers to."""
    async with job.database.sessions() as session:
        used = exists().where(Attachment.digest == File.digest)
        await session.execute(delete(File).where(~used, File.created_at < func.now() - ORPHANED))
        await session.commit()
