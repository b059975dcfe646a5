"""Which meeting considers which note: one rule, applied anew to every waiting note under one lock."""

from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.mptf import notices
from services.mptf.lifecycle import WAITING
from services.mptf.meetings.deadlines import deadline, in_time_from
from services.mptf.models import ConceptNote, Meeting
from shared import records
from shared.auth import Caller

# Whoever submits, decides or touches a meeting holds it to the end of the transaction, and takes it first of all.
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('mptf: which meeting considers which note', 0))")

M = TypeVar("M")

__all__ = ["deadline", "earliest", "in_time_from", "lock", "place", "reslot", "slot"]


async def lock(session: AsyncSession) -> None:
    """Wait until nobody else changes what notes are considered when."""
    await session.execute(LOCK)


def earliest(meetings: Iterable[tuple[date, UUID, M]], counted_from: date, deferred_after: date | None) -> M | None:
    """The earliest of the planned meetings that may consider a note; None where it has to wait for one.

    A meeting at which the note was deferred, or an earlier one, is never considered again.
    """
    first = in_time_from(counted_from)
    reach = (m for m in meetings if m[0] >= first and (deferred_after is None or m[0] > deferred_after))
    found = min(reach, key=lambda m: m[:2], default=None)
    return found[2] if found else None


def slot(note_or_meeting: ConceptNote | Meeting) -> dict[str, str] | None:
    """A slot as it is written into histories."""
    if isinstance(note_or_meeting, Meeting):
        return {"id": str(note_or_meeting.id), "date": note_or_meeting.date.isoformat()}
    if note_or_meeting.meeting_id is None or note_or_meeting.meeting_on is None:
        return None
    return {"id": str(note_or_meeting.meeting_id), "date": note_or_meeting.meeting_on.isoformat()}


async def reslot(session: AsyncSession, caller: Caller, cause: str) -> list[ConceptNote]:
    """Bring every waiting note to the meeting that the rule gives it; those that changed.

    The caller of this holds the lock. Each change is in the note's history with its cause.
    """
    await session.flush()
    planned = await session.scalars(select(Meeting).where(Meeting.status == "planned"))
    meetings = [(meeting.date, meeting.id, meeting) for meeting in planned]
    notes = await session.scalars(
        select(ConceptNote)
        .where(ConceptNote.status.in_(WAITING))
        .order_by(ConceptNote.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    changed = []
    for note in notes:
        if note.counted_from is None:  # the database has a CHECK for it
            continue
        meeting = earliest(meetings, note.counted_from, note.deferred_after)
        if (meeting.id if meeting else None) != note.meeting_id:
            had_one = note.meeting_id is not None
            place(session, note, meeting, caller, cause)
            await notices.slot_changed(session, note, had_one=had_one, cause=cause)
            changed.append(note)
    await session.flush()
    return changed


def place(session: AsyncSession, note: ConceptNote, meeting: Meeting | None, caller: Caller, cause: str) -> None:
    """Give a note another slot, or none."""
    details: dict[str, Any] = {"cause": cause, "from": slot(note), "to": slot(meeting) if meeting else None}
    note.meeting_id = meeting.id if meeting else None
    note.meeting_on = meeting.date if meeting else None
    note.touch()
    session.add(records.note(note, caller, "slot", left=note.status, details=details))
