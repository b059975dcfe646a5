"""Demonstration notes and meetings: marked as samples, nobody's real programme, for development alone."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.mptf import service
from services.mptf.lifecycle import PIPELINE, PUBLIC
from services.mptf.meetings import schemas as meeting_schemas
from services.mptf.meetings import service as meetings
from services.mptf.meetings import slots
from services.mptf.models import REFERENCES, ConceptNote
from services.mptf.programmes.projection import derive, refresh
from services.mptf.schemas import ConceptNoteAction
from shared import clock, records
from shared.auth import Caller

LOADER = Caller(
    sub="seed",
    name="Demonstration data",
    roles=frozenset({"fund_management_unit", "resident_coordinator"}),
    entity="org-sample",
    countries=frozenset({"KEN", "NPL", "PER", "TUN", "GEO"}),
)
# Title, country, primary objectives, thematic area, status.
NOTES = (
    ("Skills that cross the border", "KEN", [18, 5], 4, "draft"),
    ("A registry of newcomers' births", "NPL", [4, 11], 3, "submitted"),
    ("City councils that plan with migrants", "TUN", [16, 15], 5, "submitted"),
    ("Data for fair policies", "GEO", [1, 3], 1, "selected"),
    ("Safe roads for seasonal workers", "PER", [7, 8], 2, "approved"),
    ("Pensions that travel home", "KEN", [22], 5, "active"),
)
IN_DAYS = (60, 150)


async def load(session: AsyncSession) -> int:
    """Load the samples unless they are there; how many notes there were."""
    if await session.scalar(select(func.count()).select_from(ConceptNote).where(ConceptNote.sample)):
        return 0
    today = clock.today()
    for days in IN_DAYS:
        new = meeting_schemas.NewMeeting(date=today + timedelta(days=days), title="[Sample] Steering Committee")
        await meetings.plan(session, new, LOADER)
    for title, country, objectives, area, status in NOTES:
        await _note(session, _content(title, country, objectives, area), status)
    return len(NOTES)


async def _note(session: AsyncSession, content: dict[str, Any], status: str) -> None:
    public = status in PUBLIC
    note = ConceptNote(
        id=uuid7(),
        reference=await records.new_reference(session, "MPTF", REFERENCES),
        status=status if public else "draft",
        version=0,
        revision=1,
        owner=LOADER.entity,
        created_by=LOADER.sub,
        content=content,
        sample=True,
    )
    derive(note, content)
    if public:
        records.publish(session, note)
    session.add(note)
    await session.flush()
    session.add(records.note(note, LOADER, "create", left=None))
    await session.flush()
    if status == "submitted":
        await slots.lock(session)
        await service.act(session, note, "submit", ConceptNoteAction(), LOADER)
    elif public and status not in PIPELINE[:-1]:
        await service.open_lines(session, note)
    await session.flush()
    await refresh(session, note)


def _content(title: str, country: str, objectives: list[int], area: int) -> dict[str, Any]:
    return {
        "title": f"[Sample] {title}",
        "countries": [country],
        "scope": "country",
        "route": "resident_coordinator",
        "convening_organisation": "IOM",
        "participating_organisations": ["IOM", "ILO"],
        "partners": [{"name": "Sample association of migrants", "type": "migrant_diaspora"}],
        "primary_objectives": objectives,
        "thematic_area": area,
        "sdg_targets": ["10.7"],
        "duration_months": 24,
        "budget": [
            {"organisation": "IOM", "amount": "900000.00", "indirect_costs": "58878.50"},
            {"organisation": "ILO", "amount": "600000.00"},
        ],
        "markers": {name: {"scheme": "Sample scheme", "code": "1"} for name in ("gender", "human_rights", "child")},
        "rationale": "This is a demonstration record: nobody proposes this programme.",
        "results": "None: it is a demonstration.",
        "principles": {"human_rights": "Named so that the field is filled."},
        "government_endorsement": {"institution": "Sample ministry", "on": "2026"},
        "contact": {"name": "Sample Person", "email": "sample@sample.example"},
    }
