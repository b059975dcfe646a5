"""An import's way: the file is taken, read in a confined process, judged row by row, then all of it or nothing."""

import asyncio
import json
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.pledges import published
from services.pledges.imports import schemas
from services.pledges.imports.creating import create
from services.pledges.imports.judging import CellFault, Column, Judged, header, judge
from services.pledges.models import (
    Pledge,
    PledgeImport,
    PledgeImportChunk,
    PledgeImportRow,
)
from shared import clock, confined, jobs
from shared.auth import Caller
from shared.problems import Fault, Problem

LIMIT = 50 * 1024 * 1024
CHUNK = 1024 * 1024
BATCH = 200
PATIENCE = 300.0
ATTEMPTS = 3
KEPT_DAYS = 90
BRING_IN = "pledges.import"
FORGET = "pledges.forget_imports"


class RefusedError(Exception):
    """The file as a whole cannot be imported; the words are for whoever sent it."""


# ---------------------------------------------------------------- what is asked and answered


async def start(
    session: AsyncSession, content: AsyncIterator[bytes], parameters: schemas.NewPledgeImport, caller: Caller
) -> PledgeImport:
    """Take the file, in pieces, and have it read once the request is committed. 413 over the limit, 422 if empty."""
    made = PledgeImport(dry_run=parameters.dry_run, form="csv", sub=caller.sub, actor=caller.name or caller.sub)
    session.add(made)
    await session.flush()
    size = number = 0
    waiting = bytearray()
    async for part in content:
        size += len(part)
        if size > LIMIT:
            raise Problem("too-large", f"The file is over the limit of {LIMIT} bytes.")
        waiting += part
        if len(waiting) >= CHUNK:
            await _keep(session, made, number, waiting)
            number += 1
    if size == 0:
        raise Problem("invalid", "There is nothing to import.", [Fault(pointer="", detail="The file is empty.")])
    if waiting:
        await _keep(session, made, number, waiting)
    await jobs.defer(session, BRING_IN, import_id=made.id)
    return made


async def _keep(session: AsyncSession, made: PledgeImport, number: int, waiting: bytearray) -> None:
    # What it is shows in its first bytes: browsers call one file by many types.
    if number == 0 and waiting.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        made.form = "xlsx"
    await session.execute(insert(PledgeImportChunk).values(import_id=made.id, number=number, content=bytes(waiting)))
    waiting.clear()


async def find(session: AsyncSession, import_id: UUID) -> PledgeImport:
    found = await session.get(PledgeImport, import_id)
    if found is None:
        raise Problem("not-found", "There is no such import.")
    return found


async def shown(session: AsyncSession, found: PledgeImport) -> schemas.PledgeImport:
    table = PledgeImportRow
    statement = select(table.outcome, func.count()).where(table.import_id == found.id).group_by(table.outcome)
    counts = dict((await session.execute(statement)).all())
    return schemas.PledgeImport.model_validate(
        {
            **{name: getattr(found, name) for name in schemas.PledgeImport.model_fields if name != "counts"},
            "counts": {name: counts.get(name, 0) for name in schemas.PledgeImportCounts.model_fields},
        }
    )


def _lines(found: PledgeImport, outcomes: Sequence[str]) -> list[ColumnElement[bool]]:
    asked = [PledgeImportRow.outcome.in_(outcomes)] if outcomes else []
    return [PledgeImportRow.import_id == found.id, *asked]


async def lines(
    session: AsyncSession, found: PledgeImport, outcomes: Sequence[str], after: int, limit: int
) -> Sequence[PledgeImportRow]:
    """The report's lines after a row, in the file's order."""
    table = PledgeImportRow
    statement = select(table).where(*_lines(found, outcomes), table.number > after)
    return (await session.scalars(statement.order_by(table.number).limit(limit))).all()


async def count(session: AsyncSession, found: PledgeImport, outcomes: Sequence[str]) -> int:
    statement = select(func.count()).select_from(PledgeImportRow).where(*_lines(found, outcomes))
    return (await session.execute(statement)).scalar_one()


# ---------------------------------------------------------------- the job


async def bring_in(job: jobs.Job, *, import_id: str) -> None:
    """Read, judge and, unless it is a dry run, create. Begun again after a crash it starts anew; done, it is done."""
    identifier = UUID(import_id)
    async with job.database.sessions() as session:
        found = await session.get(PledgeImport, identifier)
        if found is None or found.finished_at is not None:
            return
        found.status = "running"
        await session.execute(delete(PledgeImportRow).where(PledgeImportRow.import_id == identifier))
        await session.commit()
        try:
            await _stage(session, found)
            await _conclude(session, found)
        except RefusedError as error:
            await session.rollback()
            await _finish(session, found, "failed", str(error))
        except Exception:
            await session.rollback()
            if job.attempt < ATTEMPTS:
                raise
            await _finish(session, found, "failed", "The import could not be carried out; the fault is ours.")
            raise
        await session.commit()


