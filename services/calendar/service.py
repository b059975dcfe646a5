"""Every rule of an event and its SQL; functions over a session. What the public reads is in `published`."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import ColumnElement, and_, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.calendar import days, published, schemas
from services.calendar.content import derive, gaps, render, settle
from services.calendar.dates import DATE_FIELDS, Period, period
from services.calendar.lifecycle import EVENT, SUGGESTER
from services.calendar.models import REFERENCES, Event, PublishedEvent
from services.calendar.statements.service import follow
from shared import clock, lists, mail, records
from shared.auth import Caller
from shared.database import Database
from shared.filters import conditions
from shared.problems import Fault, Problem, not_valid

# Titles so like (pg_trgm) and days so near are pointed out: they may be the same event.
ALIKE = 0.45
NEAR = timedelta(days=7)


def is_staff(caller: Caller | None) -> bool:
    return caller is not None and caller.has("secretariat")


def sees_working(caller: Caller | None, event: Event) -> bool:
    return caller is not None and (is_staff(caller) or SUGGESTER.allows(caller, event))


# ---------------------------------------------------------------- reading


async def working(session: AsyncSession, event: Event, caller: Caller) -> bytes:
    """The working record, as `caller` (its suggester or staff) sees it."""
    superseded_by = await session.scalar(select(PublishedEvent.superseded_by).where(PublishedEvent.id == event.id))
    alike = await duplicates(session, event, caller) if event.status == "suggested" else []
    return _shown(event, caller, {"superseded_by": superseded_by, "possible_duplicates": alike}).encode()


def _shown(event: Event, caller: Caller, beside: dict[str, Any], *, without: set[str] | None = None) -> str:
    known = {"status": event.status, "actions": EVENT.actions(event, caller), "owner": event.owner}
    return render(event, event.content, {**known, **beside}).model_dump_json(exclude=without)


async def find(session: AsyncSession, event_id: UUID, caller: Caller, *, lock: bool = False) -> Event:
    """The working record for one of its own; 404 for who may not see it, 403 for who sees its publication."""
    event = await records.find(session, Event, event_id, lock=lock)
    if sees_working(caller, event):
        return event
    if event.public:
        raise Problem("forbidden", "This is for the secretariat and whoever suggested the event.")
    raise records.hidden(Event.noun, event.version)


WORKING_SORTS = {"updated_at": lists.Sort(Event.updated_at), "title": lists.Sort(Event.title, str)}


async def list_working(
    session: AsyncSession, parameters: schemas.EventList, caller: Caller
) -> tuple[bytes, str | None]:
    """A page of working records: those that the caller suggested, or for staff all."""
    where = conditions(Event, published.DIMENSIONS, parameters)
    if parameters.status:
        where.append(Event.status.in_(parameters.status))
    if parameters.from_:
        where.append(Event.last_day >= parameters.from_)
    if parameters.to:
        where.append(Event.first_day <= parameters.to)
    if parameters.view == "mine":
        mine: ColumnElement[bool] = Event.created_by == caller.sub
        where.append(or_(mine, Event.owner == caller.entity) if caller.entity else mine)
    elif not is_staff(caller):
        raise Problem("forbidden", "view=all is for the secretariat.")
    sort = parameters.sort or "-updated_at"
    if sort.removeprefix("-") not in WORKING_SORTS:
        fault = Fault(pointer="?sort", detail="A view is sorted by updated_at or title.")
        raise Problem("invalid", "A working record need not have been published.", [fault])
    listed = select(Event, PublishedEvent.superseded_by).outerjoin(PublishedEvent, PublishedEvent.id == Event.id)
    found = await lists.page(
        session, listed, Event, where, parameters, sorts=WORKING_SORTS, sort=sort, words=parameters.q
    )
    # What is alike is looked for where one record is read.
    shown = (_shown(row[0], caller, {"superseded_by": row[1]}, without={"possible_duplicates"}) for row in found.rows)
    return lists.body([each.encode() for each in shown], found), found.next


async def duplicates(session: AsyncSession, event: Event, caller: Caller) -> list[dict[str, Any]]:
    """Events of like title on days close by: published ones, and for staff suggestions too."""
    when = period(event.content)

    def alike(title: Any) -> ColumnElement[bool]:
        # The operator, of a lower threshold, is there for the index.
        return and_(title.bool_op("%")(event.title), func.similarity(title, event.title) >= ALIKE)

    named = [alike(PublishedEvent.title)]
    if when is not None:
        near = days.Bounds.of(when.first - NEAR, when.last + NEAR)
        named.append(PublishedEvent.id.in_(days.touching(near, [])))
    known = [select(PublishedEvent.id).where(*named)]
    if is_staff(caller):
        known.append(select(Event.id).where(Event.status == "suggested", alike(Event.title)))
    closest = func.similarity(Event.title, event.title).desc()
    statement = (
        select(Event).where(Event.id.in_(union_all(*known)), Event.id != event.id).order_by(closest, Event.id).limit(50)
    )
    return [
        {name: getattr(row, name) for name in ("id", "reference", "title", "status", "first_day", "last_day")}
        for row in await session.scalars(statement)
        if _close(when, period(row.content))
    ][:10]


def _close(one: Period | None, other: Period | None) -> bool:
    if one is None or other is None:
        return True
    return any(other.between(one.first - NEAR, one.last + NEAR))


# ---------------------------------------------------------------- writing


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Content after a change, as the draft model writes it; 422 with pointers where it does not hold."""
    try:
        written = schemas.content_of(schemas.EventDraft.model_validate(content))
    except ValidationError as error:
        raise not_valid("event", error) from None
    if found := settle(written):
        raise Problem("invalid", "The event would not be valid.", found)
    return written


