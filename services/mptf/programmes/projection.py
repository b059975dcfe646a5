"""What is derived from a note's content, and the note as each kind of reader is answered."""

from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.mptf import endorsements, policy, schemas
from services.mptf.completeness import budget_total, thematic_area, warnings
from services.mptf.lifecycle import CONCEPT_NOTE, PUBLIC, WAITING
from services.mptf.meetings import slots
from services.mptf.models import ApprovedLine, ConceptNote, ConceptNoteHistory, FilterColumns, Programme
from services.mptf.organisations import canonical, slug_of
from services.mptf.visibility import edits, is_staff
from shared import records, search
from shared.auth import Caller
from shared.reference import regions_of

# Beside the content of today's form: what sources say of programmes of before this system.
OF_SOURCES = ("label", "starts_on", "ends_on", "budget_stated")


def derive(target: FilterColumns, content: dict[str, Any]) -> None:
    """Set the columns that lists, facets and sums read."""
    countries = content.get("countries", [])
    lines = {canonical(line["organisation"]): Decimal(line["amount"]) for line in content.get("budget", [])}
    named = [*content.get("participating_organisations", []), content.get("convening_organisation")]
    organisations = sorted({canonical(name) for name in named if name} | set(lines))
    target.scope = content.get("scope")
    target.thematic_area = thematic_area(content)
    target.objectives = sorted({*content.get("primary_objectives", []), *content.get("secondary_objectives", [])})
    target.sdgs = sdgs_of(content)
    target.countries = sorted(countries)
    target.regions = sorted({region for country in countries for region in regions_of(country)})
    target.organisations = organisations
    target.amounts = [lines.get(name) for name in organisations]
    target.budget = budget_total(content)
    target.title = content.get("title") or content.get("label") or ""
    target.search = search.vector(
        "en", target.title, content.get("rationale", ""), content.get("results", ""), " ".join(organisations)
    )
    if isinstance(target, ConceptNote):
        target.participants = sorted({slug_of(name) for name in organisations})


def sdgs_of(content: dict[str, Any]) -> list[int]:
    return sorted({int(target.partition(".")[0]) for target in content.get("sdg_targets", [])})


def money(amount: Decimal | None) -> str | None:
    """An amount as it is answered: two decimals, more only where there are more."""
    if amount is None:
        return None
    cents = amount.quantize(Decimal("0.01"))
    return format(cents if cents == amount else amount.normalize(), "f")


async def programme(session: AsyncSession, note: ConceptNote, content: dict[str, Any]) -> dict[str, Any]:
    """What everybody may read of a note with this content."""
    since = await statuses(session, note)
    held = await session.scalar(
        select(func.sum(ApprovedLine.transferred)).where(ApprovedLine.record_id == note.id).having(func.count() > 0)
    )
    return {
        **{name: value for name, value in content.items() if name not in (*OF_SOURCES, "contact")},
        "id": note.id,
        "reference": note.reference,
        "status": note.status,
        "actions": [],
        "version": note.version,
        "created_at": note.created_at,
        "updated_at": note.updated_at,
        "published_at": note.published_at,
        "sample": note.sample,
        "source": note.source,
        "complete": note.complete,
        "label": content.get("label"),
        "thematic_area": thematic_area(content),
        "regions": sorted({region for country in content.get("countries", []) for region in regions_of(country)}),
        "sdgs": sdgs_of(content),
        "budget_total": money(budget_total(content)),
        "currency": "USD",
        "starts_on": content.get("starts_on") or _day(since, "active"),
        "ends_on": content.get("ends_on") or _day(since, "operationally_closed"),
        "meeting": {"id": note.meeting_id, "date": note.meeting_on} if note.meeting_id else None,
        "transferred": money(held),
        "status_history": since,
    }


async def statuses(session: AsyncSession, note: ConceptNote) -> list[dict[str, Any]]:
    """When a programme came to each status, from selection on; a status left by `reconsider` counts no more."""
    history = ConceptNoteHistory
    statement = (
        select(history.to_status, history.at)
        # What was loaded came to its status on a day that nobody recorded.
        .where(history.record_id == note.id, history.from_status != history.to_status)
        .order_by(history.id)
    )
    found: list[dict[str, Any]] = []
    for status, at in await session.execute(statement):
        found = [*found, {"status": status, "at": at}] if status in PUBLIC else []
    return found


def _day(since: list[dict[str, Any]], status: str) -> str | None:
    return next((each["at"].date().isoformat() for each in since if each["status"] == status), None)


async def working(session: AsyncSession, note: ConceptNote, caller: Caller) -> bytes:
    """The working record, as a caller who may see it sees it."""
    standing = await endorsements.standing(session, note.id)
    endorsed = {endorsement.country for endorsement in standing}
    in_time = slots.in_time_from(note.counted_from) if note.counted_from and note.status in WAITING else None
    shown = schemas.ConceptNote.model_validate(
        {
            **await programme(session, note, note.content),
            "actions": CONCEPT_NOTE.actions(note, caller),
            "owner": note.owner,
            "submitted_at": note.submitted_at,
            "in_time_from": in_time,
            "contact": note.content.get("contact"),
            "endorsements": [
                {"id": each.id, "country": each.country, "actor": each.actor, "made_at": each.made_at}
                for each in standing
            ],
            "endorsements_missing": [c for c in endorsements.needed(note) if c not in endorsed],
            "warnings": warnings(note.content, policy.in_force(note.counted_from)),
        }
    )
    hidden = set() if edits(caller, note) or is_staff(caller) else {"contact"}
    return shown.model_dump_json(exclude=hidden).encode()


async def refresh(session: AsyncSession, note: ConceptNote) -> None:
    """Make the public's row anew from the current publication and what stands beside it."""
    if not note.public:
        await session.execute(delete(Programme).where(Programme.id == note.id))
        return
    publication = await records.publication(session, note, note.version)
    row = await session.get(Programme, note.id) or Programme(id=note.id)
    derive(row, publication.content)
    row.reference = note.reference
    row.status = note.status
    row.published_at = note.published_at or publication.published_at
    row.updated_at = note.updated_at
    shown = schemas.JointProgramme.model_validate(await programme(session, note, publication.content))
    row.body = shown.model_dump_json().encode()
    session.add(row)
