"""Confidential until selected: every answer that could tell of a note, asked for by everybody."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.mptf.erasure import erase_contacts
from services.mptf.lifecycle import STATUSES
from shared import clock
from tests.clients import Api, token
from tests.mptf.conftest import KENYA, OWNER, PARTNER, SECRETARIAT, UGANDA, UNIT
from tests.mptf.content import MET
from tests.mptf.steps import MEETINGS, NOTES, act, draft, plan, travel_to
from tests.mptf.test_lifecycle import CALLERS, at, sees

EVERYBODY: dict[str, str | None] = {**CALLERS, "public": None}


def _of(where: str) -> list[str]:
    """Every path that answers for one note."""
    return [
        where,
        where.replace("concept-notes", "programmes"),
        *(f"{where}/{name}" for name in ("history", "versions", "versions/1", "endorsements", "assessment")),
        *(f"{where}/{name}" for name in ("decisions", "transfers")),
    ]


LISTS = (
    NOTES,
    f"{NOTES}?view=mine",
    f"{NOTES}?view=all",
    "/v1/mptf/programmes",
    "/v1/mptf/summary",
    "/v1/mptf/balance",
    "/v1/mptf/contributions",
    "/v1/mptf/policy",
    f"{NOTES}/form",
    MEETINGS,
)


@pytest.mark.parametrize("status", STATUSES)
async def test_no_answer_tells_of_a_note_to_who_may_not_see_it(api: Api, status: str) -> None:
    where = await at(api, status)
    note = (await api.get(where, by=OWNER)).json()
    secrets = (note["id"], note["reference"], note["title"], note["rationale"])
    contact = note["contact"]["email"]
    meetings = [f"{MEETINGS}/{each['id']}" for each in (await api.get(MEETINGS)).json()["items"]]
    public = status in STATUSES[STATUSES.index("selected") :] and status not in ("not_selected", "withdrawn")
    for name, by in EVERYBODY.items():
        told = []
        for path in (*_of(where), *LISTS, *meetings):
            answer = await api.get(path, by=by)
            assert answer.status_code in (200, 401, 403, 404, 410), (name, path, answer.text)
            body = json.dumps({**answer.json(), "instance": None})
            if any(secret in body for secret in secrets):
                told.append(path)
            if name in ("public", "outsider", "other_coordinator", "reviewer", "partner", "committee"):
                assert contact not in body, (name, path)
        if not (sees(name, status) if name != "public" else public):
            assert told == [], (name, status)
        else:
            assert where in told, (name, status)


@pytest.mark.parametrize("status", ["screening", "eligible", "selected", "not_selected"])
async def test_who_reads_what_stands_beside_a_note(api: Api, status: str) -> None:
    where = await at(api, status)
    assert (await api.get(f"{where}/history", by=PARTNER)).status_code == 403
    assert (await api.get(f"{where}/history", by=OWNER)).status_code == 200
    assert (await api.get(f"{where}/history")).status_code == 401
    assessed = await api.get(f"{where}/assessment", by=OWNER)
    assert assessed.status_code == (404 if status == "screening" else 200)
    edit = await api.patch(where, by=PARTNER, json={"title": "Ours"}, headers={"if-match": "*"})
    assert edit.status_code == 403
    assert (await api.put(f"{where}/contact", by=PARTNER, json={"name": "Ines"})).status_code == 403
    assert (await api.put(f"{where}/contact", by=OWNER, json={"name": "Olga"})).status_code == 200
    frozen = await api.patch(where, by=OWNER, json={"title": "New"}, headers={"if-match": "*"})
    assert frozen.status_code == 409


async def test_what_the_public_reads_holds_nothing_private(api: Api) -> None:
    where = await at(api, "selected")
    for by in (None, CALLERS["outsider"]):
        read: dict[str, Any] = (await api.get(where, by=by)).json()
        assert {"contact", "owner", "submitted_at", "in_time_from", "warnings"}.isdisjoint(read)
        assert {"endorsements", "endorsements_missing"}.isdisjoint(read)
        assert read["actions"] == []
    version = (await api.get(f"{where}/versions/1")).json()
    assert "contact" not in version
    listed = (await api.get(NOTES)).json()["items"]
    assert listed == (await api.get("/v1/mptf/programmes")).json()["items"]


async def test_an_agenda_tells_each_caller_of_the_notes_they_see(api: Api) -> None:
    eligible = await at(api, "eligible")
    meeting = (await api.get(eligible, by=UNIT)).json()["meeting"]
    path = f"{MEETINGS}/{meeting['id']}"
    shown = {name: len((await api.get(path, by=by)).json()["agenda"]) for name, by in EVERYBODY.items()}
    blind = {"public", "outsider", "other_coordinator", "reviewer"}
    assert {name for name, count in shown.items() if count == 0} == blind


# ---------------------------------------------------------------- Resident Coordinators, endorsements


TWO: dict[str, Any] = {"countries": ["KEN", "UGA"], "scope": "cross_border", "route": "joint_resident_coordinators"}


async def endorse(api: Api, where: str, country: str, by: str) -> dict[str, Any]:
    made = await api.post(f"{where}/endorsements", by=by, json={"country": country})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def test_a_note_of_several_countries_needs_the_endorsement_of_each(api: Api) -> None:
    where = await draft(api, **TWO)
    early = await api.post(f"{where}/actions/submit", by=KENYA)
    assert early.status_code == 422
    assert [error["pointer"] for error in early.json()["errors"]] == ["/endorsements/UGA"]
    assert (await api.post(f"{where}/endorsements", by=KENYA, json={"country": "UGA"})).status_code == 403
    assert (await api.post(f"{where}/endorsements", by=OWNER, json={"country": "KEN"})).status_code == 403
    both = token("both", roles=["resident_coordinator"], countries=["UGA", "TZA"])
    assert (await api.post(f"{where}/endorsements", by=both, json={"country": "TZA"})).status_code == 422
    made = await endorse(api, where, "UGA", UGANDA)
    assert (await api.post(f"{where}/endorsements", by=UGANDA, json={"country": "UGA"})).status_code == 409
    ended = await api.post(f"{where}/endorsements/{made['id']}/actions/withdraw", by=UGANDA)
    assert ended.json()["ended_by"] == "withdrawal"
    assert (await api.post(f"{where}/endorsements/{made['id']}/actions/withdraw", by=UGANDA)).status_code == 409
    assert (await api.post(f"{where}/actions/submit", by=KENYA)).status_code == 422
    made = await endorse(api, where, "UGA", UGANDA)
    submitted = await act(api, where, "submit", KENYA)
    assert {each["country"] for each in submitted["endorsements"]} == {"KEN", "UGA"}
    late = await api.post(f"{where}/endorsements/{made['id']}/actions/withdraw", by=UGANDA)
    assert late.status_code == 409
    # The submitting office withdraws the note, the other one does not.
    assert "withdraw" not in (await api.get(where, by=UGANDA)).json()["actions"]
    assert "withdraw" in (await api.get(where, by=KENYA)).json()["actions"]


@pytest.mark.parametrize(
    ("change", "lapses"),
    [
        ({"countries": ["KEN", "UGA", "TZA"]}, True),
        ({"participating_organisations": ["IOM", "ILO", "UNICEF"]}, True),
        ({"budget": [{"organisation": "IOM", "amount": "1"}]}, True),
        ({"title": "A better title"}, False),
        ({"rationale": "Said better."}, False),
    ],
)
async def test_an_endorsement_lapses_when_what_was_endorsed_changes(
    api: Api, change: dict[str, Any], lapses: bool
) -> None:
    where = await draft(api, **TWO)
    await endorse(api, where, "UGA", UGANDA)
    tag = (await api.get(where, by=UGANDA)).headers["etag"]
    edited = await api.patch(where, by=UGANDA, json=change, headers={"if-match": tag})
    assert edited.status_code == 200, edited.text
    assert edited.json()["endorsements_missing"] == (edited.json()["countries"] if lapses else ["KEN"])
    listed = (await api.get(f"{where}/endorsements", by=OWNER)).json()["items"]
    assert [each["ended_by"] for each in listed] == (["change"] if lapses else [None])
    steps = (await api.get(f"{where}/history", by=OWNER)).json()["items"]
    assert steps[-1]["details"].get("endorsements_lapsed") == (["UGA"] if lapses else None)


async def test_a_country_without_a_resident_coordinator_is_named_with_its_reason(api: Api) -> None:
    reason = [{"country": "UGA", "reason": "The office is vacant."}]
    where = await draft(api, **TWO, without_resident_coordinator=reason)
    assert (await api.get(where, by=OWNER)).json()["endorsements_missing"] == ["KEN"]
    await act(api, where, "submit", KENYA)
    other = await draft(api, without_resident_coordinator=[{"country": "FRA", "reason": "None."}])
    refused = await api.post(f"{other}/actions/submit", by=KENYA)
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/without_resident_coordinator/0/country"]


async def test_the_alternative_route_is_the_owners_and_needs_its_justification(api: Api) -> None:
    where = await draft(api, route="alternative", countries=[], scope="global")
    refused = await api.post(f"{where}/actions/submit", by=OWNER)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/justification"]
    where = await draft(api, route="alternative", justification="A global initiative has no Resident Coordinator.")
    assert (await api.post(f"{where}/actions/submit", by=KENYA)).status_code == 200
    where = await draft(
        api, route="alternative", countries=["PER"], justification="The organisations convene by themselves."
    )
    assert (await api.post(f"{where}/actions/submit", by=CALLERS["other_coordinator"])).status_code == 403
    await act(api, where, "submit", OWNER)


async def test_a_deferral_before_the_selection_is_not_the_publics_to_read(api: Api) -> None:
    where = await at(api, "eligible")
    meeting = (await api.get(where, by=UNIT)).json()["meeting"]
    await act(api, where, "defer", CALLERS["committee"], comment="The partners are not named.")
    following = await plan(api, clock.today() + timedelta(days=1))
    travel_to(clock.today() + timedelta(days=1))
    await act(api, where, "select", CALLERS["committee"], comment="They are now.")
    for each, decisions in ((meeting, ["defer"]), (following, ["select"])):
        path = f"{MEETINGS}/{each['id']}"
        shown = {
            name: [decision["decision"] for decision in (await api.get(path, by=by)).json()["decisions"]]
            for name, by in (("owner", OWNER), ("unit", UNIT), ("public", None))
        }
        assert shown == {"owner": decisions, "unit": decisions, "public": [d for d in decisions if d == "select"]}


async def test_a_meetings_tag_follows_its_agenda(api: Api) -> None:
    meeting = await plan(api, clock.today() + timedelta(days=60))
    path = f"{MEETINGS}/{meeting['id']}"
    where = await draft(api)
    tags = [(await api.get(path, by=UNIT)).headers["etag"]]
    updated = meeting["updated_at"]
    for action, by in (("submit", KENYA), ("screen", UNIT), ("return", UNIT)):
        await act(api, where, action, by)
        read = await api.get(path, by=UNIT)
        tags.append(read.headers["etag"])
        assert read.json()["updated_at"] == updated
    # Returned, the note is off the agenda, which reads as at first.
    assert (len(set(tags)), tags[0]) == (3, tags[-1])
    assert (await api.get(path, by=UNIT, headers={"if-none-match": tags[-1]})).status_code == 304
    # What others did to its agenda is in nobody's way who changes the meeting itself; another change of it is.
    title = {"title": "Extraordinary meeting"}
    assert (await api.patch(path, by=UNIT, json=title, headers={"if-match": tags[0]})).status_code == 200
    assert (await api.patch(path, by=UNIT, json=title, headers={"if-match": tags[-1]})).status_code == 412


async def test_the_contact_of_a_note_that_came_to_nothing_is_erased_after_two_years(api: Api) -> None:
    gone, kept = await at(api, "withdrawn"), await at(api, "submitted")
    job: Any = SimpleNamespace(database=api.app.state.database)  # type: ignore[attr-defined]
    for days, held in ((730, True), (732, False)):
        clock.configure(days)
        await erase_contacts(job)
        assert ((await api.get(gone, by=OWNER)).json()["contact"] is not None) == held
    assert (await api.get(kept, by=OWNER)).json()["contact"]


@pytest.mark.parametrize("status", ["draft", "submitted", "eligible", "not_selected"])
async def test_whoever_does_not_see_a_note_writes_nothing_to_it(api: Api, status: str) -> None:
    where = await at(api, status)
    before = (await api.get(where, by=OWNER)).json()
    writes: list[tuple[str, str, Any]] = [
        ("PATCH", where, {"title": "Theirs"}),
        ("DELETE", where, None),
        ("PUT", f"{where}/contact", {"name": "Theirs"}),
        ("PUT", f"{where}/assessment", {"criteria": {"alignment": {"met": True}}}),
        ("POST", f"{where}/endorsements", {"country": "KEN"}),
        ("POST", f"{where}/transfers", {"organisation": "IOM", "amount": "1", "transferred_on": "2026-01-01"}),
    ]
    for name, by in EVERYBODY.items():
        if name != "public" and sees(name, status):
            continue
        for method, path, body in writes:
            given = {"json": body} if body else {}
            answer = await api.request(method, path, by=by, headers={"if-match": "*"}, **given)
            assert answer.status_code == (404 if by else 401), (name, method, path, answer.text)
    assert (await api.get(where, by=OWNER)).json() == before


async def test_the_unit_judges_each_of_the_ten_principles_and_says_why_not(api: Api) -> None:
    where = await at(api, "screening")
    codes = [each["code"] for each in (await api.get("/v1/mptf/policy")).json()["criteria"]]
    assert sum(code.startswith("principle_") for code in codes) == 10
    silent = {"criteria": {"feasibility": {"met": False}, "colour": {"met": True}}}
    refused = await api.put(f"{where}/assessment", by=UNIT, json=silent)
    pointers = {error["pointer"] for error in refused.json()["errors"]}
    assert pointers == {"/criteria/feasibility/comment", "/criteria/colour"}
    assert (await api.put(f"{where}/assessment", by=SECRETARIAT, json=MET)).status_code == 403
    unmet = {**MET["criteria"], "sustainability": {"met": False, "comment": "Nothing is said of later."}}
    assessed = await api.put(f"{where}/assessment", by=UNIT, json={"criteria": unmet})
    assert assessed.json()["missing"] == []
    await act(api, where, "find_ineligible", UNIT, comment="It would not last.")
    read = (await api.get(f"{where}/assessment", by=OWNER)).json()
    assert read["criteria"]["sustainability"] == {"met": False, "comment": "Nothing is said of later."}
    assert (await api.put(f"{where}/assessment", by=UNIT, json=MET)).status_code == 409
