"""Meetings of the Steering Committee: planned, moved, held, cancelled; each change gives notes their slots anew."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.mptf import beside, notices
from services.mptf.lifecycle import MEETING
from services.mptf.meetings import schemas, slots
from services.mptf.models import ConceptNote, Decision, Meeting, Minutes
from services.mptf.programmes.projection import money
from services.mptf.visibility import is_staff, sees_working, visible
from shared import clock, lists
from shared.auth import Caller
from shared.lists import Sort
from shared.problems import Fault, Problem

SORTS = {"date": Sort(Meeting.date, date)}


async def find(session: AsyncSession, meeting_id: UUID, *, lock: bool = False) -> Meeting:
    meeting = await session.get(Meeting, meeting_id, with_for_update=lock or None)
    if meeting is None:
        raise Problem("not-found", "There is no such meeting.")
    return meeting


def require_keeper(caller: Caller) -> None:
    """403 for all but the Fund Management Unit."""
    if not caller.has("fund_management_unit"):
        raise Problem("forbidden", "The Fund Management Unit keeps the meetings.")


async def plan(session: AsyncSession, new: schemas.NewMeeting, caller: Caller) -> Meeting:
    """Plan a meeting; waiting notes that it may consider earlier than theirs are pulled forward."""
    require_keeper(caller)
    await slots.lock(session)
    meeting = Meeting(id=uuid7(), date=new.date, title=new.title, location=new.location, created_by=caller.sub)
    meeting.status = "planned"
    session.add(meeting)
    await slots.reslot(session, caller, f"a meeting was planned for {new.date}")
    return meeting


async def change(session: AsyncSession, meeting: Meeting, new: schemas.MeetingChanges, caller: Caller) -> None:
    """Change a planned meeting; the caller of this holds the slots' lock. A new date re-slots its notes."""
    if meeting.status != "planned":
        raise Problem("conflict", f"A meeting is changed while it is planned; this one is {meeting.status}.")
    changes = new.model_dump(exclude_unset=True)
    empty = [name for name in ("date", "title") if name in changes and changes[name] is None]
    if empty:
        raise Problem("invalid", "A meeting has a date and a title.", [Fault(pointer=f"/{empty[0]}", detail="Needed")])
    left = meeting.date
    if changes.get("date", left) != left:
        await _require_undecided(session, meeting)
    for name, value in changes.items():
        setattr(meeting, name, value)
    meeting.touch()
    await session.flush()
    if meeting.date != left:
        cause = f"the meeting of {left} was moved to {meeting.date}"
        changed = {note.id for note in await slots.reslot(session, caller, cause)}
        staying = await session.scalars(
            select(ConceptNote).where(ConceptNote.meeting_id == meeting.id, ConceptNote.id.not_in(changed))
        )
        for note in staying.all():
            await notices.slot_changed(session, note, had_one=True, cause=cause)


async def act(
    session: AsyncSession, meeting: Meeting, action: str, body: schemas.MeetingAction, caller: Caller
) -> None:
    """Hold or cancel a meeting; the caller of this holds the slots' lock."""
    MEETING.find(meeting, action, caller, body.comment)
    if action == "hold":
        await _require_decided(session, meeting)
    else:
        await _require_undecided(session, meeting)
    MEETING.apply(meeting, action, caller, body.comment)
    meeting.touch()
    done = "was held" if action == "hold" else "was cancelled"
    reason = f": {body.comment}" if body.comment else ""
    await slots.reslot(session, caller, f"the meeting of {meeting.date} {done}{reason}")


async def _require_undecided(session: AsyncSession, meeting: Meeting) -> None:
    taken = await session.scalar(select(func.count()).where(Decision.meeting_id == meeting.id))
    if taken:
        raise Problem("conflict", "Decisions were taken at this meeting: it can be neither moved nor cancelled.")


async def _require_decided(session: AsyncSession, meeting: Meeting) -> None:
    waiting = await session.scalars(
        select(ConceptNote.reference)
        .where(ConceptNote.meeting_id == meeting.id, ConceptNote.status == "eligible")
        .order_by(ConceptNote.id)
    )
    if undecided := waiting.all():
        raise Problem("conflict", f"Not decided yet: {', '.join(undecided[:20])}.")


# ---------------------------------------------------------------- reading


async def shown(session: AsyncSession, meeting: Meeting, caller: Caller | None) -> schemas.Meeting:
    """A meeting as the caller may see it."""
    (one,) = await shown_all(session, [meeting], caller)
    return one


