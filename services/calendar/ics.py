"""Events as iCalendar objects (RFC 5545, RFC 7986), read by calendar programs."""

from calendar import month_name
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import icalendar

from services.calendar.dates import Period

PRODID = "-//UN Network on Migration//Calendar of key dates//EN"
# What we suggest to programs that subscribe; few ask more often, some ask rarer.
REFRESH = timedelta(hours=6)
# VTIMEZONE lists the changes of summer time one by one: until here.
ZONES_FROM, ZONES_UNTIL = date(1970, 1, 1), date(2051, 1, 1)


def event(
    event_id: UUID,
    content: dict[str, Any],
    period: Period,
    *,
    status: str,
    sequence: int,
    created_at: datetime,
    updated_at: datetime,
    excluded: Iterable[date] = (),
) -> bytes:
    """One VEVENT, folded. `excluded` are first days of occurrences that do not take place."""
    made = icalendar.Event()
    made.add("uid", str(event_id))
    # Without a METHOD, DTSTAMP is when the information was last revised.
    made.add("dtstamp", updated_at.replace(microsecond=0))
    made.add("created", created_at.replace(microsecond=0))
    made.add("last-modified", updated_at.replace(microsecond=0))
    made.add("sequence", sequence)
    made.add("summary", _summary(content, period))
    if period.starts is not None:
        made.add("dtstart", period.starts)
        if period.ends is not None:
            made.add("dtend", period.ends)
    else:
        made.add("dtstart", period.first)
        made.add("dtend", period.last + timedelta(days=1))
        made.add("transp", "TRANSPARENT")
    if period.annual:
        made.add("rrule", {"freq": "yearly", "bymonth": period.first.month, "bymonthday": period.first.day})
        for day in sorted(excluded):
            made.add("exdate", period.hours(day)[0] or day)
    tentative = content.get("date_status") == "tbc" or period.precision != "day"
    made.add("status", "CANCELLED" if status == "cancelled" else "TENTATIVE" if tentative else "CONFIRMED")
    if location := content.get("location"):
        made.add("location", location)
    if url := content.get("url"):
        made.add("url", url)
    if description := _description(content, period):
        made.add("description", description)
    made.add("categories", _categories(content))
    rendered: bytes = made.to_ical()
    return rendered


def _summary(content: dict[str, Any], period: Period) -> str:
    title: str = content["title"]
    if period.precision != "day":
        return f"{title} ({_roughly(period)}, day to be confirmed)"
    return f"{title} (date to be confirmed)" if content.get("date_status") == "tbc" else title


def _roughly(period: Period) -> str:
    names = [
        f"{day.year}" if period.precision == "year" else f"{month_name[day.month]} {day.year}"
        for day in (period.first, period.last)
    ]
    return " to ".join(dict.fromkeys(names))


def _description(content: dict[str, Any], period: Period) -> str:
    leads = ", ".join(lead["name"] for lead in content.get("lead_entities", []))
    organisers = ", ".join(content.get("organisers", []))
    objectives = content.get("objectives", [])
    named = "all" if content.get("objectives_status") == "all" else ", ".join(map(str, objectives))
    lines = [
        content.get("description", ""),
        f"Only known as {_roughly(period)}: the day is to be confirmed." if period.precision != "day" else "",
        f"Organised by {organisers}." if organisers else "",
        f"Leads the statement: {leads}." if leads else "",
        f"Objectives of the Global Compact for Migration: {named}." if named else "",
        f"Audience: {content['audience']}." if content.get("audience") else "",
    ]
    return "\n".join(line for line in lines if line)


def _categories(content: dict[str, Any]) -> list[str]:
    objectives = [] if content.get("objectives_status") == "all" else content.get("objectives", [])
    return [content["kind"].replace("_", " "), *(f"GCM objective {number}" for number in objectives)]


@lru_cache(maxsize=128)
def zone(name: str) -> bytes:
    """The VTIMEZONE of a zone of the IANA database."""
    made = icalendar.Timezone.from_tzinfo(ZoneInfo(name), name, ZONES_FROM, ZONES_UNTIL)
    rendered: bytes = made.to_ical()
    return rendered


END = b"END:VCALENDAR\r\n"


@lru_cache(maxsize=32)
def _head(name: str, description: str) -> bytes:
    made = icalendar.Calendar()
    made.add("prodid", PRODID)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("name", name)
    made.add("x-wr-calname", name)
    if description:
        made.add("description", description)
        made.add("x-wr-caldesc", description)
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", icalendar.vDuration(REFRESH))
    rendered: bytes = made.to_ical()
    return rendered.removesuffix(END)


def calendar(events: Iterable[bytes], zones: Iterable[str], *, name: str, description: str = "") -> bytes:
    """A VCALENDAR of rendered events and the zones that their hours are in."""
    return b"".join([_head(name, description), *(zone(each) for each in sorted({*zones} - {"UTC"})), *events, END])
