"""Exports: a list's items as CSV, XLSX or JSON Lines, streamed from one snapshot in constant memory."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import xlsxwriter
from fastapi import Request
from pydantic import Field
from pydantic_core import from_json
from sqlalchemy import Select
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from xlsxwriter.utility import xl_col_to_name

from shared import clock
from shared.database import Database
from shared.problems import Fault, Problem
from shared.schemas import Model

Format = Literal["csv", "xlsx", "jsonl"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}
BATCH = 500
# A reader that takes nothing for so long (seconds) is given up: it holds a snapshot of the database.
STALL = 60.0
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
# From here on the sheet may pass 2 GiB unpacked, which the ZIP must foresee; smaller files stay in the old form,
# which every spreadsheet reads.
LARGE = 200_000

# A spreadsheet takes such text for a formula, a CSV's as much as a sheet's.
_FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ESCAPE_OF_EXCEL = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,4})?")

Item = Mapping[str, Any]
Batches = AsyncGenerator[Sequence[bytes], None]


class Exporting(Model):
    """Parameters of every export."""

    format: Format | None = Field(default=None, description="Unless given, what `Accept` prefers; else CSV.")
    bom: bool = Field(default=False, description="For CSV: begin with a byte order mark, as some spreadsheets need.")


@dataclass(frozen=True)
class Column:
    """A column of the CSV and the sheet: its name, and its value in an item; a `number` is one in the sheet too."""

    name: str
    value: Callable[[Item], Any]
    number: bool = False


def documented(what: str) -> dict[int | str, dict[str, Any]]:
    """FastAPI's `responses=` for an export, each form with its media type."""
    schema = {"type": "string", "format": "binary"}
    content = {media_type.partition(";")[0]: {"schema": schema} for media_type in MEDIA_TYPES.values()}
    return {200: {"description": what, "content": content}}


async def rows(database: Database, statement: Select[*tuple[Any, ...]]) -> AsyncGenerator[Sequence[Any], None]:
    """The statement's rows in batches, all of one snapshot, by a cursor in the server and a session of its own.

    Raises Problem 503 where as many streams as the service takes are running.
    """
    try:
        async with asyncio.timeout(5):
            await database.streams.acquire()
    except TimeoutError:
        raise Problem("unavailable", "Many exports are running. Retry.", headers={"retry-after": "10"}) from None
    try:
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True, "yield_per": BATCH}
        async with database.engine.connect() as plain:
            connection = await plain.execution_options(**options)
            # Not `async with`: that leaves the cursor open where the reader of this leaves.
            result = await connection.stream(statement)
            try:
                async for batch in result.partitions():
                    yield batch
            finally:
                await result.close()
    finally:
        database.streams.release()


def choose(request: Request, wanted: Format | None) -> Format:
    """The form asked for, or the first that Accept names, or CSV."""
    if wanted is not None:
        return wanted
    for part in request.headers.get("accept", "").split(","):
        media_type = part.partition(";")[0].strip().lower()
        for form, known in MEDIA_TYPES.items():
            if media_type == known.partition(";")[0]:
                return form
    return "csv"


async def answer(
    form: Format, name: str, columns: Sequence[Column], items: Batches, *, total: int = 0, bom: bool = False
) -> StreamingResponse:
    """The export of `items` (JSON objects, rendered) as a file called `name` and the day.

    200 goes out only once the first batch is there. `total` is how many rows there are, for a sheet: 422 where it
    cannot hold them.
    """
    if form == "xlsx" and total >= SHEET_ROWS:
        fault = Fault(pointer="?format", detail=f"A sheet holds {SHEET_ROWS - 1} rows; these are {total}.")
        raise Problem("invalid", "Choose csv or jsonl, or filter.", [fault])
    ready = await begun(items)
    written = {
        "csv": lambda: _csv(columns, ready, bom=bom),
        "xlsx": lambda: _xlsx(columns, ready, name, large=total > LARGE),
        "jsonl": lambda: _jsonl(ready),
    }[form]()
    filename = f"{name}-{clock.today().isoformat()}.{form}"
    headers = {
        "content-disposition": f'attachment; filename="{filename}"',
        "cache-control": "no-store",
        "vary": "Accept, Authorization",
        "content-type": MEDIA_TYPES[form],
    }
    return Stream(written, items, headers)


class Stream(StreamingResponse):
    """A streamed answer that lets go of what it reads from however it ends, and of a reader that takes nothing."""

    def __init__(self, content: AsyncGenerator[bytes, None], items: Batches, headers: Mapping[str, str]) -> None:
        super().__init__(content, headers=headers)
        self.content = content
        self.items = items

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patiently(message: Message) -> None:
            async with asyncio.timeout(STALL):
                await send(message)

        # The content may never be begun: then closing it would not reach the items.
        async with aclosing(self.items), aclosing(self.content):
            # A reader who leaves is no fault of ours; the server cuts one who fell asleep.
            with suppress(ClientDisconnect):
                await super().__call__(scope, receive, patiently)