async def shown_all(session: AsyncSession, meetings: Sequence[Meeting], caller: Caller | None) -> list[schemas.Meeting]:
    """Meetings as the caller may see them: agenda and decisions tell only of notes that are theirs to see."""
    ids = [meeting.id for meeting in meetings]
    agenda = await session.scalars(
        select(ConceptNote).where(ConceptNote.meeting_id.in_(ids), visible(caller)).order_by(ConceptNote.id)
    )
    items = [(note.meeting_id, _item(note)) for note in agenda]
    taken = await session.execute(
        select(Decision, ConceptNote)
        .join(ConceptNote, ConceptNote.id == Decision.record_id)
        .where(Decision.meeting_id.in_(ids), visible(caller))
        .order_by(Decision.id)
    )
    decided = [
        (each.meeting_id, {**beside.decision(each).model_dump(), "concept_note": note.id})
        for each, note in taken
        # That a programme was deferred before it was selected, and why, stays with those whose note it was.
        if each.decision == "select" or sees_working(caller, note)
    ]
    noted = await session.scalars(
        select(Minutes).where(Minutes.meeting_id.in_(ids)).order_by(Minutes.meeting_id, Minutes.number)
    )
    quorums = {each.meeting_id: quorum(each) for each in noted}
    return [
        schemas.Meeting.model_validate(
            {
                "id": meeting.id,
                "date": meeting.date,
                "title": meeting.title,
                "location": meeting.location,
                "status": meeting.status,
                "actions": MEETING.actions(meeting, caller) if caller else [],
                "submission_deadline": slots.deadline(meeting.date),
                "agenda": [item for of, item in items if of == meeting.id],
                "decisions": [each for of, each in decided if of == meeting.id],
                "quorum": quorums.get(meeting.id),
                "created_at": meeting.created_at,
                "updated_at": meeting.updated_at,
            }
        )
        for meeting in meetings
    ]


def _item(note: ConceptNote) -> dict[str, Any]:
    return {
        "id": note.id,
        "reference": note.reference,
        "title": note.title,
        "status": note.status,
        "countries": note.countries,
        "thematic_area": note.thematic_area,
        "budget_total": money(note.budget),
    }


def quorum(minutes: Minutes) -> dict[str, Any]:
    return {"present": minutes.present, "needed": minutes.needed, "met": minutes.present >= minutes.needed}


async def page(
    session: AsyncSession, parameters: schemas.MeetingList, caller: Caller | None
) -> tuple[bytes, str | None]:
    """A page of meetings by date."""
    where: list[ColumnElement[bool]] = []
    if parameters.status:
        where.append(Meeting.status.in_(parameters.status))
    if parameters.date_from:
        where.append(Meeting.date >= parameters.date_from)
    if parameters.date_to:
        where.append(Meeting.date <= parameters.date_to)
    found = await lists.page(session, select(Meeting), Meeting, where, parameters, sorts=SORTS, sort=parameters.sort)
    meetings = await shown_all(session, [row[0] for row in found.rows], caller)
    return lists.body([meeting.model_dump_json().encode() for meeting in meetings], found), found.next


# ---------------------------------------------------------------- minutes


async def record_minutes(
    session: AsyncSession, meeting: Meeting, new: schemas.NewMinutes, caller: Caller
) -> schemas.Minutes:
    """Record minutes on or after the day; earlier texts stay."""
    if meeting.status == "cancelled" or meeting.date > clock.today():
        raise Problem("conflict", "Minutes are recorded of a meeting that took place.")
    last = await session.scalar(select(func.max(Minutes.number)).where(Minutes.meeting_id == meeting.id))
    made = Minutes(
        meeting_id=meeting.id,
        number=(last or 0) + 1,
        text=new.text,
        present=new.quorum.present,
        needed=new.quorum.needed,
        recorded_by=caller.sub,
        recorded_at=clock.now(),
    )
    session.add(made)
    await session.flush()
    return _minutes(made)


def _minutes(found: Minutes) -> schemas.Minutes:
    return schemas.Minutes.model_validate(
        {
            "number": found.number,
            "text": found.text,
            "quorum": quorum(found),
            "recorded_at": found.recorded_at,
        }
    )


async def minutes_page(
    session: AsyncSession, meeting: Meeting, parameters: lists.Paging, caller: Caller
) -> tuple[list[bytes], lists.Found]:
    """A page of the texts of the minutes; they speak of notes that are confidential."""
    if not (is_staff(caller) or caller.has("steering_committee")):
        raise Problem("forbidden", "Minutes are for the committee, the Fund Management Unit and the secretariat.")
    position = lists.decode(parameters, (int,))
    statement = select(Minutes).where(Minutes.meeting_id == meeting.id)
    page = statement.where(Minutes.number > position[0]) if position else statement
    rows = (await session.scalars(page.order_by(Minutes.number).limit(parameters.limit + 1))).all()
    rows, more = rows[: parameters.limit], len(rows) > parameters.limit
    following = lists.encode(parameters, rows[-1].number) if more else None
    total = await session.scalar(select(func.count()).select_from(statement.subquery())) if parameters.total else None
    return [_minutes(each).model_dump_json().encode() for each in rows], lists.Found(rows, following, total)
