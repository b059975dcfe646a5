"""Imports as secretariats send them: files saved by spreadsheets, typed by people, broken or hostile."""

import asyncio
import csv
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile

import httpx
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from services.pledges.app import create_app
from services.pledges.imports import values
from services.pledges.imports.judging import columns, header
from tests.clients import Api, running
from tests.pledges.conftest import KENYA, NOBODY, REVIEWER, SECRETARIAT
from tests.pledges.content import WORDS
from tests.shared import workers
from tools import database, migrate

IMPORTS = "/v1/pledges/imports"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Rows = Sequence[Any]

ENGLISH = ["External id", "Owner", "Status", "Source", "Published on", "Title", "Description", "Language"]


def migrated(new_database: Callable[[], str]) -> str:
    admin = new_database()
    urls = database.service_urls(admin)
    database.prepare(admin, urls)
    migrate.upgrade({"pledges": urls["pledges"]})
    return urls["pledges"]


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], jwks_url: str) -> AsyncIterator[Api]:
    """A service with a database of its own: what imports publish would show in other tests' counts."""
    async with running(create_app, migrated(new_database), jwks_url) as client:
        yield client


def fresh() -> str:
    return f"NDC-{uuid4().hex[:12]}"


def as_csv(rows: Rows, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def as_xlsx(rows: Rows) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"strings_to_formulas": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return made.getvalue()


async def send(api: Api, content: bytes, *, dry_run: bool = False, key: str | None = None) -> httpx.Response:
    media_type = XLSX if content.startswith(b"PK") else "text/csv"
    return await api.post(
        IMPORTS,
        by=SECRETARIAT,
        content=content,
        params={"dry_run": str(dry_run).lower()},
        headers={"content-type": media_type} | ({"idempotency-key": key} if key else {}),
    )


async def ended(api: Api, answer: httpx.Response, seconds: float = 60) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    where = answer.headers["location"]
    for pause in (0.05,) * 100 + (1.0,) * int(seconds):
        found = (await api.get(where, by=SECRETARIAT)).json()
        if found["finished_at"] is not None:
            return dict(found)
        await asyncio.sleep(pause)
    raise AssertionError(f"not ended: {found}")


async def report(api: Api, found: dict[str, Any], **parameters: Any) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    asked = {"limit": 100, **parameters}
    while True:
        answer = await api.get(f"{IMPORTS}/{found['id']}/report", by=SECRETARIAT, params=asked)
        assert answer.status_code == 200, answer.text
        lines += answer.json()["items"]
        if answer.json()["next"] is None:
            return lines
        asked["cursor"] = answer.json()["next"]


async def bring(api: Api, content: bytes, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = await ended(api, await send(api, content, **more))
    return found, await report(api, found)


async def read(api: Api, line: dict[str, Any], by: str = SECRETARIAT) -> dict[str, Any]:
    answer = await api.get(f"/v1/pledges/{line['pledge_id']}", by=by)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


FULL = {
    "en": (
        ["External id", "Owner", "Title", "Description", "Language", "Pledging entity", "Type of entity",
         "Country of the entity", "Approach", "Forms", "Objectives", "Guiding principles", "Actions", "Countries",
         "Scope", "Start", "End", "Indicator", "Unit", "Baseline", "Target", "Due date", "Amount", "Currency",
         "Recipient", "Contact person", "E-mail", "Telephone"],
        ["gov-ken", "Fair recruitment", WORDS * 4, "English", "Kenya", "Member State", "Kenya", "Individual",
         "Policy-oriented commitment; Financial contribution", "6, 18", "Human rights", "6.a; 20.b",
         "Kenya; United Republic of Tanzania", "National", "1 January 2026", "December 2028", "Licensed agencies",
         "agencies", "12", "200", "2027-06", "200,000.50", "usd", "Ministry of Labour", "Amina Otieno",
         "amina@labour.example", "+254 20 555 0100"],
    ),
    "fr": (
        ["Identifiant externe", "Propriétaire", "Titre", "Description", "Langue", "Entité qui s’engage",
         "Type d’entité", "Pays de l’entité", "Modalité", "Formes", "Objectifs", "Principes directeurs", "Actions",
         "Pays", "Portée", "Début", "Fin", "Indicateur", "Unité", "Valeur de départ", "Cible", "Échéance", "Montant",
         "Monnaie", "Bénéficiaire", "Personne à contacter", "Courriel", "Téléphone"],
        ["gov-ken", "Recrutement équitable", WORDS * 4, "Français", "Kenya", "member_state", "Kenya", "Individuel",
         "Engagement de politique|Contribution financière", "Objectif 6; 18", "human_rights", "6.a\n20.b",
         "Kenya ; République-Unie de Tanzanie", "Nationale", "1er janvier 2026", "décembre 2028", "Agences agréées",
         "agences", "12", "200", "06/2027", "200 000,50", "USD", "Ministère du travail", "Amina Otieno",
         "amina@labour.example", "+254 20 555 0100"],
    ),
    "es": (
        ["Identificador externo", "Propietario", "Título", "Descripción", "Idioma", "Entidad que promete",
         "Tipo de entidad", "País de la entidad", "Modalidad", "Formas", "Objetivos", "Principios rectores",
         "Acciones", "Países", "Alcance", "Inicio", "Fin", "Indicador", "Unidad", "Valor de partida", "Meta", "Plazo",
         "Importe", "Moneda", "Beneficiario", "Persona de contacto", "Correo electrónico", "Teléfono"],
        ["gov-ken", "Contratación equitativa", WORDS * 4, "español", "Kenya", "member_state", "Kenya", "Individual",
         "Compromiso de política; Contribución financiera", "6;18", "human_rights", "6.a, 20.b",
         "KEN;TZA", "Nacional", "01/01/2026", "12/2028", "Agencias", "agencias", "12", "200",
         "junio de 2027", "200.000,50", "USD", "Ministerio", "Amina Otieno", "amina@labour.example",
         "+254 20 555 0100"],
    ),
}  # fmt: skip
SAVED = [
    ("en", ",", "utf-8"),
    ("en", "\t", "utf-16"),
    ("fr", ";", "utf-8-sig"),
    ("fr", ";", "cp1252"),
    ("es", ";", "cp1252"),
    ("es", ",", "utf-16-le"),
    ("en", None, None),
    ("fr", None, None),
]


@pytest.mark.parametrize(("language", "delimiter", "encoding"), SAVED)
async def test_a_file_is_read_as_people_of_each_language_save_it(
    api: Api, language: str, delimiter: str | None, encoding: str | None
) -> None:
    names, values = FULL[language]
    rows = [names, [fresh(), *values]]
    content = as_xlsx(rows) if delimiter is None else as_csv(rows, delimiter, encoding or "")
    found, (line,) = await bring(api, content)
    assert (found["status"], line["outcome"], line["faults"], line["gaps"]) == ("succeeded", "created", [], [])
    pledge = await read(api, line)
    assert pledge["status"] == "draft"
    assert pledge["owner"] == "gov-ken"
    assert pledge["language"] == language
    assert pledge["entity"] == {"name": "Kenya", "type": "member_state", "country": "KEN"}
    assert sorted(pledge["forms"]) == ["financial", "policy"]
    assert pledge["objectives"] == [6, 18]
    assert pledge["principles"] == ["human_rights"]
    assert pledge["gcm_actions"] == ["6.a", "20.b"]
    assert pledge["countries"] == ["KEN", "TZA"]
    assert pledge["scope"] == "national"
    assert (pledge["starts_on"], pledge["ends_on"]) == ("2026-01-01", "2028-12")
    (indicator,) = pledge["indicators"]
    assert (indicator["baseline"], indicator["target"], indicator["due_on"]) == ("12", "200", "2027-06")
    assert pledge["financial"]["amount"] == "200000.50"
    assert pledge["financial"]["currency"] == "USD"
    assert pledge["contact"]["email"] == "amina@labour.example"
    submitted = await api.post(f"/v1/pledges/{line['pledge_id']}/actions/submit", by=KENYA)
    assert submitted.status_code == 200, submitted.text


async def test_what_an_export_of_a_spreadsheet_types_is_understood(api: Api) -> None:
    names = [
        "external_id",
        "owner",
        "title",
        "starts_on",
        "ends_on",
        "objectives",
        "financial_amount",
        "indicator_name",
    ]
    rows = [names, [fresh(), "gov-ken", "'=not a formula", date(2026, 3, 1), 2028, 6, 1234.5, 12]]
    _, (line,) = await bring(api, as_xlsx(rows))
    assert line["faults"] == []
    pledge = await read(api, line)
    assert pledge["title"] == "=not a formula"
    assert (pledge["starts_on"], pledge["ends_on"]) == ("2026-03-01", "2028")
    assert pledge["objectives"] == [6]
    assert pledge["financial"]["amount"] == "1234.5"
    assert pledge["indicators"][0]["name"] == "12"


async def test_a_dry_run_judges_and_creates_nothing(api: Api) -> None:
    one = fresh()
    rows = [["External id", "Owner", "Title"], [one, "gov-ken", "Only judged"]]
    found, (line,) = await bring(api, as_csv(rows), dry_run=True)
    assert found["dry_run"] is True
    assert found["status"] == "succeeded"
    assert found["counts"] == {"ready": 1, "created": 0, "known": 0, "faulty": 0}
    assert line["outcome"] == "ready"
    assert line["pledge_id"] is None
    assert "/description" in line["gaps"]
    found, (line,) = await bring(api, as_csv(rows))
    assert line["outcome"] == "created"


async def test_one_faulty_cell_keeps_every_row_out_and_is_named(api: Api) -> None:
    good, bad = fresh(), fresh()
    rows = [
        ["External id", "Owner", "Title", "Objectives", "Start", "Amount", "E-mail", "Countries", "Currency"],
        [good, "gov-ken", "Good", "6", "2026", "5", "a@b.example", "KEN", "EUR"],
        [bad, "Gov Ken", "", "24; 6", "30/02/2026", "200,000", "nobody", "Atlantis", "euros"],
    ]
    found, lines = await bring(api, as_csv(rows))
    assert found["status"] == "failed"
    assert found["counts"] == {"ready": 1, "created": 0, "known": 0, "faulty": 1}
    faults = {fault["cell"]: fault for fault in lines[1]["faults"]}
    assert set(faults) == {"B3", "C3", "D3", "E3", "F3", "G3", "H3", "I3"}
    assert faults["D3"]["column"] == "objectives"
    assert "no such day" in faults["E3"]["detail"]
    assert lines[1]["row"] == 3
    only = await report(api, found, outcome="faulty")
    assert [line["row"] for line in only] == [3]
    again, _ = await bring(api, as_csv(rows[:2]))
    assert again["counts"]["created"] == 1


async def test_a_second_import_changes_nothing(api: Api) -> None:
    rows = [["External id", "Owner", "Title"], *([fresh(), "gov-ken", f"Once {n}"] for n in range(3))]
    first, lines = await bring(api, as_csv(rows))
    assert first["counts"]["created"] == 3
    rows[1][2] = "Changed since"
    more = [*rows, [fresh(), "gov-ken", "New"]]
    second, again = await bring(api, as_csv(more))
    assert second["counts"] == {"ready": 0, "created": 1, "known": 3, "faulty": 0}
    assert (await read(api, lines[0]))["title"] == "Once 0"
    assert [line["outcome"] for line in again] == ["known"] * 3 + ["created"]


async def test_two_imports_of_one_file_at_once_create_it_once(api: Api) -> None:
    rows = [["External id", "Owner", "Title"], *([fresh(), "gov-ken", f"Once {n}"] for n in range(20))]
    answers = await asyncio.gather(*(send(api, as_csv(rows)) for _ in range(4)))
    found = [await ended(api, answer) for answer in answers]
    assert {each["status"] for each in found} == {"succeeded"}
    assert sum(each["counts"]["created"] for each in found) == 20


async def test_a_request_repeated_under_its_key_is_one_import(api: Api) -> None:
    content = as_csv([["External id", "Owner", "Title"], [fresh(), "gov-ken", "Keyed"]])
    key = uuid4().hex
    first, second = await send(api, content, key=key), await send(api, content, key=key)
    assert first.json()["id"] == second.json()["id"]
    assert (await send(api, content + b"\r\n", key=key)).status_code == 422


async def test_records_of_before_this_system_are_published_with_their_source(api: Api) -> None:
    before = (await api.get("/v1/pledges/summary")).json()["total"]
    names = [*ENGLISH, "Objectives", "E-mail", "Source address"]
    rows = [
        names,
        [fresh(), "gov-ken", "published", "Register of 2022", "2022-05-17", "Past pledge zebra", "Short.", "en", "6",
         "amina@labour.example", "https://register.example/1"],
        [fresh(), "gov-ken", "", "", "", "A draft beside it", "", "en", "", "", ""],
    ]  # fmt: skip
    found, lines = await bring(api, as_csv(rows))
    assert found["counts"]["created"] == 2, lines
    public = (await api.get(f"/v1/pledges/{lines[0]['pledge_id']}")).json()
    assert public["status"] == "published"
    assert public["published_at"] == "2022-05-17T00:00:00Z"
    assert public["complete"] is False
    assert public["source"] == {"name": "Register of 2022", "url": "https://register.example/1", "note": None}
    assert public["freshness"] == "red"
    assert "labour.example" not in json.dumps(public)
    assert (await api.get("/v1/pledges/summary")).json()["total"] == before + 1
    listed = (await api.get("/v1/pledges", params={"q": "zebra", "objective": 6})).json()["items"]
    assert public in listed
    assert (await api.get(f"/v1/pledges/{lines[1]['pledge_id']}")).status_code == 404
    steps = (await api.get(f"/v1/pledges/{lines[0]['pledge_id']}/history", by=KENYA)).json()["items"]
    assert [step["action"] for step in steps] == ["import"]
    where = f"/v1/pledges/{lines[0]['pledge_id']}"
    assert (await api.post(f"{where}/actions/revise", by=KENYA)).status_code == 200
    incomplete = await api.post(f"{where}/actions/submit", by=KENYA)
    assert incomplete.status_code == 422
    assert "/indicators" in {error["pointer"] for error in incomplete.json()["errors"]}


async def test_a_matching_pledge_shows_at_the_one_it_matches(api: Api) -> None:
    names = ["External id", "Owner", "Status", "Source", "Title", "Approach", "Matches"]
    _, (first,) = await bring(
        api, as_csv([names, [fresh(), "gov-ken", "published", "Register", "Matched", "individual", ""]])
    )
    rows = [names, [fresh(), "gov-per", "published", "Register", "Matching", "matching", first["reference"]]]
    _, (second,) = await bring(api, as_csv(rows))
    matched = (await api.get(f"/v1/pledges/{first['pledge_id']}")).json()
    assert [each["reference"] for each in matched["matched_by"]] == [second["reference"]]
    rows[1][0], rows[1][6] = fresh(), "PLG-1999-0001"
    found, (line,) = await bring(api, as_csv(rows))
    assert found["status"] == "failed"
    assert line["faults"][0]["column"] == "matches"


FAULTY_PUBLICATIONS = [
    (["published", "", ""], "source_name"),
    (["published", "Register", "2999-01-01"], "published_on"),
    (["draft", "Register", "2022-01-01"], "published_on"),
    (["ready", "Register", ""], "status"),
    (["published", "Register", "2022"], "published_on"),
]


@pytest.mark.parametrize(("values", "column"), FAULTY_PUBLICATIONS)
async def test_a_publication_is_judged(api: Api, values: list[str], column: str) -> None:
    rows = [["External id", "Owner", "Title", "Status", "Source", "Published on"], [fresh(), "gov-ken", "T", *values]]
    found, (line,) = await bring(api, as_csv(rows), dry_run=True)
    assert found["status"] == "failed"
    assert [fault["column"] for fault in line["faults"]] == [column]


async def test_the_header_is_judged(api: Api) -> None:
    content = as_csv([["External id", "Titre", "Colour", "Title"], [fresh(), "A", "red", "B"]])
    found, (line,) = await bring(api, content)
    assert found["status"] == "failed"
    assert line["row"] == 1
    told = {(fault["cell"], fault["column"]) for fault in line["faults"]}
    assert told == {("C1", None), ("D1", "title"), (None, "owner")}


async def test_ids_may_not_stand_twice_nor_be_missing(api: Api) -> None:
    one = fresh()
    rows = [["External id", "Owner", "Title"], [one, "gov-ken", "A"], [one, "gov-ken", "B"], ["", "gov-ken", "C"]]
    _, lines = await bring(api, as_csv(rows))
    assert [line["outcome"] for line in lines] == ["ready", "faulty", "faulty"]
    assert "Row 2" in lines[1]["faults"][0]["detail"]
    assert lines[2]["faults"][0] == {"cell": "A4", "column": "external_id", "detail": "A value is needed."}


@pytest.mark.parametrize("form", [as_csv, as_xlsx])
async def test_a_formula_is_a_fault_of_its_cell(api: Api, form: Any) -> None:
    rows = [["External id", "Owner", "Title"], [fresh(), "gov-ken", "=1+1"]]
    found, (line,) = await bring(api, form(rows))
    assert found["status"] == "failed"
    assert line["faults"][0]["cell"] == "C2"
    assert "formula" in line["faults"][0]["detail"].lower()


async def test_several_indicators_come_in_numbered_columns(api: Api) -> None:
    names = ["External id", "Owner", "Title", "Indicator", "Indicator 3", "indicator_target_text 3"]
    rows = [names, [fresh(), "gov-ken", "T", "First", "Third", "better"]]
    _, (line,) = await bring(api, as_csv(rows))
    indicators = (await read(api, line))["indicators"]
    assert [(each["name"], each["target_text"]) for each in indicators] == [("First", None), ("Third", "better")]


def zipped(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return made.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


HOSTILE = (
    "bomb",
    "sheet bomb",
    "entities",
    "far cell",
    "broken",
    "cut",
    "no workbook",
    "macros",
    "old or protected",
    "NUL",
    "quote",
    "nothing but lines",
    "wide",
)


@cache
def hostile() -> dict[str, tuple[bytes, str]]:
    good = as_xlsx([["External id", "Owner", "Title"], ["x", "gov-ken", "T"]])
    parts = unzipped(good)
    sheet = "xl/worksheets/sheet1.xml"
    far = parts[sheet].replace(b'r="C2"', b'r="XFD1048576"')
    broken = bytearray(good)
    broken[len(broken) // 2] ^= 0xFF
    return {
        "bomb": (zipped({**parts, "xl/media/bomb.bin": b"\x00" * (300 * 1024 * 1024)}), "too large"),
        "sheet bomb": (zipped({**parts, sheet: parts[sheet] + b" " * (250 * 1024 * 1024)}), "too large"),
        "entities": (
            zipped({**parts, sheet: b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
                    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12))
                    + b"]><worksheet>&m;</worksheet>"}),
            "broken",
        ),
        "far cell": (zipped({**parts, sheet: far}), "beyond"),
        "broken": (bytes(broken), "broken"),
        "cut": (good[: len(good) // 2], "broken"),
        "no workbook": (zipped({"hello.txt": b"hello"}), "broken"),
        "macros": (zipped({**parts, "xl/vbaProject.bin": b"Sub AutoOpen()"}), "macros"),
        "old or protected": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "password"),
        "NUL": (b"External id,Owner,Title\r\nx,y,\x01\x00\x00z\xff\xfe\x00", "CSV"),
        "quote": (b'External id,Owner,Title\r\nx,gov-ken,"never closed', "CSV"),
        "nothing but lines": (b"\r\n\r\n", "no row"),
        "wide": (b",".join(b"c%d" % n for n in range(500)), "cells"),
    }  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_broken_or_hostile_gets_a_clear_answer(api: Api, name: str) -> None:
    content, told = hostile()[name]
    found = await ended(api, await send(api, content))
    assert found["status"] == "failed"
    assert told in found["detail"]
    assert (await api.get("/readyz")).status_code == 200


async def test_ten_thousand_rows_come_in_once_and_in_bounded_memory_though_a_worker_is_killed(
    new_database: Callable[[], str], jwks_url: str
) -> None:
    names = [*ENGLISH, "Countries", "Objectives", "Forms"]
    rows = [
        names,
        *(
            [f"old-{n}", f"gov-{n % 90:03d}", "published", "Register", "2023-01-01", f"Pledge {n} of ten thousand",
             WORDS * 3, ("en", "fr", "es")[n % 3], "KEN; PER", n % 23 + 1, "policy"]
            for n in range(10_000)
        ),
    ]  # fmt: skip
    url = migrated(new_database)
    async with running(create_app, url, jwks_url, run_worker=False) as api:
        sent = await send(api, as_xlsx(rows))
        where = sent.headers["location"]

        async def begun() -> bool:
            found = (await api.get(where, by=SECRETARIAT)).json()
            return bool(found["counts"]["ready"] > 1_000)

        with workers.process(url, "services.pledges.app", "pledges") as first:
            await workers.until(begun, 60)
            first.kill()
            first.wait()
        assert (await api.get("/v1/pledges/summary")).json()["total"] == 0
        with workers.process(url, "services.pledges.app", "pledges") as second:
            found = await ended(api, sent, 240)
            status = Path(f"/proc/{second.pid}/status")
            peak = re.search(r"VmHWM:\s+([0-9]+) kB", status.read_text()) if status.exists() else None
        assert found["counts"] == {"ready": 0, "created": 10_000, "known": 0, "faulty": 0}
        if peak:
            assert int(peak[1]) < 200 * 1024
        assert (await api.get("/v1/pledges/summary")).json()["total"] == 10_000
        page = (await api.get("/v1/pledges", params={"q": "thousand", "total": "true", "limit": 1})).json()
        assert page["total"] == 10_000


async def test_who_may_import(api: Api) -> None:
    content = as_csv([["External id", "Owner", "Title"], [fresh(), "gov-ken", "T"]])
    headers = {"content-type": "text/csv"}
    assert (await api.post(IMPORTS, content=content, headers=headers)).status_code == 401
    made = await send(api, content)
    for path in (made.headers["location"], made.headers["location"] + "/report"):
        assert (await api.get(path)).status_code == 401
        for by in (KENYA, NOBODY, REVIEWER):
            assert (await api.get(path, by=by)).status_code == 403
    for by in (KENYA, NOBODY, REVIEWER):
        assert (await api.post(IMPORTS, by=by, content=content, headers=headers)).status_code == 403
    assert (await api.get(f"{IMPORTS}/{uuid4()}", by=SECRETARIAT)).status_code == 404
    await ended(api, made)


async def test_what_is_sent_must_be_a_file_of_a_known_kind_and_size(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await api.post(IMPORTS, by=SECRETARIAT, json={"rows": []})
    assert answer.status_code == 415
    assert (await send(api, b"")).status_code == 422
    monkeypatch.setattr("services.pledges.imports.service.LIMIT", 100)
    assert (await send(api, b"a" * 101)).status_code == 413
    answer = await api.post(IMPORTS, by=SECRETARIAT, content=b"a", params={"colour": "red"})
    assert answer.status_code == 422


async def test_nothing_of_a_file_is_kept_beyond_its_report(api: Api) -> None:
    rows = [
        ["External id", "Owner", "Title", "E-mail", "Objectives"],
        [fresh(), "gov-ken", "T", "kept@nowhere.example", "99"],
    ]
    found, lines = await bring(api, as_csv(rows))
    assert found["status"] == "failed"
    assert "kept@nowhere" not in json.dumps(lines)
    async with api.app.state.database.reader.connect() as reader:  # type: ignore[attr-defined]
        for table in ("pledge_import_rows", "pledge_import_chunks", "procrastinate_jobs"):
            held = await reader.execute(text(f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%kept@nowhere%'"))
            assert held.scalar_one() == 0


@pytest.mark.parametrize("language", ["en", "fr", "es"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_the_template_names_every_column_in_the_callers_language(api: Api, language: str, form: str) -> None:
    answer = await api.get(f"{IMPORTS}/template", params={"format": form}, headers={"accept-language": language})
    assert answer.status_code == 200
    assert answer.headers["content-language"] == language
    names: Sequence[Any]
    if form == "csv":
        (names,) = csv.reader(io.StringIO(answer.text, newline=""))
    else:
        names = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()[0]
    found, faults = header(names, 1)
    assert faults == []
    assert [column.name for column in found.values()] == [column.name for column in columns()]


def test_the_languages_call_no_two_columns_alike() -> None:
    for language in ("en", "fr", "es"):
        labels = [column.labels[language] for column in columns()]
        assert len(set(labels)) == len(labels)


DATES = [
    ("2024", "2024"),
    ("2024-6", "2024-06"),
    ("2024/06/01", "2024-06-01"),
    ("2024-06-01 00:00:00", "2024-06-01"),
    ("01/06/2024", "2024-06-01"),
    ("1.6.2024", "2024-06-01"),
    ("12/31/2024", "2024-12-31"),
    ("6/2024", "2024-06"),
    ("45444", "2024-06-01"),
    ("1 June 2024", "2024-06-01"),
    ("1st of June 2024", "2024-06-01"),
    ("June 1, 2024", "2024-06-01"),
    ("Sept. 2024", "2024-09"),
    ("1er juin 2024", "2024-06-01"),
    ("août 2024", "2024-08"),
    ("1 de junio de 2024", "2024-06-01"),
    ("junio de 2024", "2024-06"),
    ("30/02/2024", None),
    ("1/1/24", None),
    ("soon", None),
    ("13/13/2024", None),
]


@pytest.mark.parametrize(("typed", "meant"), DATES)
def test_dates_are_read_as_people_type_them(typed: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(ValueError, match=r"date|day"):
            values.known_date(typed)
    else:
        assert values.known_date(typed) == meant


NUMBERS = [
    ("1234", "1234"),
    ("1 234,50", "1234.50"),
    ("1\u202f234,50", "1234.50"),
    ("1,234.50", "1234.50"),
    ("1.234.567,5", "1234567.5"),
    ("1'234.5", "1234.5"),
    ("1,234,567", "1234567"),
    ("12,5", "12.5"),
    ("0,125", "0.125"),
    ("-3", "-3"),
    ("1,234", None),
    ("1.234", None),
    ("many", None),
    ("1e9", None),
    ("NaN", None),
    ("٣", None),
]


@pytest.mark.parametrize(("typed", "meant"), NUMBERS)
def test_amounts_are_read_as_people_type_them_and_never_guessed(typed: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(ValueError, match=r"number|thousands"):
            values.number(typed)
    else:
        assert values.number(typed) == meant
