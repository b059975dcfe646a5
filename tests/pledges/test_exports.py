"""Exports as files that spreadsheets and programs open: what the list shows, nothing private, nothing that computes."""

import asyncio
import csv
import io
import json
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from python_calamine import CalamineWorkbook

from shared import clock
from tests.clients import Api
from tests.pledges.conftest import KENYA, PERU, SECRETARIAT
from tests.pledges.content import complete

EXPORT = "/v1/pledges/export"
TRAP = '=HYPERLINK("https://evil.example","Click")'


async def publish(api: Api, by: str = KENYA, **changes: Any) -> str:
    made = await api.post("/v1/pledges", by=by, json=complete(**changes))
    assert made.status_code == 201, made.text
    where: str = made.headers["location"]
    for action, who in (("submit", by), ("publish", SECRETARIAT)):
        moved = await api.post(f"{where}/actions/{action}", by=who)
        assert moved.status_code == 200, moved.text
    return where


@pytest.fixture(scope="module")
async def published(api: Api) -> list[str]:
    return [
        await publish(api, title="Exported first"),
        await publish(api, title=TRAP, description="-1+cmd|' /C calc'!A0 " * 20, countries=["PER"]),
        await publish(
            api,
            PERU,
            title="Señales <&> \u000b\x01 “quoted”, _x000D_ 第三",
            entity={"name": "@Peru", "type": "member_state", "country": "PER"},
            forms=["financial", "process"],
            financial={"amount": "200000.50", "currency": "EUR", "recipient": "+Fund"},
            objectives=[3, 19],
            indicators=[
                {"name": "Agencies", "baseline": "-1", "target": "5", "unit": "agencies", "due_on": "2028"},
                {"name": "Trust", "target_text": "more"},
            ],
        ),
    ]


async def listed(api: Api, **filters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    parameters = {"limit": 100, **filters}
    while True:
        page = (await api.get("/v1/pledges", params=parameters)).json()
        items += page["items"]
        if page["next"] is None:
            return items
        parameters["cursor"] = page["next"]


def read_csv(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": EXPORT,
    "raw_path": EXPORT.encode(),
    "query_string": b"format=csv",
    "root_path": "",
    "headers": [],
}

FILTERS: list[dict[str, Any]] = [
    {},
    {"country": ["PER"]},
    {"objective": [3, 6], "form": "financial"},
    {"q": "Exported"},
    {"country": "FRA"},
]


def strictly(content: bytes) -> Worksheet:
    """The sheet as a second reader has it, one that minds the standard."""
    sheet = load_workbook(io.BytesIO(content)).active
    assert isinstance(sheet, Worksheet)
    return sheet


@pytest.mark.parametrize("filters", FILTERS)
async def test_each_form_holds_exactly_what_the_list_shows(
    api: Api, published: list[str], filters: dict[str, Any]
) -> None:
    items = sorted(await listed(api, **filters), key=lambda item: item["id"])
    lines = await api.get(EXPORT, params={"format": "jsonl", **filters})
    assert sorted((json.loads(line) for line in lines.text.splitlines()), key=lambda item: item["id"]) == items
    rows = read_csv(await api.get(EXPORT, params={"format": "csv", **filters}))
    assert sorted(row["id"] for row in rows) == [item["id"] for item in items]
    sheet = (await api.get(EXPORT, params={"format": "xlsx", **filters})).content
    names, *values = CalamineWorkbook.from_filelike(io.BytesIO(sheet)).get_sheet_by_index(0).to_python()
    assert [row[names.index("id")] for row in values] == [row["id"] for row in rows]


async def test_the_newest_comes_first(api: Api, published: list[str]) -> None:
    rows = read_csv(await api.get(EXPORT))
    assert [row["published_at"] for row in rows] == sorted((row["published_at"] for row in rows), reverse=True)


async def test_a_row_has_every_public_field(api: Api, published: list[str]) -> None:
    rows = {row["id"]: row for row in read_csv(await api.get(EXPORT, params={"format": "csv"}))}
    row = rows[published[2].rpartition("/")[2]]
    assert row["entity_type"] == "member_state"
    assert row["forms"] == "financial; process"
    assert row["objectives"] == "3; 19"
    assert row["indicators"] == "Agencies: -1 → 5 agencies by 2028; Trust: more"
    assert row["financial_amount"] == "200000.50"
    assert row["sample"] == "false"
    assert row["complete"] == "true"
    assert row["freshness"] == "green"


async def test_no_cell_is_a_formula(api: Api, published: list[str]) -> None:
    rows = read_csv(await api.get(EXPORT, params={"format": "csv"}))
    sheet = strictly((await api.get(EXPORT, params={"format": "xlsx"})).content)
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "inlineStr"}
    texts = [value for row in rows for value in row.values()] + [c.value for c in cells if isinstance(c.value, str)]
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert texts.count("'" + TRAP) == 2
    assert texts.count("'@Peru") == 2
    assert texts.count("'+Fund") == 2


