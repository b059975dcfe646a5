"""What an export of programmes holds: the list's items, and for IATI the money beside them."""

from contextlib import aclosing
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Select, Text, cast, func, null, select
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from services.mptf.models import ApprovedLine, Programme, Transfer
from services.mptf.reading import DIMENSIONS, known_as
from services.mptf.schemas import ProgrammeFilters
from shared import exports
from shared.database import Database
from shared.exports import Column
from shared.filters import conditions


def _field(name: str, *, number: bool = False) -> Column:
    return Column(name, lambda item: item[name], number)


def _within(outer: str, name: str) -> Column:
    return Column(f"{outer}_{name}", lambda item: (item[outer] or {}).get(name))


def _marker(name: str) -> Column:
    return Column(f"marker_{name}", lambda item: ((item["markers"] or {}).get(name) or {}).get("code"))


COLUMNS = (
    _field("reference"),
    _field("id"),
    _field("title"),
    _field("label"),
    _field("status"),
    _field("scope"),
    _field("countries"),
    _field("regions"),
    _field("route"),
    _field("convening_organisation"),
    _field("participating_organisations"),
    Column("partners", lambda item: [each["name"] for each in item["partners"]]),
    _field("thematic_area"),
    _field("primary_objectives"),
    _field("secondary_objectives"),
    _field("sdg_targets"),
    _field("duration_months", number=True),
    _field("budget_total", number=True),
    _field("currency"),
    Column("budget", lambda item: [f"{each['organisation']}: {each['amount']}" for each in item["budget"]]),
    Column("co_funding", lambda item: [_co_funding(each) for each in item["co_funding"]]),
    _field("transferred", number=True),
    _field("starts_on"),
    _field("ends_on"),
    _marker("gender"),
    _marker("human_rights"),
    _marker("child"),
    _field("rationale"),
    _field("results"),
    Column("principles", lambda item: sorted(item["principles"])),
    _field("version", number=True),
    _field("published_at"),
    _field("updated_at"),
    _field("sample"),
    _field("complete"),
    _within("source", "name"),
    _within("source", "url"),
)


def _co_funding(found: dict[str, Any]) -> str:
    amount = " ".join(part for part in (found["amount"], found["currency"]) if part)
    return f"{found['source']}: {amount}" if amount else str(found["source"])


def _selected(filters: ProgrammeFilters, *columns: Any) -> Select[*tuple[Any, ...]]:
    known_as(filters)
    return (
        select(Programme.body, *columns)
        .where(*conditions(Programme, DIMENSIONS, filters))
        .order_by(Programme.published_at.desc(), Programme.id.desc())
    )


async def count(database: Database, filters: ProgrammeFilters) -> int:
    """How many items there are."""
    known_as(filters)
    async with database.reader.connect() as reader:
        where = conditions(Programme, DIMENSIONS, filters)
        return (await reader.execute(select(func.count()).select_from(Programme).where(*where))).scalar_one()


async def items(database: Database, filters: ProgrammeFilters) -> exports.Batches:
    """The list's items under the same filters, the newest first."""
    async with aclosing(exports.rows(database, _selected(filters))) as batches:
        async for batch in batches:
            yield [row.body for row in batch]


async def items_with_money(database: Database, filters: ProgrammeFilters) -> exports.Batches:
    """The same, each with its approved lines and its transfers: `{"programme", "approved", "transfers"}`."""
    approved = _beside(ApprovedLine, "organisation", amount=ApprovedLine.approved, on=null())
    transfers = _beside(Transfer, "id", amount=Transfer.amount, on=cast(Transfer.transferred_on, Text))
    statement = _selected(filters, approved.label("approved"), transfers.label("transfers"))
    async with aclosing(exports.rows(database, statement)) as batches:
        async for batch in batches:
            yield [
                b'{"programme":'
                + row.body
                + b',"approved":'
                + to_json(row.approved)
                + b',"transfers":'
                + to_json(row.transfers)
                + b"}"
                for row in batch
            ]


def _beside(table: Any, order: str, *, amount: Any, on: Any) -> Any:
    """A programme's rows of a table as JSON; amounts as text, so that no float comes between."""
    row = func.jsonb_build_object("organisation", table.organisation, "amount", cast(amount, Text), "on", on)
    listed = func.jsonb_agg(aggregate_order_by(row, getattr(table, order)))
    rows = select(func.coalesce(listed, cast([], JSONB))).where(table.record_id == Programme.id)
    return rows.correlate(Programme).scalar_subquery()