async def begun(items: Batches) -> Batches:
    """The same batches with the first one read, so that 200 goes out only once it is there."""
    first: Sequence[bytes] = ()
    with suppress(StopAsyncIteration):
        first = await anext(items)
    return _again(first, items)


async def _again(first: Sequence[bytes], rest: Batches) -> Batches:
    async with aclosing(rest):
        yield first
        async for batch in rest:
            yield batch


async def _jsonl(items: Batches) -> AsyncGenerator[bytes, None]:
    async with aclosing(items):
        async for batch in items:
            yield b"".join(item + b"\n" for item in batch)


async def _csv(columns: Sequence[Column], items: Batches, *, bom: bool) -> AsyncGenerator[bytes, None]:
    def render(lines: Iterable[Sequence[Any]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(lines)
        return text.getvalue().encode("utf-8", "replace")

    async with aclosing(items):
        yield (b"\xef\xbb\xbf" if bom else b"") + render([[column.name for column in columns]])
        async for batch in items:
            yield await asyncio.to_thread(render, _cells(columns, batch))


def _cells(columns: Sequence[Column], batch: Sequence[bytes]) -> Iterable[list[Any]]:
    for item in map(from_json, batch):
        yield [cell(column.value(item), number=column.number) for column in columns]


def cell(value: Any, *, number: bool = False) -> str:
    """A value as text; what a spreadsheet would take for a formula gets an apostrophe before it."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return cell("; ".join(map(str, value)))
        case str() if not number and _FORMULA.match(value):
            return "'" + value
    return str(value)


class _Sink(io.RawIOBase):
    """What the ZIP is written to: chunks that are given away as they come."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.chunks.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self.chunks)
        self.chunks.clear()
        return taken


async def _xlsx(columns: Sequence[Column], items: Batches, name: str, *, large: bool) -> AsyncGenerator[bytes, None]:
    """A workbook as the library makes it, with rows written into its sheet while they come."""
    parts, before, after = await asyncio.to_thread(_workbook, columns, name)
    letters = [xl_col_to_name(number) for number in range(len(columns))]
    sink = _Sink()
    row = 1
    async with aclosing(items):
        # Level 3: half the time of the usual 6 for a tenth more bytes.
        with ZipFile(sink, "w", ZIP_DEFLATED, compresslevel=3) as archive:
            for part, content in parts.items():
                archive.writestr(part, content)
            with archive.open(SHEET, "w", force_zip64=large) as sheet:
                sheet.write(before)
                async for batch in items:

                    def write(batch: Sequence[bytes] = batch, row: int = row) -> None:
                        sheet.write(_sheet_rows(columns, letters, batch, row).encode())

                    await asyncio.to_thread(write)
                    row += len(batch)
                    if row > SHEET_ROWS:
                        raise RuntimeError("more rows than a sheet holds came while it was written")
                    yield sink.take()
                sheet.write(after)
        yield sink.take()


SHEET = "xl/worksheets/sheet1.xml"


def _workbook(columns: Sequence[Column], name: str) -> tuple[dict[str, bytes], bytes, bytes]:
    """A workbook with its header alone: its parts, and its sheet cut where rows go."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "constant_memory": False}) as workbook:
        sheet = workbook.add_worksheet(name[:31])
        bold = workbook.add_format({"bold": True})
        for number, column in enumerate(columns):
            sheet.write_string(0, number, column.name, bold)
        sheet.set_column(0, len(columns) - 1, 18)
        sheet.freeze_panes(1, 0)
    with ZipFile(made) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    before, mark, after = parts.pop(SHEET).partition(b"</sheetData>")
    # The extent is not known yet; it may be left out.
    return parts, re.sub(rb"<dimension [^>]*/>", b"", before), mark + after


def _sheet_rows(columns: Sequence[Column], letters: Sequence[str], batch: Sequence[bytes], row: int) -> str:
    written = []
    for offset, values in enumerate(_cells(columns, batch), row + 1):
        written.append(f'<row r="{offset}">')
        for letter, column, value in zip(letters, columns, values, strict=True):
            if not value:
                continue
            if column.number and _NUMBER.fullmatch(value):
                written.append(f'<c r="{letter}{offset}"><v>{value}</v></c>')
            else:
                text = escape(_ESCAPE_OF_EXCEL.sub("_x005F_", _NOT_XML.sub("", value[:CELL_CHARACTERS])))
                written.append(f'<c r="{letter}{offset}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>')
        written.append("</row>")
    return "".join(written)
