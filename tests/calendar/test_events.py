"""Suggestions, what the secretariat does with them, lists and filters."""

import json
from typing import Any

import pytest

from tests.calendar.conftest import KENYA, NOBODY, PERU, SECRETARIAT
from tests.clients import Api, token

TALK = {
    "title": "Climate and mobility in the Pacific",
    "kind": "gcm_talk",
    "objectives": [2, 5],
    "organisers": ["Government of Fiji"],
    "request": {
        "topic": "Planned relocation: what do communities ask for?",
        "level": "regional",
        "organiser": "Government of Fiji",
        "wished_dates": ["2027-05", "2027-06-10"],
    },
}


async def suggest(api: Api, by: str = KENYA, **content: Any) -> dict[str, Any]:
    made = await api.post("/v1/calendar/events", by=by, json={"title": "A suggestion", **content})
    assert made.status_code == 201, made.text
    record: dict[str, Any] = made.json()
    return record


async def act(api: Api, event: dict[str, Any], action: str, by: str = SECRETARIAT, **body: Any) -> Any:
    return await api.post(f"/v1/calendar/events/{event['id']}/actions/{action}", by=by, json=body)


async def test_a_talk_is_requested_with_wished_dates_and_gets_a_day(api: Api) -> None:
    talk = await suggest(api, by=NOBODY, **TALK)
    assert talk["request"] == TALK["request"]
    assert (talk["starts_on"], talk["first_day"], talk["status"]) == (None, None, "suggested")
    early = await act(api, talk, "publish")
    assert (early.status_code, [e["pointer"] for e in early.json()["errors"]]) == (422, ["/starts_on"])
    where = f"/v1/calendar/events/{talk['id']}"
    tag = (await api.get(where, by=SECRETARIAT)).headers["etag"]
    day = {"starts_on": "2027-06-10"}
    assert (await api.patch(where, by=SECRETARIAT, json=day, headers={"if-match": tag})).status_code == 200
    published = await act(api, talk, "publish")
    assert published.status_code == 200, published.text
    assert (await api.get(where)).json()["request"]["level"] == "regional"


async def test_nothing_is_suggested_without_a_token_or_a_title(api: Api) -> None:
    assert (await api.post("/v1/calendar/events", json={"title": "x"})).status_code == 401
    untitled = await api.post("/v1/calendar/events", by=NOBODY, json={"kind": "other"})
    assert untitled.status_code == 422
    assert untitled.json()["errors"][0]["pointer"] == "/title"


async def test_only_the_secretariat_publishes_at_once(api: Api) -> None:
    event = {"title": "At once", "kind": "webinar", "starts_on": "2027-01-10", "publish": True}
    assert (await api.post("/v1/calendar/events", by=KENYA, json=event)).status_code == 403
    made = await api.post("/v1/calendar/events", by=SECRETARIAT, json=event)
    assert (made.status_code, made.json()["status"], made.json()["version"]) == (201, "published", 1)
    incomplete = await api.post("/v1/calendar/events", by=SECRETARIAT, json={"title": "No day", "publish": True})
    assert incomplete.status_code == 422
    assert {e["pointer"] for e in incomplete.json()["errors"]} == {"/kind", "/starts_on"}
    kept = await api.post("/v1/calendar/events", by=SECRETARIAT, json={**event, "publish": False})
    assert kept.json()["status"] == "suggested"


async def test_near_duplicates_are_pointed_out_and_not_refused(api: Api) -> None:
    first = await suggest(
        api,
        by=SECRETARIAT,
        title="International Day of Family Remittances",
        kind="international_day",
        starts_on="2021-06-16",
        recurrence="annual",
        publish=True,
    )
    near = await suggest(api, title="Intl. Day of Family remittances", starts_on="2027-06-15")
    assert [each["id"] for each in near["possible_duplicates"]] == [first["id"]]
    far = await suggest(api, title="Intl. Day of Family remittances", starts_on="2027-09-15")
    assert far["possible_duplicates"] == []
    other = await suggest(api, title="Steering Committee", starts_on="2027-06-16")
    assert other["possible_duplicates"] == []
    undated = await suggest(api, title="International Day of Family Remittances!")
    assert first["id"] in [each["id"] for each in undated["possible_duplicates"]]
    # What others suggested is for staff to see.
    seen = await api.get(f"/v1/calendar/events/{near['id']}", by=SECRETARIAT)
    assert {undated["id"], first["id"]} <= {each["id"] for each in seen.json()["possible_duplicates"]}


