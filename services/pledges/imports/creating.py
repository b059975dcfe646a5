"""Every row of an import that is ready, as pledges: in one transaction, many rows to a statement."""

from collections.abc import AsyncIterator, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.pledges import published
from services.pledges.models import (
    REFERENCES,
    Pledge,
    PledgeHistory,
    PledgeImport,
    PledgeImportRow,
    PledgePublication,
    PublishedChange,
    PublishedPledge,
)
from shared import clock, search
from shared.filters import day_start

BATCH = 200


async def create(session: AsyncSession, found: PledgeImport) -> None:
    """Create them; the caller's commit makes it so, together with the import's end."""
    # One import at a time: what is known is known for sure.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("pledge_imports"))))
    async for rows in _ready(session, found):
        known = {
            external_id: (identifier, reference)
            for external_id, identifier, reference in await session.execute(
                select(Pledge.external_id, Pledge.id, Pledge.reference).where(
                    Pledge.external_id.in_([row.external_id for row in rows])
                )
            )
        }
        for row in rows:
            if row.external_id in known:
                row.outcome = "known"
        await _enter(session, found, [row for row in rows if row.outcome == "ready"])
        await session.flush()
        session.expunge_all()
        session.add(found)
    # The public's rows come last: until the commit nobody else publishes.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("published_pledges"))))
    matches: set[str] = set()
    async for rows in _ready(session, found, outcome="created", published=True):
        await _show(session, found, rows)
        matches |= {
            row.staged["content"]["matches"] for row in rows if row.staged and "matches" in row.staged["content"]
        }
        session.expunge_all()
        session.add(found)
    for name in sorted(matches):
        if matched := await published.matched(session, name):
            await published.refresh(session, matched)
    await session.flush()


async def _ready(
    session: AsyncSession, found: PledgeImport, outcome: str = "ready", published: bool = False
) -> AsyncIterator[Sequence[PledgeImportRow]]:
    table = PledgeImportRow
    statement = select(table).where(table.import_id == found.id, table.outcome == outcome)
    if published:
        statement = statement.where(table.staged["status"].astext == "published")
    after = 0
    while rows := (
        await session.scalars(statement.where(table.number > after).order_by(table.number).limit(BATCH))
    ).all():
        after = rows[-1].number
        yield rows


def _pledge(found: PledgeImport, row: PledgeImportRow) -> Pledge:
    """The row's working record, not yet in a session."""
    staged = row.staged or {}
    content = staged["content"]
    public = staged["status"] == "published"
    at = found.created_at
    day = staged["published_on"]
    pledge = Pledge(
        id=row.pledge_id,
        reference=row.reference,
        status=staged["status"],
        version=int(public),
        revision=1,
        owner=staged["owner"],
        created_by=found.sub,
        content=content,
        sample=False,
        source=staged["source"],
        complete=not public or staged["complete"],
        public=public,
        created_at=at,
        updated_at=at,
        published_at=(day_start(date.fromisoformat(day)) if day else at) if public else None,
        external_id=row.external_id,
        confirmed=[],
        implementation_status=None,
        submitted_at=None,
    )
    published.classify(pledge, content)
    return pledge


def _values(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if not name.startswith("_sa_") and name != "search"}


async def _insert(session: AsyncSession, table: Any, made: Sequence[Any], contents: Sequence[dict[str, Any]]) -> None:
    """Rows with their search vectors, one statement for each language."""
    rows = []
    for each, content in zip(made, contents, strict=True):
        body = "\n".join(filter(None, (content.get("description"), content.get("entity", {}).get("name"))))
        rows.append({**_values(each), "words_title": content.get("title", ""), "words_body": body})
    for language, group in groupby(sorted(rows, key=lambda row: row["language"] or ""), lambda row: row["language"]):
        vector = search.vector(language, bindparam("words_title"), bindparam("words_body"))
        await session.execute(insert(table).values(search=vector), list(group))


async def _enter(session: AsyncSession, found: PledgeImport, rows: Sequence[PledgeImportRow]) -> None:
    """Working records, their history and, where published, their first publications."""
    if not rows:
        return
    numbers = await session.scalars(select(REFERENCES.next_value()).select_from(func.generate_series(1, len(rows))))
    for row, number in zip(rows, numbers.all(), strict=True):
        row.pledge_id, row.outcome = uuid7(), "created"
        row.reference = f"PLG-{clock.today().year}-{number:04d}"
    made = [_pledge(found, row) for row in rows]
    await _insert(session, Pledge, made, [pledge.content for pledge in made])
    await session.execute(insert(PledgeHistory), [_step(found, pledge) for pledge in made])
    publications = [
        {"record_id": each.id, "number": 1, "content": _public(each), "published_at": each.published_at}
        for each in made
        if each.public
    ]
    if publications:
        await session.execute(insert(PledgePublication), publications)


def _public(pledge: Pledge) -> dict[str, Any]:
    return {name: value for name, value in pledge.content.items() if name not in pledge.private}


def _step(found: PledgeImport, pledge: Pledge) -> dict[str, Any]:
    return {
        "record_id": pledge.id,
        "sub": found.sub,
        "actor": found.actor,
        "action": "import",
        "to_status": pledge.status,
        "details": {"import": str(found.id), "source": pledge.source["name"] if pledge.source else None},
    }


async def _show(session: AsyncSession, found: PledgeImport, rows: Sequence[PledgeImportRow]) -> None:
    """What the public reads, and the note of it that the summaries follow."""
    pledges = [_pledge(found, row) for row in rows]
    made = [published.published_row(each, each.content, each.published_at or clock.now(), None, []) for each in pledges]
    await _insert(session, PublishedPledge, made, [_public(pledge) for pledge in pledges])
    table = PublishedPledge
    ordinals = await session.scalars(select(table.ordinal).where(table.id.in_([row.id for row in made])))
    await session.execute(insert(PublishedChange), [{"ordinal": ordinal} for ordinal in ordinals])
