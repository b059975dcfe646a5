"""What a new database starts with: real pledges of before this system, and demonstration pledges for developers."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.pledges import published, samples, service
from services.pledges.completeness import gaps
from services.pledges.models import Pledge, PledgePublication, PublishedChange, PublishedPledge
from shared import records, search
from shared.auth import Caller
from shared.database import Database

PAST = Path(__file__).with_name("data") / "past_pledges.json"
LOADER = Caller(sub="seed", name="Reference data", roles=frozenset({"secretariat"}))
AT_ONCE = 1000
# Samples are English; one statement writes many.
WORDS = search.vector("en", bindparam("words_title"), bindparam("words_body"))


async def seed(database: Database, samples_too: bool) -> str:
    """Load what is not there yet; says what it did."""
    async with database.sessions() as session:
        past = [entry for entry in json.loads(PAST.read_text()) if not await _known(session, entry["external_id"])]
        for entry in past:
            await publish_past(session, **entry)
        await session.commit()
    shown = 0
    if samples_too:
        async with database.sessions() as session:
            if not await session.get(Pledge, samples.identifier(1)):
                shown = await load_samples(session, range(1, samples.SHOWN + 1), samples.SHOWN)
                await session.commit()
    return f"{len(past)} pledges of before this system, {shown} demonstration pledges"


async def _known(session: AsyncSession, external_id: str) -> bool:
    found = await session.scalar(select(func.count()).select_from(Pledge).where(Pledge.external_id == external_id))
    return bool(found)


async def publish_past(
    session: AsyncSession,
    external_id: str,
    owner: str,
    content: dict[str, Any],
    source: dict[str, Any],
    confirmed: Sequence[str] = (),
) -> Pledge:
    """Publish a record of before this system with its source; what is unknown stays so, and `complete` says it."""
    pledge = await service.enter(
        session, content, owner, LOADER, external_id=external_id, source=source, confirmed=list(confirmed)
    )
    pledge.status = "published"
    pledge.complete = not [gap for gap in gaps(content) if not gap.pointer.startswith("/contact")]
    records.publish(session, pledge)
    session.add(records.note(pledge, LOADER, "import", left=None, details={"source": source["name"]}))
    await session.flush()
    await published.refresh(session, pledge)
    await session.flush()
    return pledge


async def load_samples(session: AsyncSession, numbers: Iterable[int], of: int) -> int:
    """Publish the samples numbered so, `of` in all, many rows to a statement; how many there were."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("published_pledges"))))
    loaded = 0
    for chunk in _chunks(numbers):
        made = [_rows(number, of) for number in chunk]
        pledges, publications, published = ([rows[n] for rows in made] for n in range(3))
        await session.execute(insert(Pledge).values(search=WORDS), pledges)
        await session.execute(insert(PledgePublication), publications)
        await session.execute(insert(PublishedPledge).values(search=WORDS), published)
        ids = [row["id"] for row in pledges]
        ordinals = await session.scalars(select(PublishedPledge.ordinal).where(PublishedPledge.id.in_(ids)))
        await session.execute(insert(PublishedChange), [{"ordinal": ordinal} for ordinal in ordinals])
        loaded += len(made)
    return loaded


def _chunks(numbers: Iterable[int]) -> Iterator[list[int]]:
    chunk: list[int] = []
    for number in numbers:
        chunk.append(number)
        if len(chunk) == AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _rows(number: int, of: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """One sample as rows of the working record, its publication and what the public reads."""
    content = samples.content(number)
    identifier: UUID = samples.identifier(number)
    at = samples.published_at(number, of)
    pledge = Pledge(
        id=identifier,
        reference=f"PLG-{at.year}-S{number:03d}",
        status="published",
        version=1,
        revision=1,
        owner=f"org-sample-{number % 60 + 1:02d}",
        created_by=LOADER.sub,
        content=content,
        sample=True,
        complete=True,
        public=True,
        created_at=at,
        updated_at=at,
        published_at=at,
        implementation_status=samples.implementation_status(number),
    )
    published.classify(pledge, content)
    row = published.published_row(pledge, content, at, None, [])
    row.implementation_status = pledge.implementation_status
    publication = {"record_id": identifier, "number": 1, "content": content, "published_at": at}
    return _values(pledge, content), publication, _values(row, content)


def _values(row: Any, content: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in vars(row).items() if not name.startswith("_sa_") and name != "search"}
    return {**values, "words_title": content["title"], "words_body": content["description"]}
