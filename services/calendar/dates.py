"""When an event takes place: whole days, parts of the calendar known only roughly, or hours in a zone."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from shared.problems import Fault

Precision = Literal["day", "month", "year"]

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
# An observance lasts a month at most: a search for a day need look back no further.
LONGEST_ANNUAL = 31
LONGEST = 3660
ZONES = frozenset(available_timezones())
DATE_FIELDS = ("starts_on", "ends_on", "precision", "starts_at", "ends_at", "timezone")

_PRECISIONS: dict[int, Precision] = {4: "year", 7: "month", 10: "day"}
_LENGTHS = {name: length for length, name in _PRECISIONS.items()}


@dataclass(frozen=True, slots=True)
class Period:
    """An event's days: `first` to `last`, both inclusive, in the event's own zone.

    Known to the month or year, they are the days between which it falls. `starts` and `ends` are set where the hour
    is known.
    """

    first: date
    last: date
    precision: Precision
    starts: datetime | None = None
    ends: datetime | None = None
    annual: bool = False

    @property
    def anniversary(self) -> int | None:
        """Month and day of what recurs, as a number: 1218 for 18 December."""
        return self.first.month * 100 + self.first.day if self.annual else None

    @property
    def minute(self) -> int:
        """Minutes after midnight, by which a day's events are ordered; whole days come first."""
        return self.starts.hour * 60 + self.starts.minute if self.starts else 0

    def in_year(self, year: int) -> date | None:
        """The first day of the occurrence that starts in `year`; 29 February is there in leap years only."""
        if not self.annual:
            return self.first if self.first.year == year else None
        if year < self.first.year or ((self.first.month, self.first.day) == (2, 29) and monthrange(year, 2)[1] < 29):
            return None
        return self.first.replace(year=year)

    def between(self, first: date, last: date) -> Iterator[tuple[date, date]]:
        """The first and last days of occurrences that touch the days from `first` to `last`."""
        span = self.last - self.first
        for year in range(first.year - 1, last.year + 1) if self.annual else (self.first.year,):
            day = self.in_year(year)
            if day is not None and day <= last and day + span >= first:
                yield day, day + span

    def hours(self, day: date) -> tuple[datetime | None, datetime | None]:
        """Start and end of the occurrence on `day`: the same hour of the zone, summer or winter."""
        if self.starts is None:
            return None, None
        starts = self.starts if day == self.first else datetime.combine(day, self.starts.time(), self.starts.tzinfo)
        if self.ends is None:
            return starts, None
        # RFC 5545, 3.8.5.3: with DTEND every occurrence lasts exactly as long as the first.
        length = self.ends.astimezone(UTC) - self.starts.astimezone(UTC)
        return starts, (starts.astimezone(UTC) + length).astimezone(self.starts.tzinfo)


def first_of(day: str) -> date:
    """The earliest day that a date known in part may be."""
    return date.fromisoformat(day + "-01-01"[: 10 - len(day)] if len(day) == 4 else day + "-01"[: 10 - len(day)])


def last_of(day: str) -> date:
    """The latest day that a date known in part may be."""
    year, month, *_ = (*map(int, day.split("-")), 12, 12)
    return date.fromisoformat(day) if len(day) == 10 else date(year, month, monthrange(year, month)[1])


def period(content: dict[str, Any]) -> Period | None:
    """When an event with this (settled) content takes place; None while nobody has said."""
    annual = content.get("recurrence") == "annual"
    if content.get("starts_at"):
        zone = ZoneInfo(content["timezone"])
        starts = datetime.fromisoformat(content["starts_at"]).astimezone(zone)
        ends = datetime.fromisoformat(content["ends_at"]).astimezone(zone) if content.get("ends_at") else None
        last = starts.date()
        if ends is not None and ends > starts:
            # What ends at midnight does not take place on the day that begins then.
            last = (ends - timedelta(microseconds=1)).date()
        return Period(starts.date(), last, "day", starts, ends, annual)
    if content.get("starts_on"):
        first = content["starts_on"]
        return Period(first_of(first), last_of(content.get("ends_on") or first), content["precision"], annual=annual)
    return None


