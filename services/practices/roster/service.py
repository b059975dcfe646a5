"""The roster of reviewers, and whom of it to ask."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.practices import rounds
from services.practices.models import Assignment, Practice, Reviewer
from services.practices.roster import schemas
from shared import clock, lists
from shared.problems import Problem
from shared.reference import regions_of


def _load() -> Any:
    return (
        select(func.count())
        .select_from(Assignment)
        .join(Practice, Practice.id == Assignment.practice_id)
        .where(Assignment.reviewer_id == Reviewer.id, rounds.WAITS)
        .correlate(Reviewer)
        .scalar_subquery()
    )


def reviewer(entry: Reviewer, load: int) -> bytes:
    fields = {name: getattr(entry, name) for name in schemas.Reviewer.model_fields if name != "load"}
    return schemas.Reviewer(**fields, load=load).model_dump_json().encode()


async def roster(session: AsyncSession, parameters: schemas.ReviewerList) -> tuple[bytes, str | None]:
    """A page of the roster by name."""
    where: list[ColumnElement[bool]] = []
    if parameters.kind:
        where.append(Reviewer.kind.in_(parameters.kind))
    if parameters.language:
        where.append(Reviewer.languages.overlap(parameters.language))
    if parameters.objective:
        where.append(Reviewer.objectives.overlap(parameters.objective))
    if parameters.country:
        where.append(Reviewer.country.in_(parameters.country))
    if parameters.active is not None:
        where.append(Reviewer.active == parameters.active)
    sorts = {"name": lists.Sort(Reviewer.name, str)}
    statement = select(Reviewer, _load())
    found = await lists.page(session, statement, Reviewer, where, parameters, sorts=sorts, sort="name")
    return lists.body([reviewer(row[0], row[1]) for row in found.rows], found), found.next


async def on_roster(session: AsyncSession, reviewer_id: UUID, *, lock: bool = False) -> Reviewer:
    found = await session.get(Reviewer, reviewer_id, with_for_update=lock or None)
    if found is None:
        raise Problem("not-found", "There is no such reviewer.")
    return found


async def shown(session: AsyncSession, entry: Reviewer) -> bytes:
    load = await session.scalar(select(_load()).where(Reviewer.id == entry.id))
    return reviewer(entry, load or 0)


async def enrol(session: AsyncSession, entry: schemas.ReviewerEntry) -> Reviewer:
    made = Reviewer(**entry.model_dump())
    session.add(made)
    await session.flush()
    return made


async def change_reviewer(session: AsyncSession, entry: Reviewer, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(entry, name, value)
    if changes:
        entry.revision += 1
        entry.updated_at = clock.now()
    await session.flush()


async def candidates(session: AsyncSession, practice: Practice, limit: int) -> schemas.ReviewerCandidates:
    """Whom to ask, the best first: who knows the objectives, brings a new region, has little to do."""
    seats = await rounds.seated(session, practice) if practice.round else []
    declared = and_(Assignment.practice_id == practice.id, Assignment.conflict.is_(True))
    statement = select(Reviewer, _load()).where(
        Reviewer.active,
        Reviewer.id.not_in([each.reviewer_id for each in seats]),
        Reviewer.id.not_in(select(Assignment.reviewer_id).where(declared)),
    )
    named = {each["name"].casefold() for each in practice.content.get("organisations", [])}
    present = {region for each in seats for region in _regions(each.reviewer)}
    found = []
    for entry, load in await session.execute(statement):
        fit = rounds.may_sit(entry, practice) and (entry.organisation or "").casefold() not in named
        if fit:
            found.append(_candidate(entry, load, practice, present))
    found.sort(key=lambda each: (-each[0], each[1].load, each[1].reviewer.name))
    return schemas.ReviewerCandidates(items=[each for _, each in found[:limit]])


def _regions(entry: Reviewer) -> tuple[str, ...]:
    return regions_of(entry.country)[:1] if entry.country else ()


def _candidate(
    entry: Reviewer, load: int, practice: Practice, present: set[str]
) -> tuple[float, schemas.ReviewerCandidate]:
    known = sorted(set(entry.objectives) & set(practice.objectives))
    regions = _regions(entry)
    brings = bool(regions) and not present & set(regions)
    said = {
        "language": f"Reads {practice.language or 'the language'}.",
        "objectives": f"Knows objective(s) {', '.join(map(str, known))}." if known else "Knows none of the objectives.",
        "load": f"{load} review(s) wait for them." if load else "No review waits for them.",
        "region": f"Brings region {regions[0]} to the panel." if brings else "Brings no new region to the panel.",
        "conflict": "Neither of the practice's entity nor its author; has declared no conflict on it.",
    }
    # One objective known weighs as much as a new region, or as two reviews less to do.
    score = len(known) + brings - load / 2
    made = schemas.ReviewerCandidate.model_validate(
        {
            "reviewer": schemas.SeatedReviewer.of(entry),
            "languages": entry.languages,
            "objectives": known,
            "country": entry.country,
            "load": load,
            "reasons": [{"criterion": name, "detail": detail} for name, detail in said.items()],
        }
    )
    return score, made
