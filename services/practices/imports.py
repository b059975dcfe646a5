"""Practices of before this system: read from a file, checked like any draft, reported with what they lack.

``python -m services.practices.imports FILE [--dry-run]`` with PRACTICES_DATABASE_URL loads what is not there yet,
all of it or nothing, and prints the report as JSON.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.practices import schemas, service
from services.practices.completeness import gaps
from services.practices.models import Practice
from services.practices.published import refresh
from shared import records
from shared.auth import Caller
from shared.database import Database
from shared.problems import Fault, faults
from shared.schemas import Model, Slug, Source

IMPORTER = Caller(sub="import", name="Import", roles=frozenset({"secretariat"}))


class Entry(Model):
    """One practice as a file brings it. `external_id` is its name there: what is loaded already is left alone."""

    external_id: str = Field(min_length=1, max_length=200)
    owner: Slug
    publish: bool = Field(description="Public at once, as never peer reviewed; else a draft of its owner.")
    source: Source
    content: schemas.PracticeDraft


class Line(Model):
    """What became of one entry."""

    external_id: str
    outcome: str = Field(description="`published`, `drafted`, `known` or `refused`.")
    reference: str | None = None
    faults: list[Fault] = []
    gaps: list[Fault] = Field(default=[], description="What `submit` would ask for.")


async def load(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> list[Line]:
    """Enter what is valid and not known yet; a line for each row. The caller commits, or not."""
    ids = [str(row.get("external_id")) for row in rows]
    known = set(await session.scalars(select(Practice.external_id).where(Practice.external_id.in_(ids))))
    lines = []
    for external_id, row in zip(ids, rows, strict=True):
        if external_id in known:
            lines.append(Line(external_id=external_id, outcome="known"))
            continue
        try:
            entry = Entry.model_validate(row)
        except ValidationError as error:
            errors = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
            lines.append(Line(external_id=external_id, outcome="refused", faults=faults(errors)))
            continue
        known.add(external_id)
        lines.append(await _enter(session, entry))
    return lines


async def _enter(session: AsyncSession, entry: Entry) -> Line:
    content = schemas.content_of(entry.content)
    missing = gaps(content)
    # Nobody's contact person is asked for of a record of before this system.
    lacking = [gap for gap in missing if not gap.pointer.startswith("/contact")]
    if entry.publish and not (content.get("title") and content.get("language")):
        needed = [Fault(pointer="/content", detail="What is published has a title and a language.")]
        return Line(external_id=entry.external_id, outcome="refused", faults=needed)
    practice = await service.enter(
        session,
        content,
        entry.owner,
        IMPORTER,
        external_id=entry.external_id,
        source=entry.source.model_dump(mode="json"),
        complete=not lacking,
        peer_reviewed=None,
    )
    session.add(records.note(practice, IMPORTER, "import", left=None, details={"source": entry.source.name}))
    if entry.publish:
        practice.status = "published"
        service.publish(session, practice, None, [])
        await session.flush()
        await refresh(session, practice)
    await session.flush()
    return Line(
        external_id=entry.external_id,
        outcome="published" if entry.publish else "drafted",
        reference=practice.reference,
        gaps=missing,
    )


async def _main(rows: list[dict[str, Any]], dry_run: bool) -> int:
    database = Database(os.environ["PRACTICES_DATABASE_URL"], pool_size=1)
    try:
        async with database.sessions() as session:
            lines = await load(session, rows)
            refused = any(line.outcome == "refused" for line in lines)
            if refused or dry_run:
                await session.rollback()
            else:
                await session.commit()
    finally:
        await database.close()
    print(json.dumps([line.model_dump(mode="json") for line in lines], ensure_ascii=False, indent=1))
    return 1 if refused else 0


def main() -> int:
    match sys.argv[1:]:
        case [path] | [path, "--dry-run"]:
            return asyncio.run(_main(json.loads(Path(path).read_text("utf-8")), "--dry-run" in sys.argv))
    print("python -m services.practices.imports FILE [--dry-run]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
