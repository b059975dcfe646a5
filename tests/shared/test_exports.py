"""What exports cost: memory that does not grow with the rows, and files that stay whole when they are large."""

import io
import tracemalloc
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from pydantic_core import to_json
from python_calamine import CalamineWorkbook

from shared import exports
from shared.exports import Column, cell

COLUMNS = (
    Column("number", lambda item: item["number"], number=True),
    Column("text", lambda item: item["text"]),
    Column("many", lambda item: item["many"]),
)


async def items(count: int) -> AsyncGenerator[Sequence[bytes], None]:
    for start in range(0, count, exports.BATCH):
        yield [
            to_json({"number": f"{number}.5", "text": f"Row {number} " + "words " * 300, "many": ["a", "b"]})
            for number in range(start, min(start + exports.BATCH, count))
        ]


async def size(form: exports.Format, count: int) -> int:
    """Write an export to nowhere; its bytes."""
    response = await exports.answer(form, "rows", COLUMNS, items(count), total=count)
    written = 0
    async for chunk in response.content:  # type: ignore[attr-defined]
        written += len(chunk)
    return written


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
async def test_memory_does_not_grow_with_the_rows(form: exports.Format) -> None:
    await size(form, exports.BATCH)
    tracemalloc.start()
    try:
        peaks = []
        for count in (2_000, 20_000):
            tracemalloc.reset_peak()
            await size(form, count)
            peaks.append(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5 + 1_000_000


@pytest.mark.parametrize("large", [False, True])
async def test_a_sheet_is_whole_also_in_the_form_for_large_ones(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "LARGE", 0 if large else 10_000)
    response = await exports.answer("xlsx", "rows", COLUMNS, items(1_234), total=1_234)
    content = b"".join([bytes(chunk) async for chunk in response.body_iterator])  # type: ignore[arg-type]
    header, *rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert header == ["number", "text", "many"]
    assert [row[0] for row in rows] == [number + 0.5 for number in range(1_234)]
    assert {row[2] for row in rows} == {"a; b"}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1", "'\uff1d1"),
        (["-a", "b"], "'-a; b"),
        (" =1", " =1"),
        ("1-1", "1-1"),
        ("", ""),
        (None, ""),
        (False, "false"),
        (0, "0"),
    ],
)
def test_what_would_compute_is_text(value: Any, written: str) -> None:
    assert cell(value) == written


def test_a_number_keeps_its_sign() -> None:
    assert cell("-12.5", number=True) == "-12.5"
