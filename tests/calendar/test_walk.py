"""An event from suggestion to subscription, as its suggester, the secretariat and the public see it."""

from icalendar import Calendar

from tests.calendar.conftest import NOBODY, PERU, SECRETARIAT, UNODC
from tests.clients import Api


async def test_an_event_is_suggested_published_rescheduled_and_cancelled(api: Api) -> None:
    suggested = await api.post(
        "/v1/calendar/events",
        by=NOBODY,
        json={
            "title": "Dialogue on bilateral labour agreements",
            "kind": "dialogue",
            "starts_on": "2027-03-04",
            "ends_on": "2027-03-05",
            "lead_entities": ["ILO"],
            "objectives": [5, 6],
            "series": "a-walk",
        },
    )
    assert suggested.status_code == 201, suggested.text
    record = suggested.json()
    assert record["status"] == "suggested"
    assert record["actions"] == ["withdraw"]
    assert record["lead_entities"] == [{"name": "ILO", "member": "un-ilo"}]
    where = suggested.headers["location"]
    assert (await api.get(where)).status_code == 404
    assert (await api.get(where, by=PERU)).status_code == 404
    assert (await api.post(f"{where}/actions/publish", by=NOBODY)).status_code == 403

    published = await api.post(f"{where}/actions/publish", by=SECRETARIAT)
    assert published.status_code == 200, published.text
    assert published.json()["actions"] == ["reschedule", "cancel"]
    public = (await api.get(where)).json()
    assert public["status"] == "published"
    assert public["precision"] == "day"
    assert public["one_voice"] is None
    assert "possible_duplicates" not in public

    march = {"from": "2027-03-01", "to": "2027-03-31", "series": "a-walk"}
    found = (await api.get("/v1/calendar/occurrences", params=march)).json()["items"]
    assert [(o["event_id"], o["starts_on"], o["ends_on"]) for o in found] == [
        (record["id"], "2027-03-04", "2027-03-05")
    ]

    edited = await api.patch(
        where, by=SECRETARIAT, json={"location": "Geneva"}, headers={"if-match": published.headers["etag"]}
    )
    assert edited.status_code == 200, edited.text
    assert edited.json()["version"] == 2
    assert (await api.get(where)).json()["location"] == "Geneva"

    moved = await api.post(
        f"{where}/actions/reschedule", by=SECRETARIAT, json={"starts_on": "2027-04-08", "comment": "The room is taken"}
    )
    assert moved.status_code == 200, moved.text
    assert (moved.json()["starts_on"], moved.json()["ends_on"]) == ("2027-04-08", None)
    history = (await api.get(f"{where}/history", by=SECRETARIAT)).json()["items"]
    assert [step["action"] for step in history] == ["suggest", "publish", "edit", "reschedule"]
    assert history[-1]["details"]["from"]["starts_on"] == "2027-03-04"
    assert (await api.get("/v1/calendar/occurrences", params=march)).json()["items"] == []

    cancelled = await api.post(f"{where}/actions/cancel", by=SECRETARIAT, json={"comment": "No room at all"})
    assert cancelled.status_code == 200, cancelled.text
    assert (await api.get(where)).json()["status"] == "cancelled"
    calendar = Calendar.from_ical((await api.get("/v1/calendar/feed.ics")).content)
    event = next(e for e in calendar.events if e["uid"] == record["id"])
    assert (event["status"], event["sequence"]) == ("CANCELLED", 3)
    assert event.end.isoformat() == "2027-04-09"
    assert (await api.get(f"{where}/versions")).json()["items"][-1]["version"] == 3


async def test_a_statement_is_planned_drafted_cleared_and_issued(api: Api) -> None:
    event = await api.post(
        "/v1/calendar/events",
        by=SECRETARIAT,
        json={
            "title": "World Day Against Trafficking in Persons",
            "kind": "international_day",
            "starts_on": "2021-07-30",
            "recurrence": "annual",
            "lead_entities": ["UNODC"],
            "publish": True,
        },
    )
    assert event.status_code == 201, event.text
    of_this_event = {"event": event.json()["id"]}
    plan = {"title": "On trafficking", "event": event.json()["id"], "occurs_on": "2027-07-30"}
    assert (await api.post("/v1/calendar/statements", by=UNODC, json=plan)).status_code == 403
    planned = await api.post("/v1/calendar/statements", by=SECRETARIAT, json=plan)
    assert planned.status_code == 201, planned.text
    shown = planned.json()
    assert shown["lead_from"] == "event"
    assert shown["due_dates"] == {"drafting": "2027-06-18", "in_clearance": "2027-07-16", "issued": "2027-07-30"}
    assert shown["next_due"]["on"] == "2027-06-18"
    where = planned.headers["location"]
    assert (await api.get(where)).status_code == 404
    due = (await api.get("/v1/calendar/statements/due", by=UNODC, params=of_this_event)).json()["items"]
    assert [each["id"] for each in due] == [shown["id"]]
    assert (await api.get(where, by=UNODC)).json()["actions"] == ["draft"]
    assert (await api.post(f"{where}/actions/draft", by=UNODC)).status_code == 200
    early = await api.post(f"{where}/actions/submit", by=UNODC)
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/text")
    tag = (await api.get(where, by=UNODC)).headers["etag"]
    text = {"text": {"en": "Nobody is for sale.", "fr": "Personne n'est à vendre."}}
    drafted = await api.patch(where, by=UNODC, json=text, headers={"if-match": tag})
    assert drafted.status_code == 200, drafted.text
    assert (await api.post(f"{where}/actions/submit", by=UNODC)).json()["status"] == "in_clearance"
    assert (await api.post(f"{where}/actions/issue", by=UNODC)).status_code == 403
    issued = await api.post(f"{where}/actions/issue", by=SECRETARIAT)
    assert issued.status_code == 200, issued.text
    public = (await api.get(where)).json()
    assert public["text"]["en"] == "Nobody is for sale."
    assert "next_due" not in public
    assert (await api.get("/v1/calendar/statements", params=of_this_event)).json()["items"] == [public]
