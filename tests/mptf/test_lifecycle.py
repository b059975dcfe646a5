"""Every row of the concept note's lifecycle, from each of its sources, with every caller."""

from typing import Any

import pytest

from services.mptf.lifecycle import CONCEPT_NOTE, STATUSES
from tests.clients import Api
from tests.mptf.conftest import (
    COMMITTEE,
    KENYA,
    OUTSIDER,
    OWN_COMMITTEE,
    OWNER,
    PARTNER,
    PERU,
    REVIEWER,
    SECRETARIAT,
    UNIT,
)
from tests.mptf.content import MET
from tests.mptf.steps import NOTES, act, draft, plan_in_time, travel_to_meeting

CALLERS = {
    "owner": OWNER,
    "coordinator": KENYA,
    "unit": UNIT,
    "committee": COMMITTEE,
    "own_committee": OWN_COMMITTEE,
    "secretariat": SECRETARIAT,
    "partner": PARTNER,
    "outsider": OUTSIDER,
    "other_coordinator": PERU,
    "reviewer": REVIEWER,
}

# The design's table as it reads, written down a second time: action, sources, target, who.
ROWS: list[tuple[str, str, str, str]] = [
    ("submit", "draft returned", "submitted", "coordinator"),
    ("recall", "submitted", "draft", "coordinator"),
    ("screen", "submitted", "screening", "unit"),
    ("return", "submitted screening", "returned", "unit"),
    ("find_eligible", "screening", "eligible", "unit"),
    ("find_ineligible", "screening", "not_eligible", "unit"),
    ("select", "eligible", "selected", "committee"),
    ("not_select", "eligible", "not_selected", "committee"),
    ("defer", "eligible", "eligible", "committee"),
    ("reconsider", "selected not_selected", "eligible", "committee"),
    ("develop", "selected", "in_development", "owner own_committee coordinator"),
    ("submit_document", "in_development", "document_submitted", "owner own_committee coordinator"),
    ("return_document", "document_submitted", "in_development", "unit committee own_committee"),
    ("approve", "document_submitted", "approved", "committee"),
    ("fund", "approved", "funded", "unit"),
    ("start", "funded", "active", "unit"),
    ("close_operationally", "active", "operationally_closed", "unit"),
    ("close_financially", "operationally_closed", "financially_closed", "unit"),
    ("withdraw", "draft returned submitted screening eligible", "withdrawn", "owner own_committee coordinator"),
    (
        "cancel",
        "selected in_development document_submitted approved funded active",
        "cancelled",
        "committee own_committee",
    ),
    ("reopen", "not_eligible not_selected withdrawn", "returned", "unit"),
]
NEEDS_COMMENT = {
    "return",
    "find_ineligible",
    "select",
    "not_select",
    "defer",
    "return_document",
    "withdraw",
    "cancel",
}

# How a note comes to each status: the status before, the action and who takes it.
WAYS: dict[str, tuple[str, str, str]] = {
    "submitted": ("draft", "submit", KENYA),
    "returned": ("submitted", "return", UNIT),
    "screening": ("submitted", "screen", UNIT),
    "eligible": ("screening", "find_eligible", UNIT),
    "not_eligible": ("screening", "find_ineligible", UNIT),
    "selected": ("eligible", "select", COMMITTEE),
    "not_selected": ("eligible", "not_select", COMMITTEE),
    "in_development": ("selected", "develop", OWNER),
    "document_submitted": ("in_development", "submit_document", OWNER),
    "approved": ("document_submitted", "approve", COMMITTEE),
    "funded": ("approved", "fund", UNIT),
    "active": ("funded", "start", UNIT),
    "operationally_closed": ("active", "close_operationally", UNIT),
    "financially_closed": ("operationally_closed", "close_financially", UNIT),
    "withdrawn": ("submitted", "withdraw", OWNER),
    "cancelled": ("selected", "cancel", COMMITTEE),
}


async def at(api: Api, status: str) -> str:
    """A note in that status, on the day of its meeting where it has come so far; its path."""
    if status == "draft":
        await plan_in_time(api)
        return await draft(api)
    before, action, by = WAYS[status]
    where = await at(api, before)
    if status in ("eligible", "not_eligible"):
        assert (await api.put(f"{where}/assessment", by=UNIT, json=MET)).status_code == 200
    await act(api, where, action, by)
    if status == "eligible":
        await travel_to_meeting(api, where)
    return where


def sees(caller: str, status: str) -> bool:
    """The design's sentence on who sees a note, written down a second time."""
    public = status in STATUSES[STATUSES.index("selected") :] and status not in ("not_selected", "withdrawn")
    match caller:
        case "owner" | "own_committee" | "coordinator" | "partner":
            return True
        case "unit" | "secretariat":
            return status != "draft"
        case "committee":
            return public or status in ("eligible", "not_selected")
    return public


def test_the_table_has_these_rows_and_no_others() -> None:
    table = {(move.action, status) for move in CONCEPT_NOTE.moves for status in move.sources}
    assert table == {(action, status) for action, sources, _, _ in ROWS for status in sources.split()}
    assert {move.action for move in CONCEPT_NOTE.moves if move.comment} == NEEDS_COMMENT