async def test_a_sheet_keeps_text_and_numbers(api: Api, published: list[str]) -> None:
    sheet = strictly((await api.get(EXPORT, params={"format": "xlsx"})).content)
    names, *rows = sheet.iter_rows(values_only=True)
    (row,) = [dict(zip(names, row, strict=True)) for row in rows if "第三" in str(row)]
    assert row["financial_amount"] == 200000.5
    assert row["version"] == 1
    assert str(row["title"]).startswith("Señales <&> ")
    assert sheet.title == "pledges"
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
async def test_nothing_private_is_exported(api: Api, published: list[str], form: str) -> None:
    for by in (None, KENYA, SECRETARIAT):
        answer = await api.get(EXPORT, params={"format": form}, by=by)
        content = answer.content
        if form == "xlsx":
            rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
            content = str(rows).encode()
        for word in (b"contact", b"Amina Otieno", b"labour.example", b"555 0100", b"smart", b"gov-ken", b"owner"):
            assert word not in content


async def test_the_file_is_named_and_typed(api: Api, published: list[str]) -> None:
    for form, media_type in (
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("jsonl", "application/jsonl"),
    ):
        for answer in (
            await api.get(EXPORT, params={"format": form}),
            await api.get(EXPORT, headers={"accept": f"text/html, {media_type}"}),
        ):
            assert answer.headers["content-type"] == media_type
            name = f"pledges-{clock.today().isoformat()}.{form}"
            assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
            assert answer.headers["cache-control"] == "no-store"
    assert (await api.get(EXPORT, headers={"accept": "*/*"})).headers["content-type"].startswith("text/csv")


async def test_csv_begins_with_a_mark_on_request_and_ends_lines_as_rfc_4180_has_it(
    api: Api, published: list[str]
) -> None:
    with_mark = (await api.get(EXPORT, params={"format": "csv", "bom": "true"})).content
    without = (await api.get(EXPORT, params={"format": "csv"})).content
    assert with_mark == b"\xef\xbb\xbf" + without
    assert without.startswith(b"reference,id,title,")
    assert without.count(b"\r\n") == without.count(b"\n")


async def test_what_is_not_known_is_refused(api: Api) -> None:
    for parameters in ({"format": "pdf"}, {"colour": "red"}, {"objective": 24}, {"limit": 5}, {"bom": "perhaps"}):
        answer = await api.get(EXPORT, params=parameters)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_sheet_that_cannot_hold_the_rows_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.exports.SHEET_ROWS", 1)
    answer = await api.get(EXPORT, params={"format": "xlsx"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "?format"
    assert (await api.get(EXPORT, params={"format": "csv"})).status_code == 200


async def test_many_exports_wait_for_one_another_and_give_their_places_back(api: Api, published: list[str]) -> None:
    database = api.app.state.database  # type: ignore[attr-defined]
    answers = await asyncio.gather(*(api.get(EXPORT, params={"format": "csv"}) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert not database.streams.locked()
    assert database.engine.pool.checkedout() == 0


async def test_a_reader_who_leaves_or_falls_asleep_gives_the_place_back(
    api: Api, published: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, database = api.app, api.app.state.database  # type: ignore[attr-defined]
    monkeypatch.setattr("shared.exports.STALL", 0.2)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def leave(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            raise OSError("the connection is closed")

    async def sleep(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(60)

    for send in (leave, sleep):
        await app(dict(SCOPE), receive, send)
        assert database.engine.pool.checkedout() == 0
        assert not database.streams.locked()


async def test_head_is_answered_as_the_server_frames_it(api: Api, published: list[str]) -> None:
    """Without a body, and the server still knows that it was HEAD: a streamed answer has no length to tell."""
    app = api.app  # type: ignore[attr-defined]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {**SCOPE, "method": "HEAD"}
    await app(scope, receive, send)
    assert scope["method"] == "HEAD"
    assert sent[0]["status"] == 200
    assert not any(message.get("body") for message in sent)


async def test_the_contract_names_each_form(api: Api) -> None:
    document = (await api.get("/openapi.json")).json()
    content = document["paths"][EXPORT]["get"]["responses"]["200"]["content"]
    assert set(content) == {
        "text/csv",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/jsonl",
    }
    assert all(form["schema"] == {"type": "string", "format": "binary"} for form in content.values())
