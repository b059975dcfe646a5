"""Steps that tests take through the API, each of which must succeed."""

from datetime import date, timedelta
from typing import Any

from shared import clock
from tests.clients import Api
from tests.mptf.conftest import COMMITTEE, KENYA, OWNER, UNIT
from tests.mptf.content import MET, complete

NOTES = "/v1/mptf/concept-notes"
MEETINGS = "/v1/mptf/meetings"


async def draft(api: Api, *, by: str = OWNER, **changes: Any) -> str:
    """A complete draft; its path."""
    made = await api.post(NOTES, by=by, json=complete(**changes))
    assert made.status_code == 201, made.text
    where: str = made.headers["location"]
    return where


async def act(api: Api, where: str, action: str, by: str, **body: Any) -> dict[str, Any]:
    done = await api.post(f"{where}/actions/{action}", by=by, json=body or {"comment": "Because of this."})
    assert done.status_code == 200, f"{action}: {done.text}"
    found: dict[str, Any] = done.json()
    return found


async def plan(api: Api, day: date, title: str = "Steering Committee") -> dict[str, Any]:
    made = await api.post(MEETINGS, by=UNIT, json={"date": day.isoformat(), "title": title})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def plan_in_time(api: Api) -> None:
    """A meeting that considers what is submitted today, unless one is planned already."""
    day = clock.today() + timedelta(days=42)
    if not (await api.get(f"{MEETINGS}?status=planned&date_from={day}")).json()["items"]:
        await plan(api, day)


async def eligible(api: Api, **changes: Any) -> str:
    """A note found eligible, on the agenda of a meeting to come."""
    await plan_in_time(api)
    where = await draft(api, **changes)
    await act(api, where, "submit", KENYA)
    await act(api, where, "screen", UNIT)
    assessed = await api.put(f"{where}/assessment", by=UNIT, json=MET)
    assert assessed.status_code == 200, assessed.text
    await act(api, where, "find_eligible", UNIT)
    return where


async def selected(api: Api, **changes: Any) -> str:
    """A note selected on the day of its meeting."""
    where = await eligible(api, **changes)
    await travel_to_meeting(api, where)
    await act(api, where, "select", COMMITTEE)
    return where


async def approved(api: Api, **changes: Any) -> str:
    """A note whose budget is approved."""
    where = await selected(api, **changes)
    await act(api, where, "develop", OWNER)
    await act(api, where, "submit_document", OWNER)
    await act(api, where, "approve", COMMITTEE)
    return where


async def travel_to_meeting(api: Api, where: str) -> None:
    """Make it the day of the note's meeting."""
    note = (await api.get(where, by=UNIT)).json()
    travel_to(date.fromisoformat(note["meeting"]["date"]))


def travel_to(day: date) -> None:
    """Make it that day, at this time of the day."""
    clock.configure(0)
    offset = day - clock.today()
    clock.configure(offset.days)
