"""Lists: keyset pages that stay stable while others write, with opaque cursors bound to what they were made for."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, Field
from pydantic_core import from_json, to_json
from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from shared import search
from shared.problems import Fault, Problem
from shared.schemas import Model

# Relevance is computed over so many matches, the newest, and paged so deep.
RANKED = 1000
DEEP = 1000
# How far back the newest matches are looked for first.
WINDOW = 20_000

T = TypeVar("T")


class Paging(Model):
    """Parameters that every list takes."""

    limit: int = Field(default=20, ge=1, le=100, description="Items on a page.")
    cursor: str | None = Field(default=None, max_length=500, description="`next` of the page before.")
    total: bool = Field(default=False, description="Count all matches too: `total` in the answer.")


class Page(Model, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(description="The cursor of the next page; null on the last one.")
    total: int | None = Field(
        default=None, description="All matches; there only when asked for.", json_schema_extra={"x-private": True}
    )


@dataclass(frozen=True)
class Found:
    """Rows of one page, the cursor of the next and, when asked for, the count of all matches."""

    rows: Sequence[Any]
    next: str | None
    total: int | None


def fingerprint(parameters: BaseModel) -> str:
    """What a cursor is bound to: every parameter but those that only move through the list."""
    bound = parameters.model_dump_json(exclude={"limit", "cursor", "total"})
    return blake2b(bound.encode(), digest_size=6).hexdigest()


def encode(parameters: BaseModel, *position: Any) -> str:
    return urlsafe_b64encode(to_json([fingerprint(parameters), *position])).rstrip(b"=").decode()


def decode(parameters: Paging, kinds: Sequence[type]) -> list[Any] | None:
    """The position in a cursor, or None without one. 422 where it is none of ours or was made for another list."""
    if parameters.cursor is None:
        return None
    try:
        raw = from_json(urlsafe_b64decode(parameters.cursor + "=" * (-len(parameters.cursor) % 4)))
        made_for, *position = raw
        values = [_read(kind, value) for kind, value in zip(kinds, position, strict=True)]
    except (ValueError, TypeError, AttributeError):
        raise _bad_cursor("This is no cursor of this list.") from None
    if made_for != fingerprint(parameters):
        raise _bad_cursor("This cursor belongs to another sort or other filters.")
    return values


def _read(kind: type, value: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment without a zone")
        return moment
    if kind is date:
        return date.fromisoformat(value)
    if kind is UUID:
        return UUID(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(kind.__name__)
    if isinstance(value, int) and not 0 <= value < 2**31:
        raise ValueError("out of range")
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("NUL")
    return value


def _bad_cursor(detail: str) -> Problem:
    return Problem("invalid", detail, [Fault(pointer="?cursor", detail=detail)])


@dataclass(frozen=True)
class Sort:
    """A sort key: its column and the Python type of its values. Columns are NOT NULL, texts collate "C"."""

    column: Any
    kind: type = datetime


async def page(
    connection: AsyncConnection | AsyncSession,
    statement: Select[*tuple[Any, ...]],
    table: Any,
    where: Sequence[ColumnElement[bool]],
    parameters: Paging,
    *,
    sorts: Mapping[str, Sort],
    sort: str,
    words: str | None = None,
    order: Any = None,
    counted: int | None = None,
) -> Found:
    """One page of `statement` over `table`, under `where`.

    `sort` is a key of `sorts`, with `-` for descending. With `words` the order is relevance instead, among the
    newest matches; `order` is a column for `newest`, for tables that may grow large. `counted` is how many match,
    where the caller knows.
    """
    if words is not None:
        return await _ranked(connection, statement, table, where, parameters, words, order)
    descending = sort.startswith("-")
    key = sorts[sort.removeprefix("-")]
    position = decode(parameters, (key.kind, UUID))
    listed = statement.add_columns(key.column.label("sort_value")).where(*where)
    if position is not None:
        here, there = tuple_(key.column, table.id), tuple_(*position)
        listed = listed.where(here < there if descending else here > there)
    order = (key.column.desc(), table.id.desc()) if descending else (key.column, table.id)
    rows = (await connection.execute(listed.order_by(*order).limit(parameters.limit + 1))).all()
    following = None
    if len(rows) > parameters.limit:
        rows = rows[: parameters.limit]
        last = rows[-1]
        following = encode(parameters, last.sort_value, _id(last))
    total = counted if parameters.total and counted is not None else await _total(connection, table, where, parameters)
    return Found(rows, following, total)


def _id(row: Any) -> UUID:
    first = row[0]
    found: UUID = first if isinstance(first, UUID) else first.id
    return found


async def newest(
    connection: AsyncConnection | AsyncSession,
    wanted: Any,
    where: Sequence[ColumnElement[bool]],
    order: Any,
    limit: int,
) -> Sequence[Any]:
    """The `wanted` column of the newest matching rows, at most `limit`; `order` is a whole number that grows.

    Looked for in growing windows of `order`: a common word then reads about as many rows as are asked for, not
    every row that holds it.
    """
    top = (await connection.execute(select(func.coalesce(func.max(order), 0)))).scalar_one()
    window = WINDOW
    while True:
        statement = select(wanted).where(*where, order > top - window).order_by(order.desc()).limit(limit)
        found = (await connection.execute(statement)).scalars().all()
        if len(found) == limit or window > top:
            return found
        window *= 4


async def _ranked(
    connection: AsyncConnection | AsyncSession,
    statement: Select[*tuple[Any, ...]],
    table: Any,
    where: Sequence[ColumnElement[bool]],
    parameters: Paging,
    words: str,
    order: Any,
) -> Found:
    position = decode(parameters, (int,))
    offset = position[0] if position else 0
    if offset >= DEEP:
        raise _bad_cursor(f"Matches are listed {DEEP} deep: add words or filters.")
    matching: Any = select(table.id).where(*where).order_by(table.id.desc()).limit(RANKED)
    if order is not None:
        matching = await newest(connection, table.id, where, order, RANKED)
    relevance = search.rank(table.search, words)
    listed = (
        statement.where(table.id.in_(matching))
        .order_by(relevance.desc(), table.id.desc())
        .offset(offset)
        .limit(parameters.limit + 1)
    )
    rows = (await connection.execute(listed)).all()
    reached = offset + parameters.limit
    following = encode(parameters, reached) if len(rows) > parameters.limit and reached < DEEP else None
    rows = rows[: min(parameters.limit, DEEP - offset)]
    return Found(rows, following, await _total(connection, table, where, parameters))


async def _total(
    connection: AsyncConnection | AsyncSession, table: Any, where: Sequence[ColumnElement[bool]], parameters: Paging
) -> int | None:
    if not parameters.total:
        return None
    return (await connection.execute(select(func.count()).select_from(table).where(*where))).scalar_one()


def body(items: Sequence[bytes], found: Found) -> bytes:
    """The answer's bytes from items that are rendered already."""
    end = b',"next":' + to_json(found.next)
    if found.total is not None:
        end += b',"total":' + str(found.total).encode()
    return b'{"items":[' + b",".join(items) + b"]" + end + b"}"


def link(request: Request, following: str | None) -> dict[str, str]:
    """The Link field to the next page, relative to the gateway as every link is."""
    if following is None:
        return {}
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return {"link": f'<{request.url.path}?{urlencode([*query, ("cursor", following)])}>; rel="next"'}
