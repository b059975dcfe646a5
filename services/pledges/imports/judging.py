"""A row of a spreadsheet as a pledge, or what is wrong with each of its cells."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from services.pledges import schemas
from services.pledges.completeness import gaps
from services.pledges.imports import values
from shared import clock
from shared.schemas import Line, Slug, WebAddress

COLUMNS_FILE = Path(__file__).parents[1] / "data" / "import_columns.json"
NEEDED = ("external_id", "owner", "title")
# Fields beside the content, each with what it must be.
BESIDE: dict[str, TypeAdapter[Any]] = {
    "external_id": TypeAdapter(Line),
    "owner": TypeAdapter(Slug),
    "source_name": TypeAdapter(Line),
    "source_url": TypeAdapter(WebAddress),
}


class Column(NamedTuple):
    """A column of an import: the field it fills, how its cells are read, where the value goes in a pledge."""

    name: str
    kind: str
    path: tuple[str | int, ...]
    labels: dict[str, str]


class CellFault(NamedTuple):
    """What is wrong in a cell; `column` is the field's name."""

    cell: str | None
    column: str | None
    detail: str


@dataclass(frozen=True)
class Judged:
    """A row: `staged` is what to create, None where there are faults."""

    external_id: str | None
    staged: dict[str, Any] | None
    faults: list[CellFault]
    gaps: list[str]


@cache
def _known() -> tuple[tuple[Column, ...], dict[str, Column]]:
    columns: list[Column] = []
    names: dict[str, Column] = {}
    for row in json.loads(COLUMNS_FILE.read_text("utf-8")):
        labels = {language: row[language][0] for language in ("en", "fr", "es")}
        column = Column(row["name"], row["kind"], tuple(row.get("path", ())), labels)
        columns.append(column)
        for name in (row["name"], *row["en"], *row["fr"], *row["es"]):
            names.setdefault(values.plain(name), column)
    return tuple(columns), names


def columns() -> tuple[Column, ...]:
    """Every column an import may have, in the template's order."""
    return _known()[0]


def find(name: str) -> Column | None:
    """The column of this name in any of the three languages; a number after an indicator's tells which one."""
    found = _known()[1].get(plain := values.plain(name))
    if found is None and (numbered := re.fullmatch(r"(.+?) ([1-9]|10)", plain)):
        found = _known()[1].get(numbered[1])
        if found is None or found.path[:1] != ("indicators",):
            return None
        path = ("indicators", int(numbered[2]) - 1, *found.path[2:])
        name = found.name if numbered[2] == "1" else f"{found.name}_{numbered[2]}"
        found = found._replace(path=path, name=name)
    return found


def letter(index: int) -> str:
    """A column's letters in a spreadsheet, from its index (0 is A)."""
    rest, last = divmod(index, 26)
    return (letter(rest - 1) if rest else "") + chr(65 + last)


def header(cells: Sequence[Any], row: int) -> tuple[dict[int, Column], list[CellFault]]:
    """The columns by their index, and what is wrong with the header."""
    found: dict[int, Column] = {}
    faults: list[CellFault] = []
    for index, cell in enumerate(cells):
        name = values.words(cell) if not isinstance(cell, dict) else ""
        place = f"{letter(index)}{row}"
        column = find(name) if name else None
        if column is None:
            if cell not in (None, ""):
                faults.append(CellFault(place, None, f"No column of an import is called “{name[:80]}”."))
        elif column.name in {each.name for each in found.values()}:
            faults.append(CellFault(place, column.name, "This column stands twice."))
        else:
            found[index] = column
    present = {column.name for column in found.values()}
    faults += [CellFault(None, name, "This column is missing.") for name in NEEDED if name not in present]
    return found, faults


def judge(known: Mapping[int, Column], cells: Sequence[Any], row: int) -> Judged:
    """One row."""
    faults: list[CellFault] = []
    content: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    places = {column.name: f"{letter(index)}{row}" for index, column in known.items()}

    def blame(name: str | None, detail: str) -> None:
        faults.append(CellFault(places.get(name or ""), name, detail))

    for index, column in known.items():
        cell = cells[index] if index < len(cells) else None
        try:
            value = values.read(column.kind, cell)
        except ValueError as error:
            blame(column.name, str(error))
            continue
        if value is None or value == []:
            continue
        if column.path:
            _put(content, column.path, value)
        else:
            beside[column.name] = value
    spoilt = {fault.column for fault in faults}
    for name, adapter in BESIDE.items():
        try:
            if name in beside:
                beside[name] = adapter.validate_python(beside[name])
        except ValidationError as error:
            blame(name, error.errors()[0]["msg"])
    for name in NEEDED:
        if name not in spoilt and name not in beside and name not in content:
            blame(name, "A value is needed.")
    draft = _validated(content, known, blame)
    _judge_publication(beside, blame)
    external_id = beside.get("external_id") if "external_id" not in spoilt else None
    if faults or draft is None:
        return Judged(external_id, None, faults, [])
    missing = [gap.pointer for gap in gaps(draft)]
    source = {name: beside.get(f"source_{name}") for name in ("name", "url", "note")}
    staged = {
        "content": draft,
        "owner": beside["owner"],
        "status": beside.get("status", "draft"),
        "source": source if source["name"] else None,
        "published_on": beside.get("published_on"),
        # The contact is asked of people, not of registers.
        "complete": all(pointer.startswith("/contact") for pointer in missing),
    }
    return Judged(external_id, staged, [], missing)


def _put(content: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    match path:
        case (str(outer), int(index), str(inner)):
            listed = content.setdefault(outer, [])
            listed += [{} for _ in range(index + 1 - len(listed))]
            listed[index][inner] = value
        case (str(outer), str(inner)):
            content.setdefault(outer, {})[inner] = value
        case (str(outer),):
            content[outer] = value


def _validated(content: dict[str, Any], known: Mapping[int, Column], blame: Any) -> dict[str, Any] | None:
    """The content as the draft model writes it; what it refuses is blamed on the column it came from."""
    # Indicators may be numbered with gaps between them.
    kept = [index for index, each in enumerate(content.get("indicators", [])) if each]
    if kept:
        content["indicators"] = [content["indicators"][index] for index in kept]
    try:
        return schemas.content_of(schemas.PledgeDraft.model_validate(content))
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            place = fault["loc"]
            if place[0] == "indicators" and len(place) > 1:
                place = ("indicators", kept[int(place[1])], *place[2:])
            column = next((c.name for c in known.values() if c.path and place[: len(c.path)] == c.path), None)
            if column is None:
                column = next((c.name for c in known.values() if c.path[:1] == place[:1]), None)
            blame(column, fault["msg"])
        return None


def _judge_publication(beside: Mapping[str, Any], blame: Any) -> None:
    day = beside.get("published_on")
    if beside.get("status") == "published":
        if not beside.get("source_name"):
            blame("source_name", "A published record names the register it comes from.")
        if day and day > clock.today().isoformat():
            blame("published_on", "This day has not come yet.")
    elif day:
        blame("published_on", "A draft has no date of publication.")
