"""Every rule of a statement and its SQL; functions over a session."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import ColumnElement, extract, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.calendar import policy
from services.calendar.content import names_of
from services.calendar.dates import period
from services.calendar.lifecycle import LEAD, OPEN, STATEMENT
from services.calendar.models import REFERENCES, Event, PublishedEvent, Statement
from services.calendar.statements import schemas
from shared import clock, lists, records
from shared.auth import Caller
from shared.filters import Dimension, conditions
from shared.problems import Fault, Problem, faults

DIMENSIONS = (
    Dimension("kind", "kind"),
    Dimension("level", "level"),
    Dimension("objective", "objectives", many=True),
    Dimension("principle", "principles", many=True),
    Dimension("lead", "leads", many=True),
    Dimension("country", "countries", many=True),
    Dimension("event", "event_id"),
)
# Which status is to be reached from which.
NEXT = {"planned": "drafting", "drafting": "in_clearance", "in_clearance": "issued"}
EDITABLE = {"planned", "drafting"}


def is_staff(caller: Caller | None) -> bool:
    return caller is not None and caller.has("secretariat")


def sees_working(caller: Caller | None, statement: Statement) -> bool:
    return caller is not None and (is_staff(caller) or LEAD.allows(caller, statement))


# ---------------------------------------------------------------- what the calendar says of it


async def resolve(session: AsyncSession, statement: Statement) -> list[Fault]:
    """Look up what the calendar says: the day, who leads, and by when; in place. The faults in what was sent."""
    content = statement.content
    wanted = date.fromisoformat(content["occurs_on"]) if "occurs_on" in content else None
    event = await session.get(Event, UUID(content["event"])) if "event" in content else None
    if "event" in content and (event is None or not event.public):
        return [Fault(pointer="/event", detail="No published event has this id.")]
    leads, lead_from, day = content.get("lead_entities", []), "statement", wanted
    if event is not None:
        when = period(event.content)
        if when is not None and when.annual:
            if wanted is None or when.in_year(wanted.year) != wanted:
                return [Fault(pointer="/occurs_on", detail="Not a day on which this event takes place: say which.")]
        elif when is not None:
            day = when.first
        edition = await _edition(session, event, wanted)
        if edition is not None:
            # The year's edition says when, whatever the rule said.
            day = edition.first_day
            if not leads:
                leads, lead_from = edition.content.get("lead_entities", []), "edition"
        if not leads:
            leads, lead_from = event.content.get("lead_entities", []), "event"
    statement.event_id = event.id if event else None
    statement.resolved = {
        "lead_entities": leads,
        "lead_from": lead_from if leads else None,
        "event": {"id": str(event.id), "reference": event.reference, "title": event.title} if event else None,
    }
    statement.leads = names_of(leads)
    helpers = [*leads, *content.get("deputies", [])]
    statement.drafters = sorted({each["member"] for each in helpers if each.get("member")})
    statement.owner = next((each["member"] for each in leads if each.get("member")), None)
    statement.kind = content.get("kind", "proactive")
    statement.level = content.get("level", "global")
    statement.objectives = content.get("objectives", [])
    statement.principles = content.get("principles", [])
    statement.countries = content.get("countries", [])
    statement.day = day
    _set_due(statement)
    return []


async def _edition(session: AsyncSession, event: Event, day: date | None) -> Event | None:
    """The edition of the event's series in the year of `day`, where the event recurs."""
    if event.series is None or day is None:
        return None
    table = PublishedEvent
    statement = (
        select(Event)
        .join(table, table.id == Event.id)
        .where(
            table.series == event.series, table.anniversary.is_(None), table.precision == "day", table.id != event.id
        )
        .where(extract("year", table.first_day) == day.year)
        .order_by(table.first_day, table.id)
        .limit(1)
    )
    return (await session.scalars(statement)).first()


def due_dates(statement: Statement) -> dict[str, date]:
    """By when each status is to be reached: as agreed, else counted back from the day."""
    terms = policy.in_force().days_before.model_dump()
    agreed = statement.content.get("due_dates", {})
    found = {}
    for status, days in terms.items():
        if status in agreed:
            found[status] = date.fromisoformat(agreed[status])
        elif statement.day is not None:
            found[status] = statement.day - timedelta(days=days)
    return found