async def create(session: AsyncSession, draft: schemas.NewEvent, caller: Caller) -> Event:
    """A suggestion by anyone signed in; with `publish` the secretariat's own event, public at once."""
    if draft.publish and not is_staff(caller):
        raise Problem("forbidden", "Only the secretariat publishes; leave `publish` out to suggest the event.")
    content = checked(schemas.content_of(draft))
    event = await add(session, content, caller)
    if draft.publish:
        await act(session, event, "publish", schemas.EventAction(), caller)
    return event


async def add(session: AsyncSession, content: dict[str, Any], caller: Caller, **fields: Any) -> Event:
    """A suggested event with this (checked) content."""
    event = Event(
        id=uuid7(),
        reference=await records.new_reference(session, "CAL", REFERENCES),
        status="suggested",
        # The secretariat's own are not its host organisation's.
        owner=None if is_staff(caller) else caller.entity,
        created_by=caller.sub,
        suggester_email=None if is_staff(caller) else caller.email or None,
        content=content,
        **fields,
    )
    derive(event, content)
    session.add(event)
    await session.flush()
    session.add(records.note(event, caller, "suggest", left=None))
    await session.flush()
    return event


async def patch(session: AsyncSession, event: Event, changes: dict[str, Any], caller: Caller) -> None:
    """Merge changes (RFC 7396): into a suggestion, or for the secretariat into the next publication."""
    if event.status == "published":
        if not is_staff(caller):
            raise Problem("forbidden", "A published event is edited by the secretariat.")
        moved = [name for name in DATE_FIELDS if name in changes]
        if moved:
            wrong = [Fault(pointer=f"/{name}", detail="Changed by the action reschedule.") for name in moved]
            raise Problem("conflict", "The dates of a published event change by `reschedule`, with a comment.", wrong)
    elif event.status != "suggested":
        raise Problem("conflict", f"An event is edited in suggested or published; this one is {event.status}.")
    base = event.content
    if any(name in changes for name in DATE_FIELDS) and "precision" not in changes:
        # Precision follows the new date unless it is said.
        base = {name: value for name, value in base.items() if name != "precision"}
    if "objectives" in changes or "principles" in changes:
        base = {name: value for name, value in base.items() if name != "objectives_status"}
    if "lead_entities" in changes:
        base = {name: value for name, value in base.items() if name != "lead_status"}
    content = checked(records.merge(base, changes))
    if "title" not in content:
        raise Problem("invalid", "An event has a title.", [Fault(pointer="/title", detail="Field required")])
    if content == event.content:
        return
    event.content = content
    derive(event, content)
    event.touch()
    if event.public:
        _require_complete(event)
        event.sequence += 1
        records.publish(session, event)
    session.add(records.note(event, caller, "edit", left=event.status, details={"fields": sorted(changes)}))
    await session.flush()
    if event.public:
        await _spread(session, event)


