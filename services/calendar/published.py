"""What the public reads: each event rendered once, when it changes; lists, occurrences and feeds put them together."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic_core import to_json
from sqlalchemy import (
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.calendar import days, ics, schemas
from services.calendar.content import derive, render
from services.calendar.dates import EARLIEST, LATEST, Period, period
from services.calendar.models import Event, PublishedEvent
from shared import clock, lists, records
from shared.filters import Dimension, conditions
from shared.problems import Fault, Problem
from shared.reference import OBJECTIVE_NUMBERS, PRINCIPLE_CODES, REGION_CODES

DIMENSIONS = (
    Dimension("kind", "kind"),
    Dimension("mode", "mode"),
    Dimension("precision", "precision"),
    Dimension("objective", "objectives", many=True, values=tuple(sorted(OBJECTIVE_NUMBERS))),
    Dimension("principle", "principles", many=True, values=PRINCIPLE_CODES),
    Dimension("lead", "leads", many=True),
    Dimension("country", "countries", many=True),
    Dimension("region", "regions", many=True, values=tuple(REGION_CODES)),
    Dimension("one_voice", "one_voice"),
    Dimension("network", "network"),
    Dimension("series", "series"),
)
YEARS = 10
# A subscription carries so many events, those nearest to the future; calendar programs choke on more.
FEED = 1000
# For so long subscribers are told that an event was cancelled, before it goes from the feed.
CANCELLED_KEPT = timedelta(days=180)
# A day before all others: nothing takes place.
NEVER = EARLIEST - timedelta(days=1)
PRIVATE = {"owner", "possible_duplicates"}

table = PublishedEvent


# ---------------------------------------------------------------- writing


async def refresh(session: AsyncSession, event: Event) -> None:
    """Make the public's row of an event anew, and those of its series that it touches."""
    row = await session.get(PublishedEvent, event.id)
    left = row.series if row else None
    when = period(event.content)
    if when is None:
        raise ValueError("an event without a date cannot be public")
    if row is None:
        row = PublishedEvent(id=event.id, excluded=[])
    derive(row, event.content)
    row.reference = event.reference
    row.status = event.status
    row.published_at = event.published_at or event.updated_at
    row.cancelled_at = event.cancelled_at
    row.first_day, row.last_day = when.first, when.last
    row.until = LATEST if when.annual else when.last
    row.days = Range(when.first, None if when.annual else when.last, bounds="[)" if when.annual else "[]")
    row.starts_minute = when.minute
    row.starts_at, row.ends_at = when.starts, when.ends
    row.timezone = event.content.get("timezone")
    row.anniversary = when.anniversary
    _write(row, event, when)
    session.add(row)
    await session.flush()
    for series in sorted({left, row.series} - {None}, key=str):
        await _editions(session, str(series))


def _write(row: PublishedEvent, event: Event, when: Period) -> None:
    """Render the event in every form."""
    row.updated_at = event.updated_at
    beside: dict[str, Any] = {"status": event.status, "actions": [], "superseded_by": row.superseded_by}
    shown = render(event, event.content, beside)
    row.body = shown.model_dump_json(exclude=PRIVATE).encode()
    row.occurrence = _occurrence(shown, when)
    row.ics = ics.event(
        event.id,
        event.content,
        when,
        status=event.status,
        sequence=event.sequence,
        created_at=event.created_at,
        updated_at=event.updated_at,
        excluded=row.excluded,
    )


