"""The days on which a calendar program, or our own answers, say that something takes place."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, cast

import icalendar
import recurring_ical_events  # type: ignore[import-untyped]

from tests.clients import Api

Days = set[tuple[str, str, str]]
"""Event, first and last day of each occurrence."""


async def occurrences(api: Api, first: date, last: date, **filters: Any) -> list[dict[str, Any]]:
    """Every occurrence between two days, page after page."""
    found: list[dict[str, Any]] = []
    parameters = {"from": first.isoformat(), "to": last.isoformat(), "limit": 500, **filters}
    while True:
        page = await api.get("/v1/calendar/occurrences", params=parameters)
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        if page.json()["next"] is None:
            return found
        parameters["cursor"] = page.json()["next"]


async def answered(api: Api, first: date, last: date, **filters: Any) -> Days:
    """What `occurrences` says, but what was cancelled."""
    found = await occurrences(api, first, last, **filters)
    return {(o["event_id"], o["first_day"], o["last_day"]) for o in found if o["status"] == "published"}


def read(feed: bytes, first: date, last: date) -> Days:
    """What icalendar and recurring-ical-events make of a feed."""
    calendar = icalendar.Calendar.from_ical(feed)
    # Wider than asked for: the library compares hours in UTC, we compare days in the event's zone.
    near = recurring_ical_events.of(calendar).between(first - timedelta(days=3), last + timedelta(days=3))
    found = set()
    for event in near:
        assert isinstance(event, icalendar.Event)
        starts, ends = cast("Any", event.start), cast("Any", event.end)
        if isinstance(starts, datetime):
            first_day, last_day = starts.date(), max(starts, ends - timedelta(microseconds=1)).date()
        else:
            first_day, last_day = starts, ends - timedelta(days=1)
        if event["status"] != "CANCELLED" and first_day <= last and last_day >= first:
            found.add((str(event["uid"]), first_day.isoformat(), last_day.isoformat()))
    return found


def one_by_one(days: Days, first: date, last: date) -> set[tuple[str, str]]:
    """Each day within bounds on which an event takes place: as an agenda lists them."""

    def each() -> Iterator[tuple[str, str]]:
        for event, start, end in days:
            day, stop = max(date.fromisoformat(start), first), min(date.fromisoformat(end), last)
            while day <= stop:
                yield day.isoformat(), event
                day += timedelta(days=1)

    return set(each())
