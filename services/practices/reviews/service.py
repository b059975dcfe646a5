"""Who reviews what: the roster, the seats of a round, declarations and reviews."""

import hashlib
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, joinedload

from services.practices import notices, rounds, service
from services.practices.lifecycle import OPEN
from services.practices.models import Assignment, Practice, Review, Reviewer
from services.practices.reviews import schemas
from services.practices.roster.schemas import SeatedReviewer
from shared import clock, lists, records
from shared.auth import Caller
from shared.problems import Fault, Problem

# Days until a declaration and a review are late, and between two reminders.
DECLARE_WITHIN, REVIEW_WITHIN, REMIND_EVERY = 7, notices.REVIEW_DAYS, 7


# ---------------------------------------------------------------- the seats of a round


def assignment(made: Assignment, practice: Practice) -> schemas.PracticeAssignment:
    return schemas.PracticeAssignment(
        id=made.id,
        practice_id=made.practice_id,
        round=made.round,
        reviewer=SeatedReviewer.of(made.reviewer),
        status=_status(made),
        conflict=made.conflict,
        conflict_comment=made.conflict_comment,
        created_at=made.created_at,
        declared_at=made.declared_at,
        reported_at=made.review.created_at if made.review else None,
        due_on=due(made, practice),
        reminded_at=made.reminded_at,
        replaced_at=made.replaced_at,
    )


def _status(made: Assignment) -> Any:
    if made.replaced_at is not None:
        return "replaced"
    if made.conflict:
        return "conflicted"
    if made.review is not None:
        return "reported"
    return "assigned" if made.conflict is None else "declared"


def waits(made: Assignment, practice: Practice) -> tuple[str, datetime] | None:
    """What the practice waits for from this reviewer, and since when."""
    if practice.status not in OPEN or made.round != practice.round or _status(made) not in ("assigned", "declared"):
        return None
    if made.declared_at is None:
        return "declaration", made.created_at
    if practice.status == "submitted" or practice.review_started_at is None:
        return "start", made.declared_at
    return "review", max(made.declared_at, practice.review_started_at)


def due(made: Assignment, practice: Practice) -> date | None:
    match waits(made, practice):
        case ("declaration", since):
            return (since + timedelta(days=DECLARE_WITHIN)).date()
        case ("review", since):
            return (since + timedelta(days=REVIEW_WITHIN)).date()
    return None


async def assignments(session: AsyncSession, practice: Practice) -> schemas.PracticeAssignments:
    statement = (
        select(Assignment)
        .where(Assignment.practice_id == practice.id)
        .order_by(Assignment.round.desc(), Assignment.id)
        .options(*rounds.SEATED)
    )
    return schemas.PracticeAssignments(items=[assignment(made, practice) for made in await session.scalars(statement)])


async def assign(session: AsyncSession, practice: Practice, reviewer_id: UUID, caller: Caller) -> Assignment:
    """Seat a reviewer in the round in progress."""
    if practice.status not in OPEN:
        raise Problem("conflict", f"Reviewers are assigned to what is submitted or in review, not {practice.status}.")
    entry = await session.get(Reviewer, reviewer_id)
    reason = _unfit(entry, practice)
    if entry is None or reason:
        raise Problem("invalid", reason or "", [Fault(pointer="/reviewer_id", detail=reason or "")])
    seats = await rounds.seated(session, practice)
    if any(each.reviewer_id == entry.id for each in seats):
        raise Problem("conflict", "This reviewer has a place in the round already.")
    made = Assignment(
        practice_id=practice.id, reviewer_id=entry.id, round=practice.round, created_by=caller.sub, review=None
    )
    made.reviewer = entry
    session.add(made)
    await session.flush()
    await notices.reviewers(session, practice, [made], "assigned")
    return made


def _unfit(entry: Reviewer | None, practice: Practice) -> str | None:
    if entry is None:
        return "There is no such reviewer."
    if not entry.active:
        return "This reviewer is not active."
    if not rounds.reads(entry, practice):
        return f"This reviewer does not read {practice.language}."
    if rounds.is_own(entry, practice):
        return "Nobody reviews a practice of their own entity."
    return None


async def find_assignment(session: AsyncSession, practice: Practice, assignment_id: UUID) -> Assignment | None:
    statement = (
        select(Assignment)
        .where(Assignment.id == assignment_id, Assignment.practice_id == practice.id)
        .options(*rounds.SEATED)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).first()