async def _editions(session: AsyncSession, series: str) -> None:
    """Let each edition of a series stand where the series says less: for its month, or for that year's occurrence."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"series {series}"))))
    rows = (await session.scalars(select(table).where(table.series == series).order_by(table.id))).all()
    editions = [row for row in rows if row.precision == "day" and row.anniversary is None]
    for row in rows:
        superseded_by, excluded = None, list[date]()
        if row.precision != "day":
            inside = (e.id for e in editions if e.first_day <= row.last_day and e.last_day >= row.first_day)
            superseded_by = next(inside, None)
        if superseded_by == row.superseded_by and row.anniversary is None:
            continue
        event = await records.find(session, Event, row.id, lock=True)
        when = period(event.content)
        if when is None:
            continue
        if row.anniversary is not None:
            excluded = sorted({day for e in editions if (day := when.in_year(e.first_day.year)) is not None})
        if (superseded_by, excluded) != (row.superseded_by, row.excluded):
            row.superseded_by, row.excluded = superseded_by, excluded
            event.sequence += 1
            event.touch()
            _write(row, event, when)
    await session.flush()


def _occurrence(shown: schemas.Event, when: Period) -> bytes:
    """What every occurrence of an event says, as JSON; whole where there is one, open at its end where many."""
    common = schemas.Occurrence.model_construct(
        **{name: getattr(shown, name) for name in schemas.Occurrence.model_fields if name in schemas.Event.model_fields}
    ).model_dump_json(exclude=DAILY)
    head = b'{"event_id":"' + str(shown.id).encode() + b'",' + common.encode()[1:-1]
    if when.annual:
        return head
    starts_on = shown.starts_on or when.first.isoformat()
    return head + _daily((when.first, when.last), (starts_on, shown.ends_on or starts_on), when)


DAILY = {"event_id", "starts_on", "ends_on", "first_day", "last_day", "starts_at", "ends_at"}


def _daily(span: tuple[date, date], told: tuple[str, str] | None, when: Period) -> bytes:
    """What differs from one occurrence to the next."""
    first, last = span[0].isoformat(), span[1].isoformat()
    starts_on, ends_on = told or (first, last)
    starts_at, ends_at = when.hours(span[0])
    return (
        b","
        + to_json(
            {
                "starts_on": starts_on,
                "ends_on": ends_on,
                "first_day": first,
                "last_day": last,
                "starts_at": starts_at and starts_at.isoformat(),
                "ends_at": ends_at and ends_at.isoformat(),
            }
        )[1:]
    )


# ---------------------------------------------------------------- reading


async def read(reader: AsyncConnection, event_id: UUID) -> bytes | None:
    """The current publication's bytes."""
    return (await reader.execute(select(table.body).where(table.id == event_id))).scalar_one_or_none()


async def hidden(reader: AsyncConnection, event_id: UUID) -> Problem:
    """Why the public reads nothing here."""
    return records.hidden(Event.noun, 0)


SORTS = {
    "published_at": lists.Sort(table.published_at),
    "updated_at": lists.Sort(table.updated_at),
    "starts_on": lists.Sort(table.first_day, date),
    "title": lists.Sort(table.title, str),
}


async def page(reader: AsyncConnection, parameters: schemas.EventList) -> tuple[bytes, str | None]:
    """A page of current publications and the cursor of the next."""
    where = conditions(table, DIMENSIONS, parameters)
    if parameters.status:
        where.append(table.status.in_(parameters.status))
    if parameters.from_ or parameters.to:
        where.append(table.id.in_(days.touching(days.Bounds.of(*_days(parameters)), [])))
    found = await lists.page(
        reader,
        select(table.id, table.body),
        table,
        where,
        parameters,
        sorts=SORTS,
        sort=parameters.sort or "-published_at",
        words=parameters.q,
    )
    return lists.body([row.body for row in found.rows], found), found.next


def _days(range_: schemas.DayRange) -> tuple[date, date]:
    """The days asked for, as far as the calendar goes."""
    if range_.from_ and range_.to and range_.to < range_.from_:
        raise Problem("invalid", "The range ends before it starts.", [Fault(pointer="?to", detail="Before `from`.")])
    first, last = max(range_.from_ or EARLIEST, EARLIEST), min(range_.to or LATEST, LATEST)
    return (first, last) if first <= last else (NEVER, NEVER)


