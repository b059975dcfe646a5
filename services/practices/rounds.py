"""The rounds of review: whose seats there are, and what follows for the practice."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from services.practices.lifecycle import OPEN
from services.practices.models import Assignment, Practice, Review, Reviewer
from services.practices.rule import Kind, Outcome, Panel, Seat
from shared import clock
from shared.auth import Caller

# Assignments that somebody waits for; the query joins the practice.
WAITS = and_(
    Assignment.replaced_at.is_(None),
    Assignment.conflict.is_not(True),
    Assignment.round == Practice.round,
    Practice.status.in_(OPEN),
    ~select(Review.id).where(Review.assignment_id == Assignment.id).exists(),
)

SEATED = (joinedload(Assignment.reviewer), joinedload(Assignment.review))


def seat(assignment: Assignment, practice: Practice) -> Seat:
    """The assignment as the rule sees it; whoever's entity has come to own the practice has a conflict."""
    return Seat(
        kind=cast("Kind", assignment.reviewer.kind),
        conflict=assignment.conflict or (True if is_own(assignment.reviewer, practice) else assignment.conflict),
        recommendation=cast("Outcome", assignment.review.recommendation) if assignment.review else None,
        open=assignment.replaced_at is None,
    )


async def load(session: AsyncSession, practices: Sequence[Practice]) -> None:
    """Give each practice the panel of its round, which its lifecycle asks."""
    seats: dict[UUID, list[Seat]] = defaultdict(list)
    in_review = {practice.id: practice for practice in practices if practice.round}
    if in_review:
        statement = select(Assignment).where(Assignment.practice_id.in_(in_review)).options(*SEATED)
        for assignment in await session.scalars(statement.execution_options(populate_existing=True)):
            practice = in_review[assignment.practice_id]
            if assignment.round == practice.round:
                seats[practice.id].append(seat(assignment, practice))
    for practice in practices:
        practice.panel = Panel(tuple(seats[practice.id]))


async def seated(session: AsyncSession, practice: Practice, round_: int | None = None) -> Sequence[Assignment]:
    """The assignments of a round, the one in progress unless another is named, in the order they were made."""
    statement = (
        select(Assignment)
        .where(Assignment.practice_id == practice.id, Assignment.round == (round_ or practice.round))
        .order_by(Assignment.id)
        .options(*SEATED)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def open_next(session: AsyncSession, practice: Practice, caller: Caller) -> list[Assignment]:
    """Open a round at a submission; one that follows an undecided round keeps its reviewers and what they declared."""
    before = await seated(session, practice) if practice.round > practice.decided_round else []
    practice.round += 1
    kept: list[Assignment] = []
    for old in before:
        if old.replaced_at is None and not old.conflict and old.reviewer.active and may_sit(old.reviewer, practice):
            new = Assignment(
                practice_id=practice.id,
                reviewer_id=old.reviewer_id,
                round=practice.round,
                created_by=caller.sub,
                conflict=old.conflict,
                declared_at=clock.now() if old.conflict is not None else None,
                review=None,
            )
            new.reviewer = old.reviewer
            session.add(new)
            kept.append(new)
    return kept


def reads(reviewer: Reviewer, practice: Practice) -> bool:
    return practice.language is None or practice.language in {tag.partition("-")[0] for tag in reviewer.languages}


def may_sit(reviewer: Reviewer, practice: Practice) -> bool:
    return reads(reviewer, practice) and not is_own(reviewer, practice)


def is_own(reviewer: Reviewer, practice: Practice) -> bool:
    """Whether the roster ties the reviewer to the practice: by entity, or as the person who drafted it."""
    return (reviewer.entity is not None and reviewer.entity == practice.owner) or (
        reviewer.subject == practice.created_by
    )


async def place_of(session: AsyncSession, practice: Practice, caller: Caller) -> Assignment | None:
    """The caller's own seat in the round in progress, where they may read the practice for it."""
    if not caller.has("reviewer") or practice.round == 0:
        return None
    statement = (
        select(Assignment)
        .join(Assignment.reviewer)
        .where(
            Assignment.practice_id == practice.id,
            Assignment.round == practice.round,
            Assignment.replaced_at.is_(None),
            Reviewer.subject == caller.sub,
        )
        .options(*SEATED)
    )
    return (await session.scalars(statement.execution_options(populate_existing=True))).first()


def reviewed_languages(assignments: Sequence[Assignment], content: dict[str, Any]) -> list[str]:
    """Translations that somebody whose report counts reads."""
    reading = {tag.partition("-")[0] for each in assignments if _counts(each) for tag in each.reviewer.languages}
    return sorted(set(content.get("translations", {})) & reading)


def _counts(assignment: Assignment) -> bool:
    return assignment.review is not None and assignment.conflict is False and assignment.replaced_at is None


async def may_read(session: AsyncSession, practice: Practice, caller: Caller) -> bool:
    """Whether the caller reads the working record as one of its reviewers: until a conflict is declared."""
    if practice.status not in OPEN:
        return False
    place = await place_of(session, practice, caller)
    return place is not None and not place.conflict and caller.entity != practice.owner


def pending(seats: Sequence[Assignment]) -> list[Assignment]:
    """Those who may still have something to do."""
    return [each for each in seats if each.replaced_at is None and not each.conflict and each.review is None]
