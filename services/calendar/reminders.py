"""What is told by mail: the decision on a suggestion, and to leads what they are to prepare."""

from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.calendar import policy, published
from services.calendar.lifecycle import OPEN
from services.calendar.models import Event, FocalPoint, Reminder, Statement
from shared import clock, mail
from shared.jobs import Job
from shared.mail import Text

# A worker that was down for so many days still sends what it missed.
LATE = 3

TEMPLATES: mail.Templates = {
    "suggestion_published": {
        "en": Text(
            "Your suggestion {reference} is in the calendar",
            "The secretariat of the UN Network on Migration has published the event that you suggested:\n\n"
            "{title} ({reference})\n\nComment: {comment}\n",
        )
    },
    "suggestion_declined": {
        "en": Text(
            "Your suggestion {reference} was not taken up",
            "The secretariat of the UN Network on Migration has not taken up the event that you suggested:\n\n"
            "{title} ({reference})\n\nComment: {comment}\n",
        )
    },
    "reminder": {
        "en": Text(
            "In {days} days: {title}",
            "Dear {name},\n\n{title} is on {day} ({precision}), in {days} days. "
            "The calendar of the UN Network on Migration names {lead} as leading the statement.\n\n"
            "Where the statement stands: {status}.\n",
        )
    },
}


class Coming(NamedTuple):
    """A day that is near, and who leads its statement."""

    subject: UUID
    title: str
    day: date
    precision: str
    leads: list[dict[str, Any]]
    status: str


async def remind(job: Job) -> None:
    """Tell the leads of what comes in so many days as the policy says, each once."""
    today = clock.today()
    async with job.database.sessions.begin() as session:
        for days in policy.in_force().reminders:
            last = today + timedelta(days=days)
            for coming in await _coming(session, last - timedelta(days=LATE), last):
                for lead in coming.leads:
                    await _tell(session, coming, lead, days)


async def _coming(session: AsyncSession, first: date, last: date) -> list[Coming]:
    """What starts between two days, with the leads of its statement where one is planned."""
    statements = (await session.scalars(select(Statement).where(Statement.day.between(first, last)))).all()
    planned = {(each.event_id, each.day): each for each in statements if each.event_id}
    found = [
        Coming(each.id, each.content["title"], each.day, "day", each.resolved["lead_entities"], each.status)
        for each in statements
        if each.event_id is None and each.day and each.status in OPEN
    ]
    for event_id, day in await published.starting(session, first, last):
        event = await session.get_one(Event, event_id)
        statement = planned.get((event_id, day))
        if statement is not None and statement.status not in OPEN:
            continue
        leads = statement.resolved["lead_entities"] if statement else event.content.get("lead_entities", [])
        status = statement.status if statement else "not planned"
        found.append(Coming(event_id, event.title, day, event.content.get("precision", "day"), leads, status))
    return found


async def _tell(session: AsyncSession, coming: Coming, lead: dict[str, Any], days: int) -> None:
    focal_point = await session.get(FocalPoint, lead["member"]) if lead.get("member") else None
    if focal_point is None:
        return
    key = {"subject": coming.subject, "day": coming.day, "days_before": days, "entity": focal_point.entity}
    claim = insert(Reminder).values(**key, sent_at=clock.now()).on_conflict_do_nothing().returning(Reminder.day)
    if (await session.execute(claim)).first() is None:
        return
    told = {
        "title": coming.title,
        "day": coming.day.isoformat(),
        "days": str((coming.day - clock.today()).days),
        "precision": {"day": "the day is known"}.get(coming.precision, f"known to the {coming.precision} only"),
        "lead": lead["name"],
        "name": focal_point.name,
        "status": coming.status.replace("_", " "),
    }
    await mail.send(session, focal_point.email, "reminder", **told)
