"""What a new database starts with: joint programmes and contributions of before this system; there are no samples."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.mptf import policy
from services.mptf.completeness import gaps
from services.mptf.models import REFERENCES, ConceptNote, Contribution
from services.mptf.programmes.projection import derive, refresh
from shared import records
from shared.auth import Caller
from shared.database import Database

PAST = Path(__file__).with_name("data") / "past.json"
LOADER = Caller(sub="seed", name="Reference data")


async def seed(database: Database, samples_too: bool) -> str:
    """Load what is not there yet; says what it did."""
    past = json.loads(PAST.read_text("utf-8"))
    async with database.sessions() as session:
        programmes = [each for each in past["programmes"] if await _new(session, ConceptNote, each["external_id"])]
        for each in programmes:
            await enter(session, **each)
        contributions = [
            each for each in past["contributions"] if await _new(session, Contribution, each["external_id"])
        ]
        for each in contributions:
            amount = Decimal(each["amount"]) if each["amount"] else None
            session.add(Contribution(**{**each, "amount": amount}, complete=False, created_by=LOADER.sub))
        await session.commit()
    return f"{len(programmes)} joint programmes and {len(contributions)} contributions of before this system"


async def _new(session: AsyncSession, table: Any, external_id: str) -> bool:
    return await session.scalar(select(table.id).where(table.external_id == external_id)) is None


async def enter(
    session: AsyncSession, external_id: str, status: str, content: dict[str, Any], source: dict[str, Any]
) -> ConceptNote:
    """Publish a programme of before this system with its source; what is unknown stays so, `complete` says it."""
    note = ConceptNote(
        id=uuid7(),
        external_id=external_id,
        reference=await records.new_reference(session, "MPTF", REFERENCES),
        status=status,
        version=0,
        owner=None,
        created_by=LOADER.sub,
        content=content,
        source=source,
        complete=not gaps(content, policy.in_force()),
    )
    derive(note, content)
    records.publish(session, note)
    session.add(note)
    await session.flush()
    session.add(records.note(note, LOADER, "import", left=None, details={"source": source["name"]}))
    await session.flush()
    await refresh(session, note)
    await session.flush()
    return note
