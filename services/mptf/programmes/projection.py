"""What is derived from a note's content, and the note as each kind of reader is answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.mptf import endorsements, policy, schemas
from services.mptf.completeness import budget_total, thematic_area, warnings
from services.mptf.lifecycle import CONCEPT_NOTE, PUBLIC, WAITING
from services.mptf.meetings import slots
from services.mptf.models import ApprovedLine, ConceptNote, ConceptNoteHistory, Endorsement, FilterColumns, Programme
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


@dataclass(frozen=True)
class Beside:
    """What stands beside the content of some notes, by the note's id."""

    since: dict[UUID, list[dict[str, Any]]]
    transferred: dict[UUID, Decimal]
    endorsements: dict[UUID, list[Endorsement]]


async def beside(session: AsyncSession, ids: Sequence[UUID]) -> Beside:
    """All of it in three statements, however many notes there are."""
    transferred = await session.execute(
        select(ApprovedLine.record_id, func.sum(ApprovedLine.transferred))
        .where(ApprovedLine.record_id.in_(ids))
        .group_by(ApprovedLine.record_id)
    )
    standing: dict[UUID, list[Endorsement]] = {}
    for endorsement in await endorsements.standing(session, ids):
        standing.setdefault(endorsement.record_id, []).append(endorsement)
    return Beside(await _statuses(session, ids), {row[0]: row[1] for row in transferred}, standing)


async def _statuses(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """When programmes came to each status, from selection on; a status left by `reconsider` counts no more."""
    history = ConceptNoteHistory
    statement = (
        select(history.record_id, history.to_status, history.at)
        # What was loaded came to its status on a day that nobody recorded.
        .where(history.record_id.in_(ids), history.from_status != history.to_status)
        .order_by(history.record_id, history.id)
    )
    found: dict[UUID, list[dict[str, Any]]] = {}
    for note_id, status, at in await session.execute(statement):
        found[note_id] = [*found.get(note_id, []), {"status": status, "at": at}] if status in PUBLIC else []
    return found


def programme(note: ConceptNote, content: dict[str, Any], around: Beside) -> dict[str, Any]:
    """What everybody may read of a note with this content."""
    since = around.since.get(note.id, [])
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
        "transferred": money(around.transferred.get(note.id)),
        "status_history": since,
    }


def _day(since: list[dict[str, Any]], status: str) -> str | None:
    return next((each["at"].date().isoformat() for each in since if each["status"] == status), None)


async def working(session: AsyncSession, note: ConceptNote, caller: Caller) -> bytes:
    """The working record, as a caller who may see it sees it."""
    return _working(note, caller, await beside(session, [note.id]))


async def working_all(session: AsyncSession, notes: Sequence[ConceptNote], caller: Caller) -> list[bytes]:
    """As `working`, for a page of them."""
    around = await beside(session, [note.id for note in notes])
    return [_working(note, caller, around) for note in notes]


def _working(note: ConceptNote, caller: Caller, around: Beside) -> bytes:
    standing = around.endorsements.get(note.id, [])
    endorsed = {endorsement.country for endorsement in standing}
    in_time = slots.in_time_from(note.counted_from) if note.counted_from and note.status in WAITING else None
    shown = schemas.ConceptNote.model_validate(
        {
            **programme(note, note.content, around),
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
    shown = schemas.JointProgramme.model_validate(
        programme(note, publication.content, await beside(session, [note.id]))
    )
    row.body = shown.model_dump_json().encode()
    session.add(row)