async def forget(job: jobs.Job) -> None:
    """Reports are kept for 90 days."""
    async with job.database.sessions() as session:
        old = PledgeImport.created_at < func.now() - func.make_interval(0, 0, 0, KEPT_DAYS)
        await session.execute(delete(PledgeImport).where(old))
        await session.commit()


async def _finish(session: AsyncSession, found: PledgeImport, status: str, detail: str | None = None) -> None:
    """End the import; what rows said beyond the report, contacts too, is not kept."""
    found.status, found.detail, found.finished_at = status, detail, clock.now()
    rows = PledgeImportRow
    await session.execute(delete(PledgeImportChunk).where(PledgeImportChunk.import_id == found.id))
    await session.execute(update(rows).where(rows.import_id == found.id, rows.staged.is_not(None)).values(staged=None))
    await session.commit()


async def _read(form: str, path: Path) -> AsyncGenerator[tuple[int, list[Any]], None]:
    """The file's rows from a process that may take only so much. Raises RefusedError."""
    try:
        async with confined.running("services.pledges.imports.reading", form, str(path), patience=PATIENCE) as printed:
            while line := await printed.readline():
                read = json.loads(line)
                if isinstance(read, dict):
                    raise RefusedError(read["error"])
                yield read[0], read[1]
    except (confined.ProcessError, TimeoutError, ValueError):
        raise RefusedError("The file takes more memory or time than its size explains: it cannot be read.") from None


async def _stage(session: AsyncSession, found: PledgeImport) -> None:
    """Judge every row and write down what is to be created, or what is wrong."""
    columns: dict[int, Column] | None = None
    seen: dict[str, int] = {}
    waiting: list[tuple[int, list[Any]]] = []
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        path = Path(folder, f"file.{found.form}")
        await _unpack(session, found, path)
        async with aclosing(_read(found.form, path)) as rows:
            async for number, cells in rows:
                if columns is None:
                    columns, faults = header(cells, number)
                    if faults:
                        await _write(session, found, [(number, Judged(None, None, faults, []))], seen)
                        return
                    continue
                waiting.append((number, cells))
                if len(waiting) >= BATCH:
                    await _judge(session, found, columns, waiting, seen)
                    waiting = []
            if columns is None:
                raise RefusedError("The file has no row.")
            await _judge(session, found, columns, waiting, seen)


async def _unpack(session: AsyncSession, found: PledgeImport, path: Path) -> None:
    with path.open("wb") as file:
        number = 0
        while chunk := await session.get(PledgeImportChunk, {"import_id": found.id, "number": number}):
            file.write(chunk.content)
            session.expunge(chunk)
            number += 1
    await session.commit()


async def _judge(
    session: AsyncSession,
    found: PledgeImport,
    columns: dict[int, Column],
    rows: Sequence[tuple[int, list[Any]]],
    seen: dict[str, int],
) -> None:
    judged = await asyncio.to_thread(lambda: [(number, judge(columns, cells, number)) for number, cells in rows])
    await _write(session, found, judged, seen)


async def _write(
    session: AsyncSession, found: PledgeImport, judged: Sequence[tuple[int, Judged]], seen: dict[str, int]
) -> None:
    """The rows' lines, with what only the database and the rows before can tell."""
    known = set(
        await session.scalars(
            select(Pledge.external_id).where(Pledge.external_id.in_([row.external_id for _, row in judged]))
        )
    )
    matched = await _published(session, [row.staged for _, row in judged if row.staged])
    written = []
    for number, row in judged:
        faults = list(row.faults)
        if row.external_id is not None and (first := seen.setdefault(row.external_id, number)) != number:
            faults.append(CellFault(None, "external_id", f"Row {first} has the same external id."))
        named = row.staged["content"].get("matches") if row.staged else None
        if row.staged and row.staged["status"] == "published" and named and named not in matched:
            faults.append(CellFault(None, "matches", "No published pledge has this id or reference."))
        outcome = "faulty" if faults else "known" if row.external_id in known else "ready"
        written.append(
            {
                "import_id": found.id,
                "number": number,
                "outcome": outcome,
                "external_id": row.external_id,
                "faults": [fault._asdict() for fault in faults],
                "gaps": row.gaps if outcome == "ready" else [],
                "staged": row.staged if outcome == "ready" else None,
            }
        )
    if written:
        await session.execute(insert(PledgeImportRow), written)
    await session.commit()


async def _published(session: AsyncSession, staged: Sequence[dict[str, Any]]) -> set[str]:
    """Which of the pledges that rows match are public, as the rows name them."""
    found = set()
    for name in {each["content"]["matches"] for each in staged if "matches" in each["content"]}:
        if await published.matched(session, name) is not None:
            found.add(name)
    return found


async def _conclude(session: AsyncSession, found: PledgeImport) -> None:
    table = PledgeImportRow
    faulty = await session.scalar(
        select(func.count()).select_from(table).where(table.import_id == found.id, table.outcome == "faulty")
    )
    if not faulty and not found.dry_run:
        await create(session, found)
    await _finish(session, found, "failed" if faulty else "succeeded")