def _set_due(statement: Statement) -> None:
    statement.due_on = due_dates(statement).get(NEXT.get(statement.status, ""))


async def follow(session: AsyncSession, event: Event) -> None:
    """Let open statements follow what has changed in the calendar: their event, or an edition of its series."""
    concerned = select(Event.id).where(or_(Event.id == event.id, Event.series == event.series))
    statement = select(Statement).where(Statement.event_id.in_(concerned), Statement.status.in_(OPEN))
    for each in (await session.scalars(statement.order_by(Statement.id).with_for_update())).all():
        before = (each.day, each.due_on, each.resolved)
        if not await resolve(session, each) and before != (each.day, each.due_on, each.resolved):
            each.touch()


# ---------------------------------------------------------------- reading


def render(statement: Statement, caller: Caller | None) -> bytes:
    """The statement as `caller` sees it: the working record, or as issued."""
    private = sees_working(caller, statement)
    dates = due_dates(statement)
    content = {name: value for name, value in statement.content.items() if name != "due_dates"}
    shown = schemas.Statement.model_validate(
        {
            **content,
            **statement.resolved,
            "id": statement.id,
            "reference": statement.reference,
            "status": statement.status,
            "actions": STATEMENT.actions(statement, caller) if private and caller else [],
            "version": statement.version,
            "created_at": statement.created_at,
            "updated_at": statement.updated_at,
            "published_at": statement.published_at,
            "sample": statement.sample,
            "source": statement.source,
            "complete": statement.complete,
            "occurs_on": statement.day,
            "due_dates": dates or None,
            "next_due": _next(statement),
        }
    )
    return shown.model_dump_json(exclude=None if private else {"due_dates", "next_due"}).encode()


def _next(statement: Statement) -> dict[str, Any] | None:
    if statement.due_on is None:
        return None
    left = (statement.due_on - clock.today()).days
    return {"status": NEXT[statement.status], "on": statement.due_on, "days_left": left, "late": left < 0}


async def find(session: AsyncSession, statement_id: UUID, caller: Caller, *, lock: bool = False) -> Statement:
    """The working record for who drafts or clears it; 404 for all others, 403 once it is issued."""
    statement = await records.find(session, Statement, statement_id, lock=lock)
    if sees_working(caller, statement):
        return statement
    if statement.public:
        raise Problem("forbidden", "This is for the secretariat and the statement's lead.")
    raise records.hidden(Statement.noun, statement.version)


SORTS = {"published_at": lists.Sort(Statement.published_at), "updated_at": lists.Sort(Statement.updated_at)}


async def page(
    session: AsyncSession, parameters: schemas.StatementList, caller: Caller | None
) -> tuple[bytes, str | None]:
    """A page of what was issued, or with `view` of working records."""
    where = conditions(Statement, DIMENSIONS, parameters)
    if parameters.status:
        where.append(Statement.status.in_(parameters.status))
    sort = parameters.sort or "-published_at"
    if parameters.view is None:
        where.append(Statement.public.is_(True))
    else:
        where.append(_mine(caller, every=parameters.view == "all"))
        sort = parameters.sort or "-updated_at"
        if sort.endswith("published_at"):
            fault = Fault(pointer="?sort", detail="A view is sorted by updated_at.")
            raise Problem("invalid", "A working record need not have been issued.", [fault])
    found = await lists.page(session, select(Statement), Statement, where, parameters, sorts=SORTS, sort=sort)
    reader = caller if parameters.view else None
    return lists.body([render(row[0], reader) for row in found.rows], found), found.next


def _mine(caller: Caller | None, *, every: bool) -> ColumnElement[bool]:
    if caller is None:
        raise Problem("unauthorized", "A view needs a token.", headers={"www-authenticate": "Bearer"})
    if every:
        if not is_staff(caller):
            raise Problem("forbidden", "view=all is for the secretariat.")
        return Statement.id.is_not(None)
    return Statement.drafters.contains([caller.entity or ""])