async def test_a_suggestion_is_its_suggester_s_until_it_is_decided(api: Api) -> None:
    event = await suggest(api, by=KENYA, kind="webinar", starts_on="2027-02-02")
    where = f"/v1/calendar/events/{event['id']}"
    colleague = token("juma", entity="gov-ken")
    assert (await api.get(where, by=colleague)).json()["actions"] == ["withdraw"]
    assert (await api.get(where, by=PERU)).status_code == 404
    assert (await act(api, event, "withdraw", by=PERU)).status_code == 404
    assert (await act(api, event, "decline", by=KENYA)).status_code == 403
    tag = (await api.get(where, by=KENYA)).headers["etag"]
    edit = {"title": "Better said", "kind": None}
    assert (await api.patch(where, by=KENYA, json=edit)).status_code == 428
    edited = await api.patch(where, by=KENYA, json=edit, headers={"if-match": tag})
    assert (edited.json()["title"], edited.json()["kind"]) == ("Better said", None)
    stale = await api.patch(where, by=KENYA, json=edit, headers={"if-match": tag})
    assert stale.status_code == 412
    assert (await act(api, event, "withdraw", by=KENYA)).json()["status"] == "withdrawn"
    assert (await act(api, event, "publish")).status_code == 409
    assert (await api.get(where)).status_code == 404
    mine = (await api.get("/v1/calendar/events", by=KENYA, params={"view": "mine", "status": "withdrawn"})).json()
    assert event["id"] in [each["id"] for each in mine["items"]]
    assert (await api.get("/v1/calendar/events", by=KENYA, params={"view": "all"})).status_code == 403
    assert (await api.get("/v1/calendar/events", params={"view": "all"})).status_code == 401


async def test_what_the_secretariat_keeps_is_not_its_host_organisation_s(api: Api) -> None:
    event = await suggest(api, by=SECRETARIAT, title="Kept for later", starts_on="2027-02-02")
    colleague = token("ida", entity="un-iom")
    assert (await api.get(f"/v1/calendar/events/{event['id']}", by=colleague)).status_code == 404
    assert (await act(api, event, "withdraw")).json()["status"] == "withdrawn"


async def test_the_suggester_may_not_touch_what_is_published(api: Api) -> None:
    event = await suggest(api, by=KENYA, kind="webinar", starts_on="2027-02-02")
    assert (await act(api, event, "publish")).status_code == 200
    where = f"/v1/calendar/events/{event['id']}"
    mine = await api.get(where, by=KENYA)
    assert mine.json()["actions"] == []
    headers = {"if-match": mine.headers["etag"]}
    assert (await api.patch(where, by=KENYA, json={"title": "Mine"}, headers=headers)).status_code == 403
    assert (await act(api, event, "cancel", by=KENYA, comment="No")).status_code == 403
    assert (await act(api, event, "withdraw", by=KENYA)).status_code == 409


@pytest.mark.parametrize("action", ["reschedule", "cancel"])
async def test_subscribers_are_owed_a_reason(api: Api, action: str) -> None:
    event = await suggest(api, by=SECRETARIAT, kind="webinar", starts_on="2027-02-02", publish=True)
    refused = await act(api, event, action, starts_on="2027-02-03")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/comment")


async def test_dates_of_what_is_published_change_by_reschedule_alone(api: Api) -> None:
    event = await suggest(
        api,
        by=SECRETARIAT,
        kind="briefing",
        starts_at="2027-02-02T10:00:00-05:00",
        ends_at="2027-02-02T11:30:00-05:00",
        timezone="America/New_York",
        publish=True,
    )
    assert (event["starts_on"], event["ends_on"], event["precision"]) == ("2027-02-02", None, "day")
    where = f"/v1/calendar/events/{event['id']}"
    tag = (await api.get(where, by=SECRETARIAT)).headers["etag"]
    patched = await api.patch(where, by=SECRETARIAT, json={"starts_on": "2027-03-01"}, headers={"if-match": tag})
    assert patched.status_code == 409
    assert patched.json()["errors"] == [{"pointer": "/starts_on", "detail": "Changed by the action reschedule."}]
    assert (await act(api, event, "reschedule", comment="Later")).status_code == 422
    # The zone stays; the hours are all new.
    moved = await act(api, event, "reschedule", comment="Later", starts_at="2027-07-02T14:00:00Z")
    assert moved.status_code == 200, moved.text
    assert (moved.json()["starts_at"], moved.json()["ends_at"]) == ("2027-07-02T10:00:00-04:00", None)
    # And from hours to days.
    again = await act(api, event, "reschedule", comment="Some time then", starts_on="2027-08", date_status="tbc")
    assert (again.json()["starts_on"], again.json()["starts_at"], again.json()["date_status"]) == (
        "2027-08",
        None,
        "tbc",
    )
    assert (await act(api, event, "cancel", comment="Off", starts_on="2027-09-01")).status_code == 422
    steps = (await api.get(f"{where}/history", by=SECRETARIAT)).json()["items"]
    assert [step["details"].get("from", {}).get("starts_at") for step in steps if step["action"] == "reschedule"] == [
        "2027-02-02T10:00:00-05:00",
        "2027-07-02T10:00:00-04:00",
    ]
    versions = (await api.get(f"{where}/versions")).json()["items"]
    assert [(v["version"], v["current"]) for v in versions] == [(1, False), (2, False), (3, True)]


