"""Lists, filters, views and pages of notes, programmes and meetings; repeated creations; the form."""

import asyncio
from datetime import date
from typing import Any

import pytest

from tests.clients import Api
from tests.mptf.conftest import COMMITTEE, KENYA, OUTSIDER, OWNER, PARTNER, PERU, SECRETARIAT, UNIT
from tests.mptf.content import complete
from tests.mptf.steps import MEETINGS, NOTES, act, draft, eligible, plan, selected

PROGRAMMES = "/v1/mptf/programmes"


async def ids(api: Api, path: str, by: str | None = None) -> list[str]:
    answer = await api.get(path, by=by)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


async def test_filters_are_or_within_and_and_across(api: Api) -> None:
    kenya = (await selected(api, title="Alpha", countries=["KEN"])).rpartition("/")[2]
    data = (
        await selected(
            api,
            title="Données fiables",
            countries=["KEN"],
            primary_objectives=[1],
            sdg_targets=["17.18"],
            scope="regional",
        )
    ).rpartition("/")[2]
    cases = {
        "": {kenya, data},
        "objective=6&objective=1": {kenya, data},
        "objective=1": {data},
        "objective=18&thematic_area=4": {kenya},
        "thematic_area=1": {data},
        "country=PER": set(),
        "country=KEN&region=002": {kenya, data},
        "region=eca&sdg=17": {data},
        "organisation=IOM": {kenya, data},
        "organisation=un-ilo&status=selected": {kenya, data},
        "status=funded": set(),
        "scope=regional": {data},
        "q=donnees": {data},
        "published_from=2199-01-01": set(),
    }
    for query, expected in cases.items():
        assert set(await ids(api, f"{PROGRAMMES}?{query}")) == expected, query
        summary = (await api.get(f"/v1/mptf/summary?{query}")).json()
        assert summary["total"] == len(expected), query
        lines = (await api.get(f"{PROGRAMMES}/export?format=jsonl&{query}")).text.splitlines()
        assert len(lines) == len(expected), query
    assert (await api.get(f"{PROGRAMMES}?colour=blue")).status_code == 422
    assert (await api.get(f"{PROGRAMMES}?status=draft")).status_code == 422


async def test_pages_follow_one_another_in_every_order(api: Api) -> None:
    for title in ("B", "a", "C"):
        await selected(api, title=title)
    for sort in ("title", "-title", "published_at", "-published_at", "updated_at", "-updated_at"):
        whole = await ids(api, f"{PROGRAMMES}?sort={sort}")
        assert len(whole) == 3
        paged: list[str] = []
        query = f"{PROGRAMMES}?sort={sort}&limit=1&total=true"
        following: str | None = ""
        while following is not None:
            page = (await api.get(query + (f"&cursor={following}" if following else ""))).json()
            assert page["total"] == 3
            paged += [each["id"] for each in page["items"]]
            following = page["next"]
        assert paged == whole
    titles = [each["title"] for each in (await api.get(f"{PROGRAMMES}?sort=title")).json()["items"]]
    assert titles == ["B", "C", "a"]
    first = (await api.get(f"{PROGRAMMES}?sort=title&limit=1")).json()["next"]
    assert (await api.get(f"{PROGRAMMES}?sort=-title&limit=1&cursor={first}")).status_code == 422


async def test_views_show_working_records_to_their_own_and_to_those_who_judge(api: Api) -> None:
    waiting = (await eligible(api)).rpartition("/")[2]
    early = (await draft(api)).rpartition("/")[2]
    submitted = await draft(api)
    await act(api, submitted, "submit", KENYA)
    later = submitted.rpartition("/")[2]
    assert set(await ids(api, f"{NOTES}?view=mine", OWNER)) == {waiting, early, later}
    assert set(await ids(api, f"{NOTES}?view=mine", KENYA)) == {waiting, early, later}
    assert set(await ids(api, f"{NOTES}?view=mine", PARTNER)) == {waiting, early, later}
    assert await ids(api, f"{NOTES}?view=mine", PERU) == []
    assert set(await ids(api, f"{NOTES}?view=all", UNIT)) == {waiting, later}
    assert set(await ids(api, f"{NOTES}?view=all", SECRETARIAT)) == {waiting, later}
    assert await ids(api, f"{NOTES}?view=all", COMMITTEE) == [waiting]
    assert await ids(api, f"{NOTES}?view=all&status=submitted", UNIT) == [later]
    assert (await api.get(f"{NOTES}?view=all", by=OUTSIDER)).status_code == 403
    assert (await api.get(f"{NOTES}?view=mine")).status_code == 401
    assert (await api.get(f"{NOTES}?view=mine&sort=published_at", by=OWNER)).status_code == 422
    assert await ids(api, NOTES, UNIT) == []


