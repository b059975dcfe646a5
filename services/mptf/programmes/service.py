"""The portfolio in numbers: budgets in USD, contributions by currency; the unknown is counted, never taken for 0."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.mptf.lifecycle import PIPELINE, PORTFOLIO
from services.mptf.models import ConceptNote, Contribution, Programme, Transfer
from services.mptf.programmes.projection import money
from services.mptf.reading import DIMENSIONS, known_as
from services.mptf.schemas import ProgrammeFilters
from shared.filters import Dimension, conditions

Where = Sequence[ColumnElement[bool]]
PROPOSED = ("eligible", *PIPELINE)
BY_NAME = {dimension.name: dimension for dimension in DIMENSIONS}
NOTHING: dict[str, Any] = {"count": 0, "amount": None, "unknown": 0}


def _sum(count: int, amount: Decimal | None, unknown: int) -> dict[str, Any]:
    return {"count": count, "amount": money(amount), "unknown": unknown}


async def _grouped(
    connection: AsyncConnection, table: Any, dimension: Dimension, where: Where
) -> dict[Any, dict[str, Any]]:
    """Count and budget by the values of a dimension; an organisation's budget is its own lines."""
    column = getattr(table, dimension.column)
    statement: Select[Any]
    if dimension.name == "organisation":
        pairs = func.unnest(column, table.amounts).table_valued("value", "budget").render_derived()
        statement = select(pairs.c.value, pairs.c.budget).select_from(table).join(pairs, literal(True))
    else:
        value = func.unnest(column) if dimension.many else column
        statement = select(value.label("value"), table.budget.label("budget"))
    rows = statement.where(and_(literal(True), *where)).subquery()
    counted = select(
        rows.c.value, func.count(), func.sum(rows.c.budget), func.count().filter(rows.c.budget.is_(None))
    ).where(rows.c.value.is_not(None))
    found = await connection.execute(counted.group_by(rows.c.value))
    return {row[0]: _sum(row[1], row[2], row[3]) for row in found}


def _listed(dimension: Dimension, sums: dict[Any, dict[str, Any]]) -> list[dict[str, Any]]:
    """Fixed values in their order, others by count and then by value."""
    order = dimension.values or sorted(sums, key=lambda value: (-sums[value]["count"], str(value)))
    return [{dimension.name: value, **sums.get(value, NOTHING)} for value in order]


async def _total(connection: AsyncConnection, table: Any, where: Where) -> dict[str, Any]:
    statement = select(func.count(), func.sum(table.budget), func.count().filter(table.budget.is_(None)))
    row = (await connection.execute(statement.select_from(table).where(*where))).one()
    return _sum(row[0], row[1], row[2])


async def summary(connection: AsyncConnection, filters: ProgrammeFilters) -> dict[str, Any]:
    """What everybody may know of the Fund; the filters leave out programmes, not contributions."""
    known_as(filters)
    where = conditions(Programme, DIMENSIONS, filters)
    budget = await _total(connection, Programme, where)
    transferred = await connection.execute(
        select(func.coalesce(func.sum(Transfer.amount), 0))
        .join(Programme, Programme.id == Transfer.record_id)
        .where(*where)
    )
    facets = {}
    for name in ("status", "thematic_area", "region", "country", "organisation"):
        others = conditions(Programme, DIMENSIONS, filters, without=name)
        facets[f"by_{name}"] = _listed(BY_NAME[name], await _grouped(connection, Programme, BY_NAME[name], others))
    return {
        "total": budget["count"],
        "currency": "USD",
        "budget": budget,
        "transferred": money(transferred.scalar_one()),
        **facets,
        **await _contributions(connection),
    }


async def _contributions(connection: AsyncConnection) -> dict[str, Any]:
    table = Contribution
    counts = (func.count(), func.sum(table.amount), func.count().filter(table.amount.is_(None)))
    by_currency = await connection.execute(
        select(table.currency, *counts)
        .where(table.currency.is_not(None))
        .group_by(table.currency)
        .order_by(table.currency)
    )
    by_donor = await connection.execute(
        select(table.donor, table.country, table.currency, *counts)
        .group_by(table.donor, table.country, table.currency)
        .order_by(table.donor, table.currency)
    )
    area = func.unnest(table.thematic_areas).label("area")
    earmarked = select(area, table.currency, table.amount).subquery()
    earmarks = await connection.execute(
        select(
            earmarked.c.area,
            earmarked.c.currency,
            func.count(),
            func.sum(earmarked.c.amount),
            func.count().filter(earmarked.c.amount.is_(None)),
        )
        .group_by(earmarked.c.area, earmarked.c.currency)
        .order_by(earmarked.c.area, earmarked.c.currency)
    )
    return {
        "contributions": [{"currency": row[0], "amount": money(row[2]), "count": row[1]} for row in by_currency],
        "contributions_by_donor": [
            {"donor": row[0], "country": row[1], "currency": row[2], **_sum(row[3], row[4], row[5])} for row in by_donor
        ],
        "contributions_by_thematic_area": [
            {"thematic_area": row[0], "currency": row[1], **_sum(row[2], row[3], row[4])} for row in earmarks
        ],
    }


async def balance(connection: AsyncConnection) -> dict[str, Any]:
    """What is proposed and what is funded by thematic area, region and country."""
    sides: dict[str, Where] = {
        "proposed": [ConceptNote.status.in_(PROPOSED)],
        "funded": [ConceptNote.status.in_(PORTFOLIO)],
    }
    answer: dict[str, Any] = {side: await _total(connection, ConceptNote, where) for side, where in sides.items()}
    for name in ("thematic_area", "region", "country"):
        found = {side: await _grouped(connection, ConceptNote, BY_NAME[name], where) for side, where in sides.items()}
        values = BY_NAME[name].values or sorted({*found["proposed"], *found["funded"]})
        answer[f"by_{name}"] = [
            {name: value, **{side: sums.get(value, NOTHING) for side, sums in found.items()}} for value in values
        ]
    return {**answer, "currency": "USD"}
