"""The SQL of days: which occurrences touch the days between two, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    bindparam,
    cast,
    extract,
    func,
    or_,
    select,
    true,
    tuple_,
    union_all,
)

from services.calendar.dates import LONGEST_ANNUAL
from services.calendar.models import PublishedEvent

table = PublishedEvent

Kind = Literal["whole", "within", "around"]


@dataclass(frozen=True)
class Bounds:
    """Two days for a statement: themselves, or parameters in their place."""

    first: Any
    last: Any
    years: tuple[Any, Any]
    # Month and day between which an occurrence that touches these days starts, and how the two lie.
    season: tuple[Any, Any]
    kind: Kind

    @classmethod
    def of(cls, first: date, last: date) -> "Bounds":
        earliest = first - timedelta(days=LONGEST_ANNUAL)
        start, end = (day.month * 100 + day.day for day in (earliest, last))
        kind: Kind = "whole" if (last - earliest).days >= 365 else "within" if start <= end else "around"
        return cls(first, last, (first.year - 1, last.year), (start, end), kind)

    @property
    def values(self) -> dict[str, Any]:
        """The values for `parameters`."""
        ends = zip(("year", "season"), (self.years, self.season), strict=True)
        named = {f"{name}_{end}": value for name, pair in ends for end, value in zip(("from", "to"), pair, strict=True)}
        return {"first": self.first, "last": self.last, **named}

    @classmethod
    def parameters(cls, kind: Kind) -> "Bounds":
        """Parameters for any days of a kind: a statement made of them is made once."""
        numbers = [bindparam(name, type_=Integer) for name in ("year_from", "year_to", "season_from", "season_to")]
        first, last = (bindparam(name, type_=Date) for name in ("first", "last"))
        return cls(first, last, (numbers[0], numbers[1]), (numbers[2], numbers[3]), kind)

    def starts_in_season(self) -> list[ColumnElement[bool]]:
        """The part of the year in which what recurs must start: for the index."""
        start, end = self.season
        match self.kind:
            case "whole":
                return []
            case "within":
                return [table.anniversary.between(start, end)]
            case "around":
                return [or_(table.anniversary >= start, table.anniversary <= end)]


Found = Select[UUID, date, date, int]
Where = Sequence[ColumnElement[bool]]
# A statement and the order of its rows.
Ordered = tuple[Found, tuple[Any, ...]]


def running(bounds: Bounds, where: Where) -> Ordered:
    """Events that take place once and have begun before the first day."""
    return _single(table.days.contains(bounds.first), table.first_day < bounds.first, *where)


def starting(bounds: Bounds, where: Where) -> Ordered:
    """Events that take place once and begin on these days: read in the order of an index."""
    return _single(table.first_day.between(bounds.first, bounds.last), *where)


def _single(*where: ColumnElement[bool]) -> Ordered:
    found = select(table.id, table.first_day.label("day"), table.last_day.label("last"), table.starts_minute)
    return found.where(table.anniversary.is_(None), *where), (table.first_day, table.starts_minute, table.id)


def yearly(bounds: Bounds, where: Where) -> Ordered:
    """Occurrences of what recurs, one by one, where they touch these days; and their order."""
    years = func.generate_series(*bounds.years).table_valued("year").render_derived()
    since = years.c.year - cast(extract("year", table.first_day), Integer)
    day = cast(table.first_day + func.make_interval(since), Date)
    expanded = (
        select(table.id, table.starts_minute, table.first_day, table.excluded, day.label("day"))
        .add_columns((table.last_day - table.first_day).label("span"))
        .select_from(table)
        .join(years, true())
        .where(table.anniversary.is_not(None), *bounds.starts_in_season(), *where)
        .subquery()
    ).c
    end = cast(expanded.day + expanded.span, Date)
    found = select(expanded.id, expanded.day, end.label("last"), expanded.starts_minute).where(
        # 29 February is no day of most years.
        extract("day", expanded.day) == extract("day", expanded.first_day),
        expanded.day >= expanded.first_day,
        expanded.day <= bounds.last,
        end >= bounds.first,
        expanded.day != func.all(expanded.excluded),
    )
    return found, (expanded.day, expanded.starts_minute, expanded.id)


PARTS = (running, starting, yearly)


def touching(bounds: Bounds, where: Where) -> Any:
    """Ids of the events of which an occurrence touches these days."""
    return union_all(*(select(part(bounds, where)[0].subquery().c.id) for part in PARTS))


def page(bounds: Bounds, where: Where, position: Sequence[Any] | None, limit: Any) -> Select[*tuple[Any, ...]]:
    """So many occurrences after a position, in the order of the days, with what is shown of them."""
    pages = []
    for found, order in (part(bounds, where) for part in PARTS):
        here = found.where(tuple_(*order) > tuple_(*position)) if position else found
        pages.append(here.order_by(*order).limit(limit).subquery().select())
    every = union_all(*pages).subquery()
    return (
        select(every.c.id, every.c.day, every.c.last, every.c.starts_minute, table.occurrence, table.anniversary)
        .add_columns(table.starts_at, table.ends_at, table.timezone, table.first_day)
        .join(table, table.id == every.c.id)
        .order_by(every.c.day, every.c.starts_minute, every.c.id)
        .limit(limit)
    )


# Editions stand in the place of what they say more precisely.
SHOWN: Where = (table.superseded_by.is_(None),)


@lru_cache(maxsize=3)
def first_page(kind: Kind) -> Select[*tuple[Any, ...]]:
    """The page that most ask for, without filters. Making the statement costs more than the database's answer."""
    return page(Bounds.parameters(kind), SHOWN, None, bindparam("limit", type_=Integer))
