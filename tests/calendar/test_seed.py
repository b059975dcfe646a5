"""The source's table of 26 rows comes out as it went in, cell by cell; so do the events."""

import json
import re
from calendar import month_name
from pathlib import Path
from typing import Any

import pytest

from services.calendar.seed import seed
from tests.calendar.conftest import SECRETARIAT
from tests.clients import Api

DATA = Path(__file__).parents[2] / "services" / "calendar" / "data"
ROWS = json.loads((DATA / "key_dates.json").read_text("utf-8"))["items"]
EVENTS = json.loads((DATA / "events.json").read_text("utf-8"))["items"]

MONTHS = [name.lower() for name in month_name[1:]]


async def every(api: Api, **parameters: Any) -> list[dict[str, Any]]:
    found = await api.get("/v1/calendar/events", params={"limit": 100, "total": True, **parameters})
    assert found.status_code == 200, found.text
    assert found.json()["next"] is None
    items: list[dict[str, Any]] = found.json()["items"]
    return items


def printed_days(text: str) -> tuple[str, str | None, str]:
    """First day, last day and precision as the table prints them: `6-15 JULY`, `FEBRUARY 2022`."""
    match = re.fullmatch(r"(?:(\d+)(?:-(\d+))? )?([a-z]+)(?: (\d{4}))?", text.lower())
    assert match is not None, text
    first, last, month, year = match.groups()
    known = f"{year or 2021}-{MONTHS.index(month) + 1:02d}"
    if first is None:
        return known, None, "month"
    return f"{known}-{int(first):02d}", last and f"{known}-{int(last):02d}", "day"


LEADS: dict[str, tuple[str, list[tuple[str, str | None]]]] = {
    "-": ("none", []),
    "TBC": ("tbc", []),
    "WHO": ("assigned", [("WHO", "un-who")]),
    "ILO": ("assigned", [("ILO", "un-ilo")]),
    "IOM": ("assigned", [("IOM", "un-iom")]),
    "UNODC": ("assigned", [("UNODC", "un-unodc")]),
    "UNDESA": ("assigned", [("UNDESA", "un-desa")]),
    "IOM/IFAD": ("assigned", [("IOM", "un-iom"), ("IFAD", "un-ifad")]),
    # No members of the Network, or no entity at all.
    "IPU": ("assigned", [("IPU", None)]),
    "UCLG, Mayors Mechanism": ("assigned", [("UCLG", None), ("Mayors Mechanism", None)]),
    "Secretariat": ("assigned", [("Secretariat", None)]),
}
THEMES: dict[str, tuple[str, list[int], list[str]]] = {
    "": ("none", [], []),
    "TBC": ("tbc", [], []),
    "All": ("all", list(range(1, 24)), []),
    "Gender-responsive": ("assigned", [], ["gender_responsive"]),
    "Objective 19 - 20": ("assigned", [19, 20], []),
    **{f"Objective {number}": ("assigned", [number], []) for number in range(1, 24)},
}
# Rows that are not held on the same days every year.
ONCE = {1, 7, 12, 19, 25, 26}


def test_the_table_has_its_26_rows() -> None:
    assert [row["source_text"]["row"] for row in ROWS] == list(range(1, 27))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["title"])
async def test_each_cell_of_a_row_comes_out_as_it_went_in(seeded: Api, row: dict[str, Any]) -> None:
    printed = row["source_text"]
    events = [e for e in await every(seeded) if (e["source_text"] or {}).get("row") == printed["row"]]
    assert len(events) == 1
    event = events[0]
    assert event["source_text"] == printed
    assert event["title"] == printed["topic"]
    assert (event["starts_on"], event["ends_on"], event["precision"]) == printed_days(printed["date"])
    assert event["recurrence"] == ("none" if printed["row"] in ONCE else "annual")
    leads = [(lead["name"], lead["member"]) for lead in event["lead_entities"]]
    assert (event["lead_status"], leads) == LEADS[printed["lead_entity"]]
    theme = (event["objectives_status"], event["objectives"], event["principles"])
    assert theme == THEMES[printed["gcm_objective_gp"]]
    assert event["one_voice"] is None
    assert event["status"] == "published"


@pytest.mark.parametrize("entry", EVENTS, ids=lambda entry: entry["external_id"])
async def test_each_event_is_there(seeded: Api, entry: dict[str, Any]) -> None:
    content = entry["content"]
    event = next(e for e in await every(seeded) if e["title"] == content["title"])
    for name, value in content.items():
        if name in ("source_text", "registration"):
            assert {key: event[name][key] for key in value} == value
        else:
            assert event[name] == value, name
    assert event["source"] == entry["source"]


async def test_what_was_first_announced_stays_in_the_history(seeded: Api) -> None:
    event = (await every(seeded, kind="imrf", series="international-migration-review-forum", sort="starts_on"))[0]
    assert (event["starts_on"], event["ends_on"], event["version"]) == ("2022-05-17", "2022-05-20", 2)
    history = (await seeded.get(f"/v1/calendar/events/{event['id']}/history", by=SECRETARIAT)).json()["items"]
    assert [step["action"] for step in history] == ["suggest", "publish", "reschedule"]
    assert history[-1]["details"]["from"]["starts_on"] == "2022-05-10"
    first = (await seeded.get(f"/v1/calendar/events/{event['id']}/versions/1")).json()
    assert (first["starts_on"], first["ends_on"], first["current"]) == ("2022-05-10", "2022-05-13", False)


async def test_the_edition_stands_beside_the_month(seeded: Api) -> None:
    february = {"from": "2022-02-01", "to": "2022-02-28", "series": "migration-week"}
    shown = (await seeded.get("/v1/calendar/occurrences", params=february)).json()["items"]
    assert [(o["title"], o["starts_on"], o["ends_on"]) for o in shown] == [
        ("Migration Week 2022", "2022-02-14", "2022-02-18")
    ]
    both = await every(seeded, series="migration-week", sort="starts_on")
    assert [e["superseded_by"] for e in both] == [both[1]["id"], None]


async def test_loading_again_changes_nothing(seeded: Api) -> None:
    before = await every(seeded, sort="title")
    said = await seed(seeded.app.state.database, samples=True)  # type: ignore[attr-defined]
    assert said == f"0 key dates and events loaded, {len(ROWS) + len(EVENTS)} were there"
    assert await every(seeded, sort="title") == before
