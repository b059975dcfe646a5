"""A spreadsheet as lines of JSON, read in a process of its own that may take so much memory and time and no more.

`python -m services.pledges.imports.reading csv|xlsx PATH` writes `[number, [cell, …]]` for each row that is not
empty, counted as the spreadsheet counts, or `{"error": "…"}` last. A cell is text, a number, true or false, null,
`{"date": "2024-06-01"}` or `{"formula": true}`.
"""

import codecs
import csv
import datetime
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zipfile import BadZipFile, ZipFile

from shared.confined import confine

MEMORY = 448 * 1024 * 1024
SECONDS = 90
ROWS = 50_000
COLUMNS = 400
CELL = 40_000
PARTS = 2_000
UNPACKED = 200 * 1024 * 1024

Cell = Any


class UnreadableError(Exception):
    """Why the file cannot be read, for whoever sent it."""


def read(form: str, path: Path) -> Iterator[tuple[int, list[Cell]]]:
    """The rows that hold anything, with their numbers. Raises UnreadableError."""
    rows = _xlsx(path) if form == "xlsx" else _csv(path)
    for number, row in rows:
        if number > ROWS + 1:
            raise UnreadableError(f"The file has more than {ROWS} rows: send it in parts.")
        if len(row) > COLUMNS:
            raise UnreadableError(f"Row {number} has more than {COLUMNS} cells.")
        if any(cell not in (None, "") for cell in row):
            yield number, row


# ---------------------------------------------------------------- CSV


def _csv(path: Path) -> Iterator[tuple[int, list[Cell]]]:
    csv.field_size_limit(CELL)
    try:
        with path.open(encoding=encoding(path), newline="") as lines:
            header = lines.readline()
            said = re.fullmatch(r"sep=(.)\s*", header, re.IGNORECASE)
            if not said:
                lines.seek(0)
            reader = csv.reader(lines, delimiter=said[1] if said else guess_delimiter(header), strict=True)
            for number, row in enumerate(reader, 2 if said else 1):
                if any("\x00" in cell for cell in row):
                    raise UnreadableError("The file holds NUL characters: it is no CSV.")
                yield number, [_typed(cell) for cell in row]
    except csv.Error as error:
        raise UnreadableError(f"The CSV breaks off its own rules: {error}.") from None
    except UnicodeError:
        raise UnreadableError("The text's encoding is none of UTF-8, UTF-16 and Windows-1252.") from None


def encoding(path: Path) -> str:
    """UTF-8, UTF-16 or Windows-1252, as spreadsheets save text."""
    with path.open("rb") as file:
        head = file.read(200)
        for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
            if head.startswith(mark):
                return name
        # Without a mark: Latin text in UTF-16 has every other byte empty.
        if b"\x00" in head:
            return "utf-16-le" if head[1:2] == b"\x00" else "utf-16-be"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while piece := file.read(1024 * 1024):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
        return "utf-8"


def guess_delimiter(header: str) -> str:
    """The one of comma, semicolon and tab that the header is cut by."""
    return max(",;\t", key=re.sub(r'"[^"]*"', "", header).count)


def _typed(cell: str) -> Cell:
    return {"formula": True} if cell.startswith("=") else cell


# ---------------------------------------------------------------- XLSX

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATED = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def _xlsx(path: Path) -> Iterator[tuple[int, list[Cell]]]:
    import python_calamine  # noqa: PLC0415 - a CSV is read without it

    if path.open("rb").read(4) == b"\xd0\xcf\x11\xe0":
        raise UnreadableError("The workbook is protected by a password, or of the old kind (.xls): save it as .xlsx.")
    try:
        with ZipFile(path) as archive:
            formulas = _inspect(archive)
    except (BadZipFile, zlib.error, ET.ParseError, KeyError, EOFError, OSError, NotImplementedError, RuntimeError):
        raise UnreadableError("The workbook is broken: it cannot be unpacked.") from None
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        sheet = workbook.get_sheet_by_index(0)
        values = sheet.to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, ValueError):
        raise UnreadableError("The workbook is broken: it cannot be read.") from None
    for number, row in enumerate(values, 1):
        yield number, [_plain(cell, (number, column) in formulas) for column, cell in enumerate(row)]


def _inspect(archive: ZipFile) -> set[tuple[int, int]]:
    """Refuse what would burst when unpacked; where the first sheet has formulas (row, column from 0)."""
    parts = archive.infolist()
    if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED:
        raise UnreadableError("The workbook is too large once unpacked.")
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise UnreadableError("The workbook holds macros: save it as .xlsx without them.")
    # Sizes and checksums are read through once, so that what the archive says of itself is true.
    if archive.testzip() is not None:
        raise BadZipFile
    formulas = set()
    with archive.open(_first_sheet(archive)) as sheet:
        for _, element in ET.iterparse(sheet):  # noqa: S314 - expat bounds entities, and memory is bounded here
            if element.tag == f"{_MAIN}c":
                place = _place(element.get("r", ""))
                if place is not None:
                    if place[0] > ROWS + 1 or place[1] >= COLUMNS:
                        raise UnreadableError(
                            f"The sheet reaches beyond {ROWS} rows or {COLUMNS} columns, to {element.get('r')}."
                        )
                    if element.find(f"{_MAIN}f") is not None:
                        formulas.add(place)
            elif element.tag == f"{_MAIN}row":
                element.clear()
    return formulas


def _first_sheet(archive: ZipFile) -> str:
    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
    sheet = book.find(f"{_MAIN}sheets/{_MAIN}sheet")
    related = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
    targets = {each.get("Id"): each.get("Target", "") for each in related.iter(f"{_RELATED}Relationship")}
    target = targets[sheet.get(_ID) if sheet is not None else None]
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _place(reference: str) -> tuple[int, int] | None:
    match = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference)
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    return int(match[2]), column - 1


def _plain(cell: Cell, formula: bool) -> Cell:
    if formula:
        return {"formula": True}
    match cell:
        case datetime.datetime() | datetime.date():
            return {"date": cell.isoformat()[:10]}
        case datetime.time() | datetime.timedelta():
            return str(cell)
        case str():
            return _typed(cell[:CELL])
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return int(cell)
    return cell


def write(rows: Iterable[tuple[int, list[Cell]]]) -> None:
    try:
        for number, row in rows:
            sys.stdout.write(json.dumps([number, row]) + "\n")
    except UnreadableError as error:
        sys.stdout.write(json.dumps({"error": str(error)}) + "\n")
    except MemoryError:
        sys.stdout.write(json.dumps({"error": "The file is too large once unpacked."}) + "\n")


if __name__ == "__main__":
    confine(MEMORY, SECONDS)
    write(read(sys.argv[1], Path(sys.argv[2])))