async def test_a_cancelled_event_stays_as_it_was(api: Api) -> None:
    event = await suggest(api, by=SECRETARIAT, kind="webinar", starts_on="2027-02-02", publish=True)
    cancelled = await act(api, event, "cancel", comment="Off")
    assert cancelled.json()["cancelled_at"] is not None
    where = f"/v1/calendar/events/{event['id']}"
    headers = {"if-match": cancelled.headers["etag"]}
    assert (await api.patch(where, by=SECRETARIAT, json={"title": "On"}, headers=headers)).status_code == 409
    found = (await api.get("/v1/calendar/events", params={"status": "cancelled", "limit": 100})).json()["items"]
    assert event["id"] in [each["id"] for each in found]


THREE = ["of-three-one", "of-three-two", "of-three-three"]

FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"kind": ["gcm_talk", "webinar"]}, {"one", "two"}),
    ({"kind": "webinar"}, {"two"}),
    ({"objective": 17}, {"one", "three"}),
    ({"principle": "gender_responsive"}, {"two"}),
    ({"lead": "undesa"}, {"one"}),
    ({"lead": "un-desa"}, {"one"}),
    ({"lead": "DESA"}, {"one"}),
    ({"lead": "Mayors Mechanism"}, {"two"}),
    ({"country": "KEN"}, {"two"}),
    ({"region": "002"}, {"two"}),
    ({"region": "eca", "objective": 17}, set()),
    ({"one_voice": "true"}, {"one"}),
    ({"one_voice": "false"}, {"two"}),
    ({"one_voice": "unknown"}, {"three"}),
    ({"network": "true"}, {"three"}),
    ({"mode": "hybrid"}, {"three"}),
    ({"precision": "day"}, {"one", "two", "three"}),
    ({"precision": ["month", "year"]}, set()),
    ({"q": "tolérance"}, {"three"}),
    ({"q": "quilombo"}, set()),
    ({"from": "2033-03-02", "to": "2033-03-31"}, {"two", "three"}),
    ({"from": "2034-01-01"}, {"three"}),
    ({"to": "2033-02-28"}, {"one"}),
]


@pytest.fixture(scope="module")
async def three(api: Api) -> None:
    for content in (
        {
            "title": "one",
            "kind": "gcm_talk",
            "starts_on": "2033-02-10",
            "objectives": [17],
            "lead_entities": ["UNDESA"],
            "one_voice": True,
        },
        {
            "title": "two",
            "kind": "webinar",
            "starts_on": "2033-03-01",
            "ends_on": "2033-03-02",
            "principles": ["gender_responsive"],
            "lead_entities": [{"name": "UCLG"}, {"name": "Mayors Mechanism"}],
            "one_voice": False,
            "countries": ["KEN"],
        },
        {
            "title": "three",
            "kind": "key_date",
            "starts_on": "2033-03-21",
            "recurrence": "annual",
            "objectives": [16, 17],
            "network": True,
            "mode": "hybrid",
            "description": "Contre l'intolerance, pour la tolerance",
        },
    ):
        # Of one series the others would be editions that stand in the place of the third.
        await suggest(api, by=SECRETARIAT, **content, series=f"of-three-{content['title']}", publish=True)


@pytest.mark.parametrize(
    ("wanted", "titles"), FILTERS, ids=lambda value: json.dumps(value) if isinstance(value, dict) else ""
)
async def test_filters_hold_alike_in_lists_occurrences_and_feeds(
    api: Api, three: None, wanted: dict[str, Any], titles: set[str]
) -> None:
    parameters = {**wanted, "series": THREE, "limit": 100}
    listed = await api.get("/v1/calendar/events", params=parameters)
    assert {each["title"] for each in listed.json()["items"]} == titles
    bounded = {"from": "2033-01-01", "to": "2033-12-31", **parameters} if "from" not in wanted else parameters
    shown = await api.get("/v1/calendar/occurrences", params=bounded)
    assert shown.status_code == 200, shown.text
    assert {each["title"] for each in shown.json()["items"]} == titles
    feed = await api.get("/v1/calendar/feed.ics", params={k: v for k, v in parameters.items() if k != "limit"})
    assert {line.removeprefix("SUMMARY:") for line in feed.text.splitlines() if line.startswith("SUMMARY:")} == titles