async def due(session: AsyncSession, parameters: schemas.DueList, caller: Caller) -> tuple[bytes, str | None]:
    """A page of what is due, the latest first, then what comes next: all for staff, else the caller's own."""
    where = conditions(Statement, DIMENSIONS, parameters)
    where += [Statement.status.in_(OPEN), Statement.due_on.is_not(None)]
    if not is_staff(caller):
        where.append(_mine(caller, every=False))
    today = clock.today()
    if parameters.late is not None:
        where.append(Statement.due_on < today if parameters.late else Statement.due_on >= today)
    if parameters.until is not None:
        where.append(Statement.due_on <= parameters.until)
    sorts = {"due_on": lists.Sort(Statement.due_on, date)}
    found = await lists.page(session, select(Statement), Statement, where, parameters, sorts=sorts, sort="due_on")
    return lists.body([render(row[0], caller) for row in found.rows], found), found.next


# ---------------------------------------------------------------- writing


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Content after a change, as the draft model writes it; 422 with pointers where it does not hold."""
    try:
        return schemas.content_of(schemas.StatementDraft.model_validate(content))
    except ValidationError as error:
        located = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise Problem("invalid", "The statement would not be valid.", faults(located)) from None


async def create(session: AsyncSession, draft: schemas.NewStatement, caller: Caller) -> Statement:
    """Plan a statement; for the secretariat."""
    if not is_staff(caller):
        raise Problem("forbidden", "Statements are planned by the secretariat.")
    statement = Statement(
        id=uuid7(),
        reference=await records.new_reference(session, "STA", REFERENCES),
        status="planned",
        created_by=caller.sub,
        content=schemas.content_of(draft),
    )
    await _require_resolved(session, statement)
    session.add(statement)
    await session.flush()
    session.add(records.note(statement, caller, "plan", left=None))
    await session.flush()
    return statement


async def _require_resolved(session: AsyncSession, statement: Statement) -> None:
    with session.no_autoflush:
        found = await resolve(session, statement)
    if found:
        raise Problem("invalid", "The calendar has no such day.", found)


# What the secretariat alone decides: when it is for, and who leads.
STAFF_FIELDS = ("event", "occurs_on", "lead_entities", "deputies", "due_dates", "kind", "level", "initiated_by")


async def patch(session: AsyncSession, statement: Statement, changes: dict[str, Any], caller: Caller) -> None:
    """Merge changes (RFC 7396); the lead drafts, the secretariat also says for when and by whom."""
    editable = EDITABLE | ({"in_clearance"} if is_staff(caller) else set())
    if statement.status not in editable:
        detail = f"A statement is edited in {', '.join(sorted(editable))}; this one is {statement.status}."
        raise Problem("conflict", detail)
    decided = [name for name in STAFF_FIELDS if name in changes]
    if decided and not is_staff(caller):
        raise Problem("forbidden", f"{', '.join(decided)}: for the secretariat to say.")
    content = checked(records.merge(statement.content, changes))
    if "title" not in content:
        raise Problem("invalid", "A statement has a title.", [Fault(pointer="/title", detail="Field required")])
    if content == statement.content:
        return
    statement.content = content
    await _require_resolved(session, statement)
    statement.touch()
    session.add(records.note(statement, caller, "edit", left=statement.status, details={"fields": sorted(changes)}))
    await session.flush()


async def act(session: AsyncSession, statement: Statement, action: str, comment: str | None, caller: Caller) -> None:
    """Carry out one row of the lifecycle and what follows from it."""
    STATEMENT.find(statement, action, caller, comment)
    if action in ("submit", "issue"):
        _require_complete(statement)
    if action == "issue":
        records.publish(session, statement)
    records.move(session, STATEMENT, statement, action, caller, comment)
    _set_due(statement)
    await session.flush()


def _require_complete(statement: Statement) -> None:
    found = []
    if not statement.content.get("text"):
        found.append(Fault(pointer="/text", detail="The text, in one language at least."))
    if not statement.resolved["lead_entities"]:
        found.append(Fault(pointer="/lead_entities", detail="Who leads."))
    if found:
        raise Problem("incomplete", f"{len(found)} thing(s) are missing before this can go on.", found)
