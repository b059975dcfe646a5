"""Who is told of what: mail deferred in the transaction that gives cause for it.

A concept note has no language of its own: notices are in English.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.mptf.lifecycle import EDITABLE
from services.mptf.meetings import deadlines
from services.mptf.models import ConceptNote, Meeting
from shared import clock, jobs, mail

# Stands for the Unit's address, which the worker knows (FUND_MANAGEMENT_UNIT_MAIL).
UNIT = "fund_management_unit"
NOTICE = timedelta(days=14)

TEXTS: mail.Templates = {
    "arrived": {
        "en": mail.Text(
            "{reference}: a concept note was submitted",
            "“{title}” was submitted and waits for screening. Meeting: {meeting}.\n\n{link}\n",
        )
    },
    "returned": {
        "en": mail.Text(
            "{reference}: changes are asked for",
            "“{title}” comes back to you with this request:\n\n{comment}\n\n"
            "The six weeks before a meeting count from the day on which you submit it again.\n\n{link}\n",
        )
    },
    "slotted": {
        "en": mail.Text(
            "{reference}: considered at the meeting of {meeting}",
            "The Steering Committee considers “{title}” at its meeting of {meeting}.\n\n{link}\n",
        )
    },
    "waits": {
        "en": mail.Text(
            "{reference}: waits for a meeting",
            "“{title}” is on no meeting's agenda now ({cause}). It takes its place as soon as a meeting at least six "
            "weeks after its submission is planned.\n\n{link}\n",
        )
    },
    "moved": {
        "en": mail.Text(
            "{reference}: now considered on {meeting}",
            "The Steering Committee considers “{title}” on {meeting}, and no longer as planned before: {cause}."
            "\n\n{link}\n",
        )
    },
    "decided": {
        "en": mail.Text(
            "{reference}: now {status}",
            "“{title}” is now {status}.\n\n{comment}\n\n{link}\n",
        )
    },
    "deadline": {
        "en": mail.Text(
            "{deadline} is the last day for the meeting of {meeting}",
            "What is submitted by {deadline} (UTC) is considered by the Steering Committee on {meeting}; what comes "
            "later is considered at a later meeting.\n\n{link}\n",
        )
    },
}

# What the people whose note it is hear of, and how.
TOLD = {
    "return": "returned",
    **dict.fromkeys(
        (
            "find_eligible",
            "find_ineligible",
            "select",
            "not_select",
            "defer",
            "reconsider",
            "return_document",
            "approve",
            "fund",
            "cancel",
            "reopen",
        ),
        "decided",
    ),
}


async def deliver(job: jobs.Job, *, key: str, to: str, template: str, language: str, values: dict[str, str]) -> None:
    """`mail.send`'s task: with links of this platform, and the Unit's address where it is meant."""
    address = job.settings.fund_management_unit_mail if to == UNIT else to
    if address is None:
        return
    said = {**values, "link": job.settings.public_url.rstrip("/") + values["path"]}
    await mail.sender(TEXTS)(job, key=key, to=address, template=template, language=language, values=said)


async def _send(session: AsyncSession, note: ConceptNote, to: str | None, template: str, **values: str) -> None:
    if to:
        told = {
            "path": f"/v1/mptf/concept-notes/{note.id}",
            "reference": note.reference,
            "title": note.title,
            "meeting": note.meeting_on.isoformat() if note.meeting_on else "none yet",
        }
        await mail.send(session, to, template, **told, **values)


def _contact(note: ConceptNote) -> str | None:
    address: str | None = note.content.get("contact", {}).get("email")
    return address


async def acted(session: AsyncSession, note: ConceptNote, action: str, comment: str | None) -> None:
    """Tell the Unit of a note that arrived, and the note's own of what was decided on it."""
    if action == "submit":
        await _send(session, note, UNIT, "arrived")
    elif template := TOLD.get(action):
        status = note.status.replace("_", " ") if action != "defer" else "deferred to a later meeting"
        await _send(session, note, _contact(note), template, comment=comment or "", status=status)


async def slot_changed(session: AsyncSession, note: ConceptNote, *, had_one: bool, cause: str) -> None:
    """Tell the note's own which meeting considers it now."""
    template = "waits" if note.meeting_on is None else "moved" if had_one else "slotted"
    await _send(session, note, _contact(note), template, cause=cause)


async def remind(job: jobs.Job) -> None:
    """Every morning: two weeks before a meeting's deadline tell the Unit, and whoever has a note not yet submitted.

    A meeting that was moved is told of anew; a morning that was missed is made up for until the deadline.
    """
    async with job.database.sessions() as session:
        today = clock.today()
        planned = await session.scalars(select(Meeting).where(Meeting.status == "planned").with_for_update())
        for meeting in planned.all():
            last = deadlines.deadline(meeting.date)
            if meeting.reminded_for == meeting.date or not today <= last <= today + NOTICE:
                continue
            drafts = await session.scalars(select(ConceptNote).where(ConceptNote.status.in_(EDITABLE)))
            for address in sorted({UNIT, *filter(None, map(_contact, drafts))}):
                path = f"/v1/mptf/meetings/{meeting.id}"
                told = {"meeting": meeting.date.isoformat(), "deadline": last.isoformat(), "path": path}
                await mail.send(session, address, "deadline", **told)
            meeting.reminded_for = meeting.date
        await session.commit()