def bounded(range_: schemas.DayRange) -> tuple[date, date]:
    """The days asked for where the answer needs an end: from today, for a year, at most ten years."""
    first = range_.from_ or clock.today()
    last = range_.to or (first + timedelta(days=365) if first < LATEST else first)
    if (last.year, last.month, last.day) > (first.year + YEARS, first.month, first.day):
        raise Problem(
            "invalid",
            f"At most {YEARS} years at a time.",
            [Fault(pointer="?to", detail=f"More than {YEARS} years after `from`.")],
        )
    return _days(schemas.DayRange.model_validate({"from": first, "to": last}))


async def occurrences(reader: AsyncConnection, parameters: schemas.OccurrenceList) -> tuple[bytes, str | None]:
    """A page of what takes place between two days, in the order of the days, and the cursor of the next."""
    bounds = days.Bounds.of(*bounded(parameters))
    where = [*conditions(table, DIMENSIONS, parameters), *days.SHOWN]
    position = lists.decode(parameters, (date, int, UUID))
    values: dict[str, Any] = {}
    if len(where) == 1 and position is None:
        statement = days.first_page(bounds.kind)
        values = {**bounds.values, "limit": parameters.limit + 1}
    else:
        statement = days.page(bounds, where, position, parameters.limit + 1)
    rows = (await reader.execute(statement, values)).all()
    items = [row.occurrence if row.anniversary is None else _recurring(row) for row in rows[: parameters.limit]]
    following = None
    if len(rows) > parameters.limit:
        end = rows[parameters.limit - 1]
        following = lists.encode(parameters, end.day, end.starts_minute, end.id)
    total = None
    if parameters.total:
        every = days.touching(bounds, where).subquery()
        total = (await reader.execute(select(func.count()).select_from(every))).scalar_one()
    return lists.body(items, lists.Found(rows, following, total)), following


def _recurring(row: Any) -> bytes:
    starts, ends = row.starts_at, row.ends_at
    if starts is not None:
        zone = ZoneInfo(row.timezone)
        starts, ends = starts.astimezone(zone), ends and ends.astimezone(zone)
    when = Period(row.first_day, row.first_day, "day", starts, ends, annual=True)
    occurrence: bytes = row.occurrence
    return occurrence + _daily((row.day, row.last), None, when)


async def starting(connection: AsyncConnection | AsyncSession, first: date, last: date) -> list[tuple[UUID, date]]:
    """Ids and first days of occurrences that start between two days, but what was cancelled."""
    where = [*days.SHOWN, table.status == "published"]
    bounds, found = days.Bounds.of(first, last), list[tuple[UUID, date]]()
    for statement, _ in (part(bounds, where) for part in (days.starting, days.yearly)):
        rows = await connection.execute(statement)
        found += [(row.id, row.day) for row in rows if row.day >= first]
    return sorted(found, key=lambda each: (each[1], each[0]))


async def feed(reader: AsyncConnection, parameters: schemas.Feed) -> bytes:
    """The subscription: every event that the filters leave, as long as it is of use."""
    where = conditions(table, DIMENSIONS, parameters)
    where += days.SHOWN
    where.append(or_(table.status == "published", table.cancelled_at > clock.now() - CANCELLED_KEPT))
    if parameters.from_ or parameters.to:
        where.append(table.id.in_(days.touching(days.Bounds.of(*_days(parameters)), [])))
    statement = select(table.ics, table.timezone).where(*where).order_by(table.until.desc(), table.id.desc())
    rows = (await reader.execute(statement.limit(FEED + 1))).all()
    description = "Key dates, international days and events around the Global Compact for Migration."
    if len(rows) > FEED:
        description += f" The {FEED} latest: ask for the others with from and to."
    shown = rows[:FEED]
    zones = {row.timezone for row in shown if row.timezone}
    return ics.calendar((row.ics for row in shown), zones, name="UN Network on Migration", description=description)


async def single(reader: AsyncConnection, event_id: UUID) -> bytes | None:
    """One event as a calendar of its own."""
    row = (await reader.execute(select(table.ics, table.timezone, table.title).where(table.id == event_id))).first()
    return ics.calendar([row.ics], filter(None, [row.timezone]), name=row.title) if row else None
