"""Statements: who leads, by when, and who may do what."""

from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from tests.calendar.conftest import KENYA, SECRETARIAT, UNODC
from tests.clients import Api, token

ILO = token("ines", entity="un-ilo")


async def publish(api: Api, **content: Any) -> dict[str, Any]:
    event = {"title": "A day", "kind": "international_day", **content, "publish": True}
    made = await api.post("/v1/calendar/events", by=SECRETARIAT, json=event)
    assert made.status_code == 201, made.text
    record: dict[str, Any] = made.json()
    return record


async def plan(api: Api, **content: Any) -> dict[str, Any]:
    made = await api.post("/v1/calendar/statements", by=SECRETARIAT, json={"title": "A statement", **content})
    assert made.status_code == 201, made.text
    record: dict[str, Any] = made.json()
    return record


async def read(api: Api, statement: dict[str, Any], by: str | None = SECRETARIAT) -> Any:
    return await api.get(f"/v1/calendar/statements/{statement['id']}", by=by)


async def act(api: Api, statement: dict[str, Any], action: str, by: str = SECRETARIAT, **body: Any) -> Any:
    return await api.post(f"/v1/calendar/statements/{statement['id']}/actions/{action}", by=by, json=body)


async def patch(api: Api, statement: dict[str, Any], by: str = SECRETARIAT, **changes: Any) -> Any:
    tag = (await read(api, statement, by)).headers["etag"]
    where = f"/v1/calendar/statements/{statement['id']}"
    return await api.patch(where, by=by, json=changes, headers={"if-match": tag})


def leads(record: dict[str, Any]) -> tuple[list[str], str | None]:
    return [lead["name"] for lead in record["lead_entities"]], record["lead_from"]


async def test_the_occurrence_overrides_the_series_in_one_place(api: Api) -> None:
    day = await publish(api, starts_on="2021-12-18", recurrence="annual", series="migrants-day", lead_entities=["IOM"])
    this_year = await plan(api, event=day["id"], occurs_on="2027-12-18")
    next_year = await plan(api, event=day["id"], occurs_on="2028-12-18")
    assert leads(this_year) == (["IOM"], "event")
    # The year's edition has a lead and a day of its own: the statement follows.
    edition = await publish(
        api, title="The day in 2027", starts_on="2027-12-17", series="migrants-day", lead_entities=["ILO"]
    )
    followed = (await read(api, this_year)).json()
    assert leads(followed) == (["ILO"], "edition")
    assert (followed["occurs_on"], followed["due_dates"]["in_clearance"]) == ("2027-12-17", "2027-12-03")
    assert leads((await read(api, next_year)).json()) == (["IOM"], "event")
    assert (await read(api, this_year, by=ILO)).json()["actions"] == ["draft"]
    # What the statement itself says goes before both, and can be taken back.
    assert leads((await patch(api, this_year, lead_entities=["UNODC"])).json()) == (["UNODC"], "statement")
    assert (await read(api, this_year, by=ILO)).status_code == 404
    assert leads((await patch(api, this_year, lead_entities=[])).json()) == (["ILO"], "edition")
    # And the edition's lead is changed where it stands.
    where = f"/v1/calendar/events/{edition['id']}"
    tag = (await api.get(where, by=SECRETARIAT)).headers["etag"]
    await api.patch(where, by=SECRETARIAT, json={"lead_entities": ["WHO", "IPU"]}, headers={"if-match": tag})
    assert leads((await read(api, this_year)).json()) == (["WHO", "IPU"], "edition")


async def test_due_dates_follow_an_event_that_is_rescheduled(api: Api) -> None:
    event = await publish(api, starts_on="2027-09-10", lead_entities=["WFP"])
    statement = await plan(api, event=event["id"], due_dates={"in_clearance": "2027-08-01"})
    assert statement["due_dates"] == {"drafting": "2027-07-30", "in_clearance": "2027-08-01", "issued": "2027-09-10"}
    move = {"starts_on": "2027-10-10", "comment": "Moved"}
    await api.post(f"/v1/calendar/events/{event['id']}/actions/reschedule", by=SECRETARIAT, json=move)
    followed = (await read(api, statement)).json()
    # What was agreed stays; what is counted moves.
    assert followed["due_dates"] == {"drafting": "2027-08-29", "in_clearance": "2027-08-01", "issued": "2027-10-10"}
    assert followed["next_due"]["on"] == "2027-08-29"


async def test_due_says_what_is_late_and_what_is_next(api: Api) -> None:
    today = clock.today()
    made = {}
    for name, days in (("late", 40), ("next", 50), ("far", 200)):
        day = (today + timedelta(days=days)).isoformat()
        made[name] = await plan(api, title=name, occurs_on=day, lead_entities=["UNHABITAT"], level="country")
    parameters: dict[str, Any] = {"lead": "unhabitat"}
    found = (await api.get("/v1/calendar/statements/due", by=SECRETARIAT, params=parameters)).json()["items"]
    assert [(each["title"], each["next_due"]["late"], each["next_due"]["days_left"]) for each in found] == [
        ("late", True, -2),
        ("next", False, 8),
        ("far", False, 158),
    ]
    assert {each["next_due"]["status"] for each in found} == {"drafting"}

    async def titles(**more: Any) -> list[str]:
        answer = await api.get("/v1/calendar/statements/due", by=SECRETARIAT, params={**parameters, **more})
        return [each["title"] for each in answer.json()["items"]]

    assert await titles(late=True) == ["late"]
    assert await titles(late=False) == ["next", "far"]
    assert await titles(until=(today + timedelta(days=30)).isoformat()) == ["late", "next"]
    assert await titles(limit=1) == ["late"]
    # A step taken puts the next one in its place; what is dropped is due no more.
    await act(api, made["late"], "draft")
    assert await titles() == ["next", "late", "far"]
    await act(api, made["next"], "drop", comment="Superseded")
    assert await titles() == ["late", "far"]
    assert (await api.get("/v1/calendar/statements/due")).status_code == 401
    mine = (await api.get("/v1/calendar/statements/due", by=KENYA, params=parameters)).json()
    assert mine["items"] == []