async def act(session: AsyncSession, event: Event, action: str, body: schemas.EventAction, caller: Caller) -> None:
    """Carry out one row of the lifecycle and what follows from it."""
    EVENT.find(event, action, caller, body.comment)
    details: dict[str, Any] = {}
    dates = body.model_dump(mode="json", exclude={"comment"}, exclude_none=True)
    match action:
        case "publish":
            _require_complete(event)
        case "reschedule":
            details = _reschedule(event, dates)
        case "cancel":
            event.cancelled_at = clock.now()
    if dates and action != "reschedule":
        wrong = [Fault(pointer=f"/{name}", detail="For reschedule only.") for name in dates]
        raise Problem("invalid", f"{action} takes no dates.", wrong)
    if action in ("reschedule", "cancel"):
        event.sequence += 1
    if action in ("publish", "reschedule"):
        # Before the move: the database wants both at once.
        records.publish(session, event)
    records.move(session, EVENT, event, action, caller, body.comment, details)
    await session.flush()
    if event.public:
        await _spread(session, event)
    if action in ("publish", "decline") and event.suggester_email:
        await mail.send(
            session,
            event.suggester_email,
            f"suggestion_{event.status}",
            title=event.title,
            reference=event.reference,
            comment=body.comment or "-",
        )
    if action in ("publish", "decline", "withdraw"):
        # Once the decision is told the address has served its purpose.
        event.suggester_email = None
        await session.flush()


def _reschedule(event: Event, dates: dict[str, Any]) -> dict[str, Any]:
    """Put new dates in place of the old; both, for the history."""
    if not ("starts_on" in dates or "starts_at" in dates):
        raise Problem("invalid", "Say when.", [Fault(pointer="/starts_on", detail="starts_on or starts_at is needed.")])
    told = (*DATE_FIELDS, "date_status")
    before = {name: event.content[name] for name in told if name in event.content}
    if "starts_at" in dates and "timezone" in before:
        dates.setdefault("timezone", before["timezone"])
    kept = {name: value for name, value in event.content.items() if name not in DATE_FIELDS}
    event.content = checked({**kept, **dates})
    derive(event, event.content)
    return {"from": before, "to": {name: event.content[name] for name in told if name in event.content}}


def _require_complete(event: Event) -> None:
    if found := gaps(event.content):
        raise Problem("incomplete", f"{len(found)} thing(s) are missing before this can be published.", found)


async def _spread(session: AsyncSession, event: Event) -> None:
    """What follows from a change that the public sees: its row, its series, the statements for it."""
    await published.refresh(session, event)
    await follow(session, event)
    await session.flush()


def version_of(event: Event, publication: records.PublicationMixin) -> bytes:
    return to_json(
        schemas.EventVersion.model_validate(
            {
                **publication.content,
                "id": event.id,
                "reference": event.reference,
                "version": publication.number,
                "published_at": publication.published_at,
                "current": event.public and publication.number == event.version,
            }
        )
    )


async def refuse_samples(database: Database) -> None:
    """Outside development nobody is to take a demonstration record for an event."""
    async with database.reader.connect() as reader:
        found = (await reader.execute(select(Event.reference).where(Event.sample).limit(1))).scalar_one_or_none()
    if found:
        raise RuntimeError(f"{found} is a demonstration record: this database is not for production")
