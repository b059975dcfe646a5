"""Filters and facets from one table of dimensions, over any table that has its columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, and_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import search
from shared.schemas import Day, Model

Row = Any


@dataclass(frozen=True)
class Dimension:
    """A filter that is a facet too.

    `name` is the parameter and the facet's key, `column` the attribute that holds the value, or the array of
    values where `many`. `values` are those that a facet always lists, 0 included; without them it lists what
    occurs, the most frequent first.
    """

    name: str
    column: str
    many: bool = False
    values: tuple[int | str, ...] = ()

    def condition(self, table: Row, wanted: Sequence[Any]) -> ColumnElement[bool]:
        column = getattr(table, self.column)
        found: ColumnElement[bool] = column.overlap(list(wanted)) if self.many else column.in_(list(wanted))
        return found


class Published(Model):
    """Filters on when a record was first published and on its words."""

    published_from: Day | None = Field(default=None, description="First day of publication (UTC), inclusive.")
    published_to: Day | None = Field(default=None, description="Last day of publication (UTC), inclusive.")
    q: str | None = Field(
        default=None, min_length=1, max_length=200, description="Words to find, in any of the languages."
    )


def day_start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def conditions(
    table: Row, dimensions: Sequence[Dimension], filters: BaseModel, *, without: str | None = None
) -> list[ColumnElement[bool]]:
    """What the filters ask of `table`; `without` leaves one dimension out, as its own facet does."""
    found = [
        dimension.condition(table, wanted)
        for dimension in dimensions
        if dimension.name != without and (wanted := getattr(filters, dimension.name))
    ]
    if isinstance(filters, Published):
        if filters.published_from:
            found.append(table.published_at >= day_start(filters.published_from))
        if filters.published_to:
            # 9999-12-31 has no day after it.
            last = filters.published_to
            end = day_start(last) + timedelta(days=1) if last < date.max else day_start(last)
            found.append(table.published_at < end)
        if filters.q:
            found.append(search.matches(table.search, filters.q))
    return found


async def facet(
    connection: AsyncConnection, table: Row, dimension: Dimension, where: Sequence[ColumnElement[bool]]
) -> list[dict[str, Any]]:
    """Counts by the values of one dimension: `[{"objective": 6, "count": 12}]`."""
    column = getattr(table, dimension.column)
    value = func.unnest(column).label("value") if dimension.many else column.label("value")
    matching = select(value).where(and_(literal(True), *where)).subquery()
    rows = await connection.execute(
        select(matching.c.value, func.count()).where(matching.c.value.is_not(None)).group_by(matching.c.value)
    )
    return ranked(dimension, {row[0]: row[1] for row in rows})


def ranked(dimension: Dimension, counts: dict[Any, int]) -> list[dict[str, Any]]:
    """A facet from counts: fixed values in their order, others by count and then by value."""
    order = dimension.values or sorted(counts, key=lambda value: (-counts[value], str(value)))
    return [{dimension.name: value, "count": counts.get(value, 0)} for value in order]


async def facets(
    connection: AsyncConnection,
    table: Row,
    dimensions: Sequence[Dimension],
    filters: BaseModel,
    shown: Sequence[Dimension],
) -> dict[str, list[dict[str, Any]]]:
    """The facets `shown`, each disjunctive: its counts ignore the filter on that same dimension."""
    return {
        f"by_{dimension.name}": await facet(
            connection, table, dimension, conditions(table, dimensions, filters, without=dimension.name)
        )
        for dimension in shown
    }
