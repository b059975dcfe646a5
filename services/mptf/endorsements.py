"""Endorsements: the word of each Resident Coordinator for a note of several countries."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.mptf import schemas
from services.mptf.lifecycle import EDITABLE
from services.mptf.models import ConceptNote, Endorsement
from shared import clock, records
from shared.auth import Caller
from shared.problems import Fault, Problem

# A change of these makes the note another one than was endorsed.
ENDORSED = ("countries", "convening_organisation", "participating_organisations", "budget")


def needed(note: ConceptNote) -> list[str]:
    """Countries whose Resident Coordinator has to agree, the one who submits among them."""
    if note.content.get("route") == "alternative":
        return []
    without = {each["country"] for each in note.content.get("without_resident_coordinator", [])}
    return [country for country in note.content.get("countries", []) if country not in without]


async def standing(session: AsyncSession, note_ids: Sequence[UUID]) -> Sequence[Endorsement]:
    """Those that neither lapsed nor were withdrawn, the oldest first."""
    statement = (
        select(Endorsement)
        .where(Endorsement.record_id.in_(note_ids), Endorsement.ended_at.is_(None))
        .order_by(Endorsement.id)
    )
    return (await session.scalars(statement)).all()


async def gaps(session: AsyncSession, note: ConceptNote, caller: Caller) -> list[Fault]:
    """One fault for each endorsement that `submit` by this caller still misses; submitting counts as their own."""
    endorsed = {endorsement.country for endorsement in await standing(session, [note.id])} | caller.countries
    return [
        Fault(pointer=f"/endorsements/{country}", detail=f"The Resident Coordinator of {country} has not endorsed.")
        for country in needed(note)
        if country not in endorsed
    ]


async def endorse(session: AsyncSession, note: ConceptNote, country: str, caller: Caller) -> Endorsement:
    """Record the endorsement of the country's Resident Coordinator."""
    if not caller.has("resident_coordinator") or country not in caller.countries:
        raise Problem("forbidden", f"The Resident Coordinator of {country} endorses for it.")
    if country not in note.countries:
        detail = f"{country} is no country of this note."
        raise Problem("invalid", detail, [Fault(pointer="/country", detail=detail)])
    _before_submission(note)
    if any(endorsement.country == country for endorsement in await standing(session, [note.id])):
        raise Problem("conflict", f"{country} has endorsed this note already.")
    return await _add(session, note, country, caller)


async def by_submission(session: AsyncSession, note: ConceptNote, countries: list[str], caller: Caller) -> None:
    """Submitting counts as the submitter's own endorsement."""
    endorsed = {endorsement.country for endorsement in await standing(session, [note.id])}
    for country in countries:
        if country not in endorsed:
            await _add(session, note, country, caller)


async def _add(session: AsyncSession, note: ConceptNote, country: str, caller: Caller) -> Endorsement:
    made = Endorsement(id=uuid7(), record_id=note.id, country=country, sub=caller.sub, actor=caller.name or caller.sub)
    session.add(made)
    note.touch()
    session.add(records.note(note, caller, "endorse", left=note.status, details={"country": country}))
    await session.flush()
    return made


async def withdraw(session: AsyncSession, note: ConceptNote, endorsement_id: UUID, caller: Caller) -> Endorsement:
    """Take an endorsement back before the note is submitted; for the Resident Coordinator of its country."""
    found = await session.get(Endorsement, endorsement_id)
    if found is None or found.record_id != note.id:
        raise Problem("not-found", "This note has no such endorsement.")
    if not caller.has("resident_coordinator") or found.country not in caller.countries:
        raise Problem("forbidden", f"The Resident Coordinator of {found.country} may withdraw it.")
    _before_submission(note)
    if found.ended_at is not None:
        raise Problem("conflict", "This endorsement stands no more.")
    found.ended_at, found.ended_by = clock.now(), "withdrawal"
    note.touch()
    session.add(
        records.note(note, caller, "withdraw_endorsement", left=note.status, details={"country": found.country})
    )
    await session.flush()
    return found


def _before_submission(note: ConceptNote) -> None:
    if note.status not in EDITABLE:
        raise Problem("conflict", f"Endorsements are given and withdrawn before submission; it is {note.status}.")


async def lapse(session: AsyncSession, note: ConceptNote, before: dict[str, Any]) -> list[str]:
    """End all endorsements if what was endorsed has changed; the countries whose endorsement lapsed."""
    if all(note.content.get(name) == before.get(name) for name in ENDORSED):
        return []
    lapsed = await standing(session, [note.id])
    for endorsement in lapsed:
        endorsement.ended_at, endorsement.ended_by = clock.now(), "change"
    return [endorsement.country for endorsement in lapsed]


def shown(endorsement: Endorsement) -> schemas.Endorsement:
    """An endorsement as it is answered."""
    return schemas.Endorsement.model_validate(
        {
            "id": endorsement.id,
            "country": endorsement.country,
            "actor": endorsement.actor,
            "made_at": endorsement.made_at,
            "ended_at": endorsement.ended_at,
            "ended_by": endorsement.ended_by,
        }
    )