async def test_a_listed_working_record_is_the_one_that_is_read(api: Api) -> None:
    where = await draft(api, countries=["KEN", "UGA"], route="joint_resident_coordinators")
    (listed,) = (await api.get(f"{NOTES}?view=mine", by=OWNER)).json()["items"]
    assert listed == (await api.get(where, by=OWNER)).json()


async def test_meetings_are_listed_by_date(api: Api) -> None:
    days = [date(2027, 3, 1), date(2027, 6, 1), date(2027, 9, 1)]
    for day in reversed(days):
        await plan(api, day)
    listed = (await api.get(MEETINGS)).json()["items"]
    assert [each["date"] for each in listed] == [day.isoformat() for day in days]
    page = (await api.get(f"{MEETINGS}?sort=-date&limit=2")).json()
    assert [each["date"] for each in page["items"]] == ["2027-09-01", "2027-06-01"]
    rest = (await api.get(f"{MEETINGS}?sort=-date&limit=2&cursor={page['next']}")).json()
    assert [each["date"] for each in rest["items"]] == ["2027-03-01"]
    within = (await api.get(f"{MEETINGS}?date_from=2027-03-02&date_to=2027-06-01&status=planned")).json()["items"]
    assert [each["date"] for each in within] == ["2027-06-01"]


@pytest.mark.parametrize("by", [OWNER, COMMITTEE, SECRETARIAT, KENYA])
async def test_the_unit_alone_keeps_meetings(api: Api, by: str) -> None:
    body = {"date": "2027-03-01", "title": "Committee"}
    assert (await api.post(MEETINGS, by=by, json=body)).status_code == 403
    assert (await api.post(MEETINGS, json=body)).status_code == 401
    meeting = await plan(api, date(2027, 3, 1))
    path = f"{MEETINGS}/{meeting['id']}"
    assert (await api.patch(path, by=by, json={"title": "x"}, headers={"if-match": "*"})).status_code == 403
    assert (await api.post(f"{path}/actions/cancel", by=by)).status_code == 403
    assert (await api.get(path, by=by)).json()["actions"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"date": "2027-02-29", "title": "x"},
        {"date": "1999-01-01", "title": "x"},
        {"date": "2027-03-01", "title": " "},
    ],
)
async def test_a_meeting_has_a_day_of_the_calendar_and_a_title(api: Api, body: dict[str, Any]) -> None:
    assert (await api.post(MEETINGS, by=UNIT, json=body)).status_code == 422


async def test_a_creation_sent_twice_is_one_note(api: Api) -> None:
    headers = {"idempotency-key": "once"}
    done = await asyncio.gather(*(api.post(NOTES, by=OWNER, json=complete(), headers=headers) for _ in range(3)))
    assert {answer.status_code for answer in done} == {201}
    assert len({answer.json()["id"] for answer in done}) == 1
    assert len(await ids(api, f"{NOTES}?view=mine", OWNER)) == 1


async def test_nobody_overwrites_a_colleague(api: Api) -> None:
    where = await draft(api)
    tag = (await api.get(where, by=OWNER)).headers["etag"]
    both = await asyncio.gather(
        *(api.patch(where, by=OWNER, json={"title": title}, headers={"if-match": tag}) for title in ("One", "Two"))
    )
    assert sorted(answer.status_code for answer in both) == [200, 412]
    removed = await api.patch(
        where, by=OWNER, json={"markers": None, "budget": None, "principles": None}, headers={"if-match": "*"}
    )
    assert (removed.json()["markers"], removed.json()["budget"], removed.json()["budget_total"]) == (None, [], None)


async def test_a_public_answer_is_cached_and_conditional(api: Api) -> None:
    where = await selected(api)
    first = await api.get(where)
    assert first.headers["cache-control"].startswith("public")
    again = await api.get(where, headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    summary = await api.get("/v1/mptf/summary")
    same = await api.get("/v1/mptf/summary", headers={"if-none-match": summary.headers["etag"]})
    assert same.status_code == 304
    private = await api.get(where, by=OWNER)
    assert private.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("language", "label"), [("en", "Rationale"), ("fr", "Justification du programme"), ("es-MX", "Fundamento")]
)
async def test_the_form_speaks_three_languages_and_asks_what_submit_asks(api: Api, language: str, label: str) -> None:
    answer = await api.get(f"{NOTES}/form", headers={"accept-language": language})
    form = answer.json()
    assert answer.headers["content-language"] == language[:2]
    assert form["properties"]["rationale"]["title"] == label
    assert set(form["properties"]) == {*complete(), "justification", "without_resident_coordinator", "thematic_area"}
    made = await api.post(NOTES, by=KENYA, json={"countries": ["KEN"], "scope": "country"})
    refused = (await api.post(f"{made.headers['location']}/actions/submit", by=KENYA)).json()
    asked = {error["pointer"].split("/")[1] for error in refused["errors"]}
    assert asked == set(form["required"]) - {"scope"}