async def test_a_list_is_sorted_by_day_and_paged(api: Api, three: None) -> None:
    parameters: dict[str, Any] = {"series": THREE, "sort": "starts_on", "limit": 2, "total": True}
    first = (await api.get("/v1/calendar/events", params=parameters)).json()
    assert ([each["title"] for each in first["items"]], first["total"]) == (["one", "two"], 3)
    second = (await api.get("/v1/calendar/events", params={**parameters, "cursor": first["next"]})).json()
    assert ([each["title"] for each in second["items"]], second["next"]) == (["three"], None)


async def test_occurrences_are_paged_through_years_without_loss(api: Api, three: None) -> None:
    parameters: dict[str, Any] = {"series": THREE, "from": "2033-01-01", "to": "2042-12-31", "limit": 5}
    titles: list[tuple[str, str]] = []
    while True:
        page = await api.get("/v1/calendar/occurrences", params={**parameters, "total": True})
        titles += [(each["starts_on"], each["title"]) for each in page.json()["items"]]
        assert page.json()["total"] == 12
        if page.json()["next"] is None:
            break
        assert 'rel="next"' in page.headers["link"]
        parameters["cursor"] = page.json()["next"]
    assert titles == sorted(titles)
    assert len(titles) == len(set(titles)) == 12


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({"from": "2020-01-01", "to": "2030-01-02"}, "?to"),
        ({"from": "2020-01-02", "to": "2020-01-01"}, "?to"),
        ({"from": "yesterday"}, "?from"),
        ({"objective": "24"}, "?objective"),
        ({"limit": "1001"}, "?limit"),
        ({"cursor": "abc"}, "?cursor"),
        ({"colour": "blue"}, "?colour"),
    ],
)
async def test_what_occurrences_refuse(api: Api, parameters: dict[str, str], pointer: str) -> None:
    refused = await api.get("/v1/calendar/occurrences", params=parameters)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    "parameters",
    [
        {"from": "0001-01-01", "to": "0001-12-31"},
        {"from": "9999-12-31"},
        {"from": "9990-01-01", "to": "9999-12-31"},
        {"from": "2020-02-29", "to": "2030-02-28"},
    ],
)
async def test_the_ends_of_the_calendar_are_no_fault(api: Api, parameters: dict[str, str]) -> None:
    for path in ("occurrences", "events", "feed.ics"):
        assert (await api.get(f"/v1/calendar/{path}", params=parameters)).status_code == 200, path


async def test_an_event_as_linked_data(api: Api) -> None:
    event = await suggest(
        api,
        by=SECRETARIAT,
        title="Fourth Annual Meeting",
        kind="annual_meeting",
        starts_on="2027-10-18",
        ends_on="2027-10-19",
        mode="hybrid",
        location="Palais des Nations, Geneva",
        organisers=["UN Network on Migration"],
        publish=True,
    )
    where = f"/v1/calendar/events/{event['id']}"
    answer = await api.get(where, headers={"accept": "application/ld+json"})
    assert answer.headers["content-type"] == "application/ld+json"
    assert "Accept" in answer.headers["vary"]
    linked = answer.json()
    assert (linked["@context"], linked["@type"]) == ("https://schema.org", "Event")
    assert (linked["startDate"], linked["endDate"]) == ("2027-10-18", "2027-10-19")
    assert linked["eventStatus"] == "https://schema.org/EventScheduled"
    assert linked["eventAttendanceMode"] == "https://schema.org/MixedEventAttendanceMode"
    assert [place["@type"] for place in linked["location"]] == ["Place", "VirtualLocation"]
    assert linked["organizer"] == [{"@type": "Organization", "name": "UN Network on Migration"}]
    assert "description" not in linked
    both = await api.get(where, headers={"accept": "application/json, application/ld+json"})
    assert both.json()["id"] == event["id"]
    await act(api, event, "cancel", comment="Off")
    again = (await api.get(where, headers={"accept": "application/ld+json"})).json()
    assert again["eventStatus"] == "https://schema.org/EventCancelled"


async def test_the_same_suggestion_sent_twice_is_one(api: Api) -> None:
    headers = {"idempotency-key": "a-suggestion-1"}
    body = {"title": "Sent twice"}
    first = await api.post("/v1/calendar/events", by=NOBODY, json=body, headers=headers)
    second = await api.post("/v1/calendar/events", by=NOBODY, json=body, headers=headers)
    assert (second.status_code, second.json()["id"]) == (201, first.json()["id"])