async def test_the_lead_drafts_its_deputies_help_and_the_secretariat_clears(api: Api) -> None:
    statement = await plan(
        api,
        kind="reactive",
        level="regional",
        cause="A shipwreck",
        initiated_by="Regional Network for Africa",
        occurs_on="2027-03-03",
        lead_entities=["UNODC"],
        deputies=["ILO"],
    )
    assert (statement["event"], statement["lead_from"], statement["initiated_by"]) == (
        None,
        "statement",
        "Regional Network for Africa",
    )
    for other in (KENYA, token("nadia"), None):
        assert (await read(api, statement, by=other)).status_code == 404
    assert (await act(api, statement, "draft", by=ILO)).status_code == 200
    assert (await patch(api, statement, by=ILO, text={"en": "We mourn."})).status_code == 200
    forbidden = await patch(api, statement, by=UNODC, lead_entities=["ILO"])
    assert forbidden.status_code == 403
    assert (await patch(api, statement, text={"xx-not-a-tag": "?"})).status_code == 422
    assert (await act(api, statement, "submit", by=UNODC)).status_code == 200
    assert (await patch(api, statement, by=UNODC, text={"en": "Changed"})).status_code == 409
    assert (await act(api, statement, "return")).status_code == 422
    returned = await act(api, statement, "return", comment="Name the sources")
    assert returned.json()["status"] == "drafting"
    await act(api, statement, "submit", by=UNODC)
    assert (await act(api, statement, "recall", by=UNODC)).json()["status"] == "drafting"
    await act(api, statement, "submit", by=UNODC)
    assert (
        await patch(api, statement, text={"fr": "Nous sommes en deuil.", "es": "Estamos de luto."})
    ).status_code == 200
    assert (await patch(api, statement, text={"es": None})).status_code == 200
    issued = (await act(api, statement, "issue")).json()
    assert (issued["status"], issued["version"], issued["next_due"]) == ("issued", 1, None)
    public = (await read(api, statement, by=None)).json()
    assert public["text"] == {"en": "We mourn.", "fr": "Nous sommes en deuil."}
    assert not {"due_dates", "next_due"} & public.keys()
    assert (await patch(api, statement, text={"en": "Changed"})).status_code == 409
    assert (await act(api, statement, "drop", comment="No")).status_code == 409
    where = f"/v1/calendar/statements/{statement['id']}/history"
    steps = (await api.get(where, by=ILO)).json()["items"]
    assert [step["action"] for step in steps if step["action"] != "edit"] == [
        "plan",
        "draft",
        "submit",
        "return",
        "submit",
        "recall",
        "submit",
        "issue",
    ]
    assert (await api.get(where, by=KENYA)).status_code == 403
    assert (await api.get(where)).status_code == 401


async def test_what_was_dropped_can_be_planned_again(api: Api) -> None:
    statement = await plan(api, occurs_on="2027-05-05")
    assert (await act(api, statement, "drop", comment="Not now")).json()["next_due"] is None
    assert (await act(api, statement, "reopen")).json()["next_due"]["on"] == "2027-03-24"


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"event": "01900000-0000-7000-8000-000000000000"}, "/event"),
        ({"occurs_on": "2027-12-19"}, "/occurs_on"),
        ({"occurs_on": "2020-12-18"}, "/occurs_on"),
        ({}, "/occurs_on"),
    ],
)
async def test_a_statement_is_for_a_day_that_there_is(api: Api, content: dict[str, Any], pointer: str) -> None:
    day = await publish(api, starts_on="2021-12-18", recurrence="annual")
    refused = await api.post(
        "/v1/calendar/statements", by=SECRETARIAT, json={"title": "x", "event": day["id"], **content}
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == pointer


async def test_lists_show_what_is_issued_and_views_what_is_worked_on(api: Api) -> None:
    statement = await plan(api, title="Listed", occurs_on="2027-08-08", lead_entities=["UNODC"], objectives=[10])
    listed = {"objective": 10, "limit": 100}

    async def ids(by: str | None = None, **more: Any) -> list[str]:
        answer = await api.get("/v1/calendar/statements", by=by, params={**listed, **more})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    assert statement["id"] not in await ids()
    assert statement["id"] not in await ids(by=SECRETARIAT)
    assert await ids(by=UNODC, view="mine") == [statement["id"]]
    assert await ids(by=ILO, view="mine") == []
    assert await ids(by=SECRETARIAT, view="all", status="planned") == [statement["id"]]
    assert (await api.get("/v1/calendar/statements", params={"view": "all"})).status_code == 401
    assert (await api.get("/v1/calendar/statements", by=ILO, params={"view": "all"})).status_code == 403
    await patch(api, statement, text={"en": "Words"})
    for action in ("draft", "submit", "issue"):
        assert (await act(api, statement, action)).status_code == 200
    assert await ids() == [statement["id"]]


async def test_the_terms_in_force_are_told(api: Api) -> None:
    terms = (await api.get("/v1/calendar/policy")).json()
    assert terms["days_before"] == {"drafting": 42, "in_clearance": 14, "issued": 0}
    assert terms["reminders"] == [42, 14]
