"""What an export of pledges holds: the list's items, a column for each public field."""

from contextlib import aclosing
from typing import Any

from sqlalchemy import func, select

from services.pledges import schemas
from services.pledges.dimensions import DIMENSIONS
from services.pledges.models import PublishedPledge
from services.pledges.published import public_body
from shared import exports
from shared.database import Database
from shared.exports import Column
from shared.filters import conditions


def _field(name: str, *, number: bool = False) -> Column:
    return Column(name, lambda item: item[name], number)


def _within(outer: str, name: str, *, number: bool = False) -> Column:
    return Column(f"{outer}_{name}", lambda item: (item[outer] or {}).get(name), number)


def _indicator(found: dict[str, Any]) -> str:
    """`Licensed agencies: 12 → 200 agencies by 2028`, as far as it is known."""
    target = found.get("target") or found.get("target_text")
    way = " → ".join(part for part in (found.get("baseline"), target) if part)
    text = f"{found['name']}: {way}" if way else str(found["name"])
    text += f" {found['unit']}" if found.get("unit") else ""
    return text + (f" by {found['due_on']}" if found.get("due_on") else "")


COLUMNS = (
    _field("reference"),
    _field("id"),
    _field("title"),
    _field("description"),
    _field("language"),
    _within("entity", "name"),
    _within("entity", "type"),
    _within("entity", "country"),
    _field("approach"),
    Column("participants", lambda item: [each["name"] for each in item["participants"]]),
    _field("matches"),
    Column("matched_by", lambda item: [each["reference"] for each in item["matched_by"]]),
    _field("forms"),
    _field("objectives"),
    _field("principles"),
    _field("gcm_actions"),
    _field("countries"),
    _field("regions"),
    _field("scope"),
    _field("starts_on"),
    _field("ends_on"),
    Column("indicators", lambda item: [_indicator(each) for each in item["indicators"]]),
    _within("financial", "amount", number=True),
    _within("financial", "currency"),
    _within("financial", "recipient"),
    _field("implementation_status"),
    _field("last_reported_on"),
    _field("freshness"),
    _field("version", number=True),
    _field("published_at"),
    _field("updated_at"),
    _field("sample"),
    _field("complete"),
    _within("source", "name"),
    _within("source", "url"),
)


async def count(database: Database, filters: schemas.PledgeFilters) -> int:
    """How many items there are; the connection is given back before the export asks for its own."""
    where = conditions(PublishedPledge, DIMENSIONS, filters)
    async with database.reader.connect() as reader:
        return (await reader.execute(select(func.count()).select_from(PublishedPledge).where(*where))).scalar_one()


async def items(database: Database, filters: schemas.PledgeFilters) -> exports.Batches:
    """The list's items under the same filters, the newest first."""
    table = PublishedPledge
    statement = (
        select(table.body, table.fresh_since)
        .where(*conditions(table, DIMENSIONS, filters))
        .order_by(table.published_at.desc(), table.id.desc())
    )
    async with aclosing(exports.rows(database, statement)) as batches:
        async for batch in batches:
            yield [public_body(row.body, row.fresh_since) for row in batch]