@pytest.mark.parametrize("status", STATUSES)
async def test_every_caller_is_offered_what_the_table_says_and_refused_all_else(api: Api, status: str) -> None:
    where = await at(api, status)
    for name, by in CALLERS.items():
        offered = {action for action, sources, _, who in ROWS if status in sources.split() and name in who.split()}
        read = await api.get(where, by=by)
        if not sees(name, status):
            assert read.status_code == 404, (name, status)
        else:
            assert read.status_code == 200, (name, status, read.text)
            assert set(read.json()["actions"]) == offered, (name, status)
        for action, sources, _, who in ROWS:
            if action in offered:
                continue
            refused = await api.post(f"{where}/actions/{action}", by=by, json={"comment": "No."})
            if not sees(name, status):
                assert refused.status_code == 404, (name, action, refused.text)
            elif name in who.split() and status not in sources.split():
                assert refused.status_code == 409, (name, action, refused.text)
            else:
                assert refused.status_code == 403, (name, action, refused.text)
    assert (await api.post(f"{where}/actions/{ROWS[0][0]}", json={})).status_code == 401


@pytest.mark.parametrize(
    ("action", "source", "target", "who"),
    [(action, source, target, who.split()[0]) for action, sources, target, who in ROWS for source in sources.split()],
)
async def test_every_row_moves_the_note_and_is_in_its_history(
    api: Api, action: str, source: str, target: str, who: str
) -> None:
    where = await at(api, source)
    by = CALLERS[who]
    if action in ("find_eligible", "find_ineligible"):
        early = await api.post(f"{where}/actions/{action}", by=by, json={"comment": "Why."})
        assert early.status_code == 422
        assert len(early.json()["errors"]) == len(MET["criteria"])
        assert (await api.put(f"{where}/assessment", by=UNIT, json=MET)).status_code == 200
    if action in NEEDS_COMMENT:
        silent = await api.post(f"{where}/actions/{action}", by=by)
        assert silent.status_code == 422
        assert silent.json()["errors"][0]["pointer"] == "/comment"
    moved = await act(api, where, action, by)
    assert moved["status"] == target
    steps: list[dict[str, Any]] = (await api.get(f"{where}/history?limit=100", by=OWNER)).json()["items"]
    step = next(each for each in reversed(steps) if each["action"] == action)
    assert (step["from_status"], step["to_status"], step["comment"]) == (source, target, "Because of this.")


async def test_only_an_unsubmitted_draft_is_deleted(api: Api) -> None:
    where = await draft(api)
    tag = (await api.get(where, by=OWNER)).headers["etag"]
    assert (await api.delete(where, by=OWNER)).status_code == 428
    assert (await api.delete(where, by=PARTNER, headers={"if-match": tag})).status_code == 403
    assert (await api.delete(where, by=OWNER, headers={"if-match": tag})).status_code == 204
    assert (await api.get(where, by=OWNER)).status_code == 404
    where = await draft(api)
    await act(api, where, "submit", KENYA)
    await act(api, where, "recall", KENYA)
    tag = (await api.get(where, by=OWNER)).headers["etag"]
    assert (await api.delete(where, by=OWNER, headers={"if-match": tag})).status_code == 409


async def test_a_decision_is_final_but_for_reconsider_which_names_it(api: Api) -> None:
    where = await at(api, "not_selected")
    (first,) = (await api.get(f"{where}/decisions", by=COMMITTEE)).json()["items"]
    wrong = await api.post(
        f"{where}/actions/reconsider", by=COMMITTEE, json={"decision": "0190a2b4-0000-7000-8000-000000000000"}
    )
    assert wrong.status_code == 422
    again = await act(api, where, "reconsider", COMMITTEE, decision=first["id"])
    assert again["status"] == "eligible"
    decided = (await api.get(f"{where}/decisions", by=COMMITTEE)).json()["items"]
    assert [each["decision"] for each in decided] == ["not_select", "reconsider"]
    assert decided[1]["reconsiders"] == first["id"]
    selected = await act(api, where, "select", COMMITTEE)
    assert selected["status"] == "selected"


async def test_what_the_public_read_is_gone_once_it_is_reconsidered(api: Api) -> None:
    where = await at(api, "selected")
    assert (await api.get(where)).status_code == 200
    await act(api, where, "reconsider", COMMITTEE)
    for path in (where, f"{where}/versions", f"{where}/versions/1", where.replace("concept-notes", "programmes")):
        assert (await api.get(path)).status_code == 410, path
    await act(api, where, "select", COMMITTEE)
    read = (await api.get(where)).json()
    assert read["version"] == 2
    assert [each["status"] for each in read["status_history"]] == ["selected"]


async def test_entering_for_another_is_for_staff(api: Api) -> None:
    body = {"title": "By letter", "owner": "un-rco-kenya", "received": "By letter of 3 November."}
    assert (await api.post(NOTES, by=OUTSIDER, json=body)).status_code == 403
    made = await api.post(NOTES, by=SECRETARIAT, json=body)
    assert made.status_code == 201
    steps = (await api.get(f"{made.headers['location']}/history", by=OWNER)).json()["items"]
    assert steps[0]["details"] == {"received": "By letter of 3 November."}