def settle(content: dict[str, Any]) -> list[Fault]:
    """Bring the date fields of `content` into one form, in place; the faults that stand in the way.

    Precision is what `starts_on` says unless given; a finer date is cut to the precision given. Hours are kept with
    the offset of their zone.
    """
    if content.get("starts_at") or content.get("ends_at"):
        return _settle_hours(content) or _settle_span(content)
    if content.get("starts_on"):
        return _settle_days(content) or _settle_span(content)
    stray = [name for name in ("ends_on", "precision", "timezone") if content.get(name)]
    found = [Fault(pointer=f"/{name}", detail="Without a start this says nothing.") for name in stray]
    if content.get("recurrence") == "annual":
        found.append(Fault(pointer="/recurrence", detail="Say on which day: starts_on or starts_at."))
    return found


def _settle_days(content: dict[str, Any]) -> list[Fault]:
    precision = content.setdefault("precision", _PRECISIONS[len(content["starts_on"])])
    length = _LENGTHS[precision]
    found = []
    for name in ("starts_on", "ends_on"):
        value = content.get(name)
        if value is None:
            continue
        if len(value) < length:
            found.append(Fault(pointer=f"/{name}", detail=f"Less than a {precision}, which the precision asks for."))
        content[name] = value[:length]
    if content.get("timezone"):
        found.append(Fault(pointer="/timezone", detail="Whole days have no zone: it goes with starts_at."))
    if content.get("ends_on") == content["starts_on"]:
        del content["ends_on"]
    if content.get("recurrence") == "annual" and precision != "day":
        found.append(Fault(pointer="/recurrence", detail="What recurs every year does so on a day."))
    return found


def _settle_hours(content: dict[str, Any]) -> list[Fault]:
    if not content.get("starts_at"):
        return [Fault(pointer="/starts_at", detail="An end without a start.")]
    if not content.get("timezone"):
        return [Fault(pointer="/timezone", detail="Hours need their zone, such as Africa/Nairobi.")]
    zone = ZoneInfo(content["timezone"])
    try:
        for name in ("starts_at", "ends_at"):
            if content.get(name):
                content[name] = datetime.fromisoformat(content[name]).astimezone(zone).isoformat()
    except OverflowError:
        return [Fault(pointer=f"/{name}", detail="Out of range.")]
    found = period(content)
    days = {"starts_on": found.first.isoformat(), "ends_on": found.last.isoformat()} if found else {}
    faults = []
    for name, day in days.items():
        if content.pop(name, day) != day:
            faults.append(Fault(pointer=f"/{name}", detail=f"By the hours given this is {day}."))
    if content.pop("precision", "day") != "day":
        faults.append(Fault(pointer="/precision", detail="Hours are of a day."))
    return faults


def _settle_span(content: dict[str, Any]) -> list[Fault]:
    found = period(content)
    if found is None:
        return []
    start, end = ("starts_at", "ends_at") if found.starts else ("starts_on", "ends_on")
    if found.last < found.first or (found.starts and found.ends and found.ends < found.starts):
        return [Fault(pointer=f"/{end}", detail="It ends before it starts.")]
    if found.first < EARLIEST or found.last > LATEST:
        return [Fault(pointer=f"/{start}", detail=f"The calendar goes from {EARLIEST} to {LATEST}.")]
    days = (found.last - found.first).days + 1
    if found.annual and days > LONGEST_ANNUAL:
        return [Fault(pointer=f"/{end}", detail=f"What recurs every year lasts {LONGEST_ANNUAL} days at most.")]
    if days > LONGEST:
        return [Fault(pointer=f"/{end}", detail=f"An event lasts {LONGEST} days at most.")]
    return []