async def staff_assignment(session: AsyncSession, practice: Practice, assignment_id: UUID) -> Assignment:
    """A seat of the round in progress, for the secretariat to act on."""
    found = await find_assignment(session, practice, assignment_id)
    if found is None:
        raise Problem("not-found", "There is no such assignment.")
    if found.round != practice.round or practice.status not in OPEN:
        raise Problem("conflict", "The round of this assignment is over.")
    return found


async def replace(
    session: AsyncSession, practice: Practice, assignment_id: UUID, reviewer_id: UUID, caller: Caller
) -> Assignment:
    """Give a silent or conflicted reviewer's seat to another."""
    old = await staff_assignment(session, practice, assignment_id)
    if old.replaced_at is not None or (old.review is not None and not old.conflict):
        raise Problem("conflict", "This reviewer has reported, or was replaced already.")
    new = await assign(session, practice, reviewer_id, caller)
    if not old.conflict:
        await notices.reviewers(session, practice, [old], "released")
    old.replaced_at = clock.now()
    await session.flush()
    return new


async def remind(session: AsyncSession, practice: Practice, made: Assignment) -> None:
    """Ask a reviewer who is waited for."""
    waiting = waits(made, practice)
    if waiting is None or waiting[0] == "start":
        raise Problem("conflict", "Nothing is awaited from this reviewer.")
    made.reminded_at = clock.now()
    await notices.remind(session, practice, made, waiting[0], due(made, practice))
    await session.flush()


async def remind_late(session: AsyncSession) -> int:
    """Remind everybody who is late and was not reminded these days; how many."""
    now = clock.now()
    statement = (
        select(Assignment, Practice)
        .join(Practice, Practice.id == Assignment.practice_id)
        .where(
            rounds.WAITS,
            or_(Assignment.reminded_at.is_(None), Assignment.reminded_at < now - timedelta(days=REMIND_EVERY)),
            Assignment.created_at < now - timedelta(days=DECLARE_WITHIN),
        )
        .options(joinedload(Assignment.reviewer), joinedload(Assignment.review))
        # A second worker, or the secretariat at the same moment, reminds nobody twice.
        .with_for_update(of=Assignment, skip_locked=True)
    )
    count = 0
    for made, practice in (await session.execute(statement)).all():
        day = due(made, practice)
        if day is not None and day < clock.today():
            await remind(session, practice, made)
            count += 1
    return count


# ---------------------------------------------------------------- what a reviewer does


async def own_place(session: AsyncSession, practice_id: UUID, caller: Caller) -> tuple[Practice, Assignment]:
    """The practice, locked, and the caller's seat in it; 403 for who sees the practice otherwise, else 404 or 410."""
    practice = await records.find(session, Practice, practice_id, lock=True)
    place = await rounds.place_of(session, practice, caller)
    if place is None:
        if service.sees_working(caller, practice) or practice.public:
            raise Problem("forbidden", "This is for a reviewer of the practice.")
        raise records.hidden(Practice.noun, practice.version)
    if caller.entity is not None and caller.entity == practice.owner:
        raise Problem("forbidden", "Nobody reviews a practice of their own entity.")
    return practice, place


async def declare(
    session: AsyncSession,
    practice_id: UUID,
    assignment_id: UUID,
    declaration: schemas.ConflictDeclaration,
    caller: Caller,
) -> tuple[Practice, Assignment]:
    """Say whether there is a conflict of interest; one that comes up later may still be declared."""
    practice, place = await own_place(session, practice_id, caller)
    if place.id != assignment_id:
        raise Problem("not-found", "There is no such assignment of yours.")
    if practice.status not in OPEN:
        raise Problem("conflict", f"The round is over: the practice is {practice.status}.")
    if place.conflict and not declaration.conflict:
        raise Problem("conflict", "A conflict was declared; the secretariat seats somebody else.")
    place.conflict = declaration.conflict
    place.conflict_comment = declaration.comment
    place.declared_at = place.declared_at or clock.now()
    await session.flush()
    if declaration.conflict:
        await notices.secretariat(session, practice, "conflicted")
    return practice, place


