"""Nobody outside the secretariat learns who reviews what: every answer, walked with every role."""

import json
import re
from typing import Any

import pytest
import structlog

from tests.clients import Api
from tests.practices.content import complete
from tests.practices.journeys import brought_to
from tests.practices.people import (
    COLLEAGUE,
    NOBODY,
    OFFICIAL,
    OTHER,
    OWNER,
    SECRETARIAT,
    STRANGE_REVIEWER,
    Person,
    act,
    judgement,
)

OUTSIDERS: dict[str, str | None] = {
    "stranger": None,
    "no entity": NOBODY,
    "another entity": OTHER,
    "reviewer of others": STRANGE_REVIEWER,
    "the Fund's people": OFFICIAL,
    "owner": OWNER,
    "colleague": COLLEAGUE,
}
SEATED = "reviewer of this practice"


def operations(api: Api) -> list[tuple[str, str]]:
    paths: dict[str, Any] = api.app.openapi()["paths"]  # type: ignore[attr-defined]
    return [(method, path) for path, methods in paths.items() for method in methods]


def traces(people: list[Person], seats: list[dict[str, Any]], reviews: list[dict[str, Any]]) -> dict[str, set[str]]:
    """What would give each reviewer away: who they are, their seat, their review and the moments of both."""
    found: dict[str, set[str]] = {}
    for person in people:
        mine = [seat for seat in seats if seat["reviewer"]["id"] == person.id]
        known = {str(person.entry[name]) for name in ("subject", "name", "email", "organisation", "entity")}
        known |= {person.id, *(seat["id"] for seat in mine)}
        known |= {seat[at] for seat in mine for at in ("created_at", "declared_at", "reported_at") if seat[at]}
        known |= {each["id"] for each in reviews if each["reviewer"]["id"] == person.id}
        found[person.id] = known
    return found


async def ask(api: Api, method: str, path: str, by: str | None) -> str:
    """Everything that the answer says, its fields included."""
    body: dict[str, Any] | None = None
    headers: dict[str, str] = {}
    if method in ("post", "put", "patch"):
        # Nothing that changes the practice: what is refused may give away as much as what is answered.
        body = {"comment": ""}
        headers = {"if-match": '"0"'} if method == "patch" else {}
    answer = await api.request(method.upper(), path, by=by, json=body, headers=headers)
    assert answer.status_code < 500, (method, path, answer.text)
    return json.dumps(dict(answer.headers)) + answer.text


@pytest.mark.parametrize(
    "status",
    ["submitted, assigned", "in_review, disagreed", "in_review, deadlocked", "returned", "published", "revising"],
)
async def test_no_answer_tells_an_outsider_who_reviews(
    api: Api, panel: list[Person], further: list[Person], status: str
) -> None:
    people = [*panel, *further]
    where = await brought_to(api, status, people)
    if status == "returned":
        # A round that had its reports, and then a further one that waits.
        await act(api, where, "submit", OWNER)
        for person in panel:
            await person.sit(api, where)
        await act(api, where, "review", SECRETARIAT)
        for person in panel:
            await person.report(api, where, "revise")
        await act(api, where, "return", SECRETARIAT, comment="See the remarks.")
    seats = (await api.get(f"{where}/assignments", by=SECRETARIAT)).json()["items"]
    reviews = (await api.get(f"{where}/reviews", by=SECRETARIAT)).json()["items"]
    assert seats
    secrets = traces(people, seats, reviews)
    everything = set().union(*secrets.values())
    # The walk can find what it looks for: the secretariat is told.
    told = await ask(api, "get", f"{where}/assignments", SECRETARIAT)
    assert {str(seat["reviewer"]["name"]) for seat in seats} <= {s for s in everything if s in told}
    for who, caller in OUTSIDERS.items():
        for method, template in operations(api):
            for seat in (seats[0]["id"], where.rsplit("/", 1)[1]):
                path = template.replace("{practice_id}", where.rsplit("/", 1)[1]).replace("{assignment_id}", seat)
                path = (
                    path.replace("{number}", "1").replace("{action}", "review").replace("{reviewer_id}", people[0].id)
                )
                path = path.replace("{call_id}", seat)
                said = await ask(api, method, path, caller)
                # What the caller asked with comes back in `instance`: that is no news.
                said = said.replace(path, "")
                leaked = {secret for secret in everything if secret in said}
                assert not leaked, (who, method, template, leaked)
    for person in people:
        others = set().union(*(known for key, known in secrets.items() if key != person.id)) - secrets[person.id]
        for method, template in operations(api):
            if method != "get":
                continue
            path = template.replace("{practice_id}", where.rsplit("/", 1)[1]).replace("{number}", "1")
            path = re.sub(r"\{\w+\}", people[0].id, path)
            said = (await ask(api, method, path, person.token)).replace(path, "")
            assert not {secret for secret in others if secret in said}, (SEATED, template)