async def review(
    session: AsyncSession, practice_id: UUID, new: schemas.NewPracticeReview, caller: Caller
) -> schemas.PracticeReview:
    practice, place = await own_place(session, practice_id, caller)
    if practice.status != "in_review":
        raise Problem("conflict", f"Reviews are given while a practice is in_review; this one is {practice.status}.")
    if place.conflict:
        raise Problem("forbidden", "You declared a conflict of interest.")
    if not rounds.may_sit(place.reviewer, practice):
        raise Problem("forbidden", "Nobody reviews a practice of their own entity, or in a language they don't read.")
    if place.conflict is None:
        raise Problem("conflict", "First declare whether you have a conflict of interest.")
    if place.review is not None:
        raise Problem("conflict", "You have reviewed this round already.")
    made = Review(
        assignment_id=place.id,
        recommendation=new.recommendation,
        content=new.model_dump(mode="json", exclude={"recommendation"}),
    )
    session.add(made)
    await session.flush()
    place.review = made
    await rounds.load(session, [practice])
    if practice.panel.state != "waiting":
        await notices.secretariat(session, practice, "reported", state=practice.panel.state)
    return told(place, made, everything=True)


def told(place: Assignment, made: Review, *, everything: bool) -> schemas.PracticeReview:
    """A review as the secretariat and its author see it, or what of it the owner reads."""
    known: dict[str, Any] = {"round": place.round, "comment": None, **made.content}
    if everything:
        known |= {
            "id": made.id,
            "assignment_id": place.id,
            "reviewer": SeatedReviewer.of(place.reviewer),
            "recommendation": made.recommendation,
            "counts": place.conflict is False and place.replaced_at is None,
            "created_at": made.created_at,
        }
    return schemas.PracticeReview.model_validate(known)


async def reviews(session: AsyncSession, practice_id: UUID, caller: Caller) -> bytes:
    """All reviews for the secretariat and, without whose they are, for the owner; a reviewer's own for a reviewer."""
    practice = await records.find(session, Practice, practice_id)
    staff = service.is_staff(caller)
    statement = (
        select(Assignment)
        .join(Assignment.review)
        .join(Assignment.reviewer)
        .where(Assignment.practice_id == practice.id)
        .options(contains_eager(Assignment.review), contains_eager(Assignment.reviewer))
    )
    if not service.sees_working(caller, practice):
        if await rounds.place_of(session, practice, caller) is None:
            # 403 or 404, as for everything of the working record.
            await service.find(session, practice_id, caller)
        statement = statement.where(Reviewer.subject == caller.sub)
    everything = staff or not service.sees_working(caller, practice)
    found = (await session.scalars(statement)).all()
    # The order of a digest tells neither who wrote nor who was first.
    ordered = sorted(found, key=lambda place: (-place.round, hashlib.sha256(place.id.bytes).digest()))
    items = [told(place, place.review, everything=everything) for place in ordered if place.review]
    page = schemas.PracticeReviews(items=items)
    hidden = set() if everything else {"id", "assignment_id", "reviewer", "recommendation", "counts", "created_at"}
    return page.model_dump_json(exclude={"items": {"__all__": hidden}}).encode()


async def mine(session: AsyncSession, parameters: lists.Paging, caller: Caller) -> tuple[bytes, str | None]:
    """What waits for the caller, the oldest first."""
    position = lists.decode(parameters, (UUID,))
    statement: Select[Assignment, Practice] = (
        select(Assignment, Practice)
        .join(Practice, Practice.id == Assignment.practice_id)
        .join(Assignment.reviewer)
        .where(rounds.WAITS, Reviewer.subject == caller.sub)
        .options(contains_eager(Assignment.reviewer), joinedload(Assignment.review))
    )
    page = statement.where(Assignment.id > position[0]) if position else statement
    rows = (await session.execute(page.order_by(Assignment.id).limit(parameters.limit + 1))).all()
    items = [_awaiting(made, practice) for made, practice in rows[: parameters.limit]]
    following = lists.encode(parameters, items[-1].assignment_id) if len(rows) > parameters.limit else None
    total = await session.scalar(select(func.count()).select_from(statement.subquery())) if parameters.total else None
    found = lists.Found(rows, following, total)
    return lists.body([item.model_dump_json().encode() for item in items], found), following


def _awaiting(made: Assignment, practice: Practice) -> schemas.AwaitedReview:
    waiting = waits(made, practice) or ("start", made.created_at)
    day = due(made, practice)
    return schemas.AwaitedReview.model_validate(
        {
            "assignment_id": made.id,
            "practice_id": practice.id,
            "reference": practice.reference,
            "title": practice.title,
            "language": practice.language,
            "round": made.round,
            "waits_for": waiting[0],
            "since": waiting[1],
            "due_on": day,
            "late": day is not None and day < clock.today(),
        }
    )