async def test_whether_a_seat_exists_is_the_same_answer_to_outsiders(api: Api, panel: list[Person]) -> None:
    where = await brought_to(api, "in_review, accepted", panel)
    seat = (await api.get(f"{where}/assignments", by=SECRETARIAT)).json()["items"][0]["id"]
    nobodys = where.rsplit("/", 1)[1]
    for who, caller in OUTSIDERS.items():
        for action in ("declare", "replace", "remind"):
            body = {"declare": {"conflict": False}, "replace": {"reviewer_id": panel[0].id}}.get(action)
            answers = [
                await api.post(f"{where}/assignments/{each}/actions/{action}", by=caller, json=body)
                for each in (seat, nobodys)
            ]
            problems = [{**each.json(), "instance": ""} for each in answers]
            assert problems[0] == problems[1], (who, action)
            assert answers[0].status_code in (401, 403, 404)


async def test_what_reviewers_do_leaves_no_trace_on_what_the_owner_reads(api: Api, panel: list[Person]) -> None:
    where = await brought_to(api, "submitted", panel)

    async def owners() -> list[Any]:
        read = await api.get(where, by=OWNER)
        history = await api.get(f"{where}/history", by=OWNER)
        return [read.text, read.headers["etag"], history.text, history.headers["etag"]]

    before = await owners()
    seats = [await person.sit(api, where) for person in panel]
    await panel[0].declare(api, where, seats[0], True)
    assert await owners() == before


async def test_the_owner_reads_comments_in_an_order_that_tells_nothing(api: Api, panel: list[Person]) -> None:
    where = await brought_to(api, "in_review, accepted", panel)
    items = (await api.get(f"{where}/reviews", by=OWNER)).json()["items"]
    assert len(items) == 3
    for item in items:
        assert set(item) == {"round", "criteria", "comment"}
        assert item["criteria"]["timely"]["judgement"] == "met"
    for caller, status in ((None, 401), (OTHER, 404), (NOBODY, 404), (STRANGE_REVIEWER, 404)):
        assert (await api.get(f"{where}/reviews", by=caller)).status_code == status
    own = (await api.get(f"{where}/reviews", by=panel[0].token)).json()["items"]
    assert [item["reviewer"]["id"] for item in own] == [panel[0].id]
    for caller in (OWNER, COLLEAGUE, SECRETARIAT, OTHER):
        refused = await api.post(f"{where}/reviews", by=caller, json=judgement())
        assert refused.status_code == (404 if caller == OTHER else 403)


async def test_the_contact_person_is_for_the_owner_and_the_secretariat(api: Api, panel: list[Person]) -> None:
    where = await brought_to(api, "published", panel)
    contact = complete()["contact"]
    seen = {"owner": OWNER, "colleague": COLLEAGUE, "secretariat": SECRETARIAT}
    for insider in seen.values():
        assert (await api.get(where, by=insider)).json()["contact"] == contact
    change = {"name": "Julia Mamani", "email": "julia@puente.example"}
    assert (await api.put(f"{where}/contact", by=OTHER, json=change)).status_code == 403
    assert (await api.put(f"{where}/contact", by=OWNER, json=change)).status_code == 200
    assert (await api.get(where)).json()["version"] == 1
    private = {str(value) for value in (*contact.values(), *change.values())}
    for caller in (None, OTHER, NOBODY, STRANGE_REVIEWER, panel[0].token):
        for path in ("", "/versions", "/versions/1", "/similar", "/reviews", "/history", "/assignments"):
            said = (await api.get(f"{where}{path}", by=caller)).text
            assert not [value for value in private if value in said], path
        for path in ("/v1/practices?limit=100&q=lucia", "/v1/practices?limit=100", "/v1/practices/summary"):
            said = (await api.get(path, by=caller)).text
            assert not [value for value in private if value in said], path
    # Nor do those who judge it know whom to write to.
    judged = await brought_to(api, "in_review", panel)
    said = (await api.get(judged, by=panel[0].token)).text
    assert not [value for value in private if value in said]
    assert "org-puente" not in said


async def test_no_log_names_a_reviewer_or_a_contact(api: Api, panel: list[Person]) -> None:
    with structlog.testing.capture_logs() as lines:
        where = await brought_to(api, "in_review, accepted", panel)
        await act(api, where, "publish", SECRETARIAT)
    said = json.dumps(lines, default=str)
    assert "/actions/publish" in said
    for person in panel:
        assert not [value for value in (person.entry["name"], person.entry["email"]) if str(value) in said]
    assert "quispe" not in said.lower()
