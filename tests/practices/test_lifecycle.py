"""Every row of the table with every kind of caller: what is offered is what is allowed, and nothing else."""

import pytest

from services.practices.lifecycle import PRACTICE
from tests.clients import Api
from tests.practices.journeys import WAYS, brought_to
from tests.practices.people import COLLEAGUE, NOBODY, OFFICIAL, OTHER, OWNER, SECRETARIAT, STRANGE_REVIEWER, Person

CALLERS = {
    "owner": OWNER,
    "colleague": COLLEAGUE,
    "secretariat": SECRETARIAT,
    "another entity": OTHER,
    "reviewer of others": STRANGE_REVIEWER,
    "the Fund's people": OFFICIAL,
    "no entity": NOBODY,
}

EVER = {"withdraw", "transfer"}
# status -> what its owner may do, what the secretariat may do; everybody else nothing. From the design, by hand.
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "draft": ({"submit", "withdraw"}, EVER),
    "submitted": ({"recall", "withdraw"}, {"return", "decline", *EVER}),
    "submitted, assigned": ({"recall", "withdraw"}, {"review", "return", "decline", *EVER}),
    "in_review": ({"withdraw"}, {"return", *EVER}),
    "in_review, accepted": ({"withdraw"}, {"return", "publish", *EVER}),
    "in_review, to be revised": ({"withdraw"}, {"return", *EVER}),
    "in_review, refused": ({"withdraw"}, {"return", "decline", *EVER}),
    "in_review, disagreed": ({"withdraw"}, {"return", *EVER}),
    "in_review, deadlocked": ({"withdraw"}, {"return", "publish", "decline", *EVER}),
    "returned": ({"submit", "withdraw"}, EVER),
    "declined": (set(), {"reopen", "transfer"}),
    "withdrawn": (set(), {"reopen", "transfer"}),
    "published": ({"revise", "withdraw"}, {"revise", *EVER}),
    "revising": ({"submit", "discard", "withdraw"}, EVER),
    "submitted again": ({"recall", "withdraw"}, {"return", "decline", *EVER}),
    "submitted again, editorial": ({"recall", "withdraw"}, {"return", "decline", "publish", *EVER}),
    "in_review again, refused": ({"withdraw"}, {"return", "decline", *EVER}),
    "returned again": ({"submit", "discard", "withdraw"}, EVER),
    "withdrawn after publication": (set(), {"reopen", "transfer"}),
}

# What becomes of the status; the second is where a publication stands.
LANDS = {
    "submit": ("submitted", "submitted"),
    "recall": ("draft", "revising"),
    "review": ("in_review", "in_review"),
    "return": ("returned", "returned"),
    "decline": ("declined", "published"),
    "publish": ("published", "published"),
    "revise": ("revising", "revising"),
    "discard": ("published", "published"),
    "withdraw": ("withdrawn", "withdrawn"),
    "reopen": ("returned", "returned"),
}


def allowed(status: str, who: str) -> set[str]:
    owner, secretariat = ALLOWED[status]
    return {"owner": owner, "colleague": owner, "secretariat": secretariat}.get(who, set())


@pytest.fixture(scope="session")
async def everybody(panel: list[Person], further: list[Person]) -> list[Person]:
    return [*panel, *further]


@pytest.mark.parametrize("status", WAYS)
async def test_what_is_offered_is_the_tables_and_all_else_is_refused(
    api: Api, everybody: list[Person], status: str
) -> None:
    where = await brought_to(api, status, everybody)
    before = (await api.get(where, by=SECRETARIAT)).json()
    public = before["version"] > 0 and before["status"] != "withdrawn"
    for who, caller in CALLERS.items():
        offered = await api.get(where, by=caller)
        if who in ("owner", "colleague", "secretariat"):
            assert set(offered.json()["actions"]) == allowed(status, who), who
        elif public:
            assert (offered.json()["actions"], offered.json()["status"]) == ([], "published"), who
        else:
            assert offered.status_code == (410 if before["version"] else 404), who
        for action in PRACTICE.action_names:
            if action in allowed(status, who):
                continue
            body = {"comment": "As agreed.", "owner": "org-otra"}
            refused = await api.post(f"{where}/actions/{action}", by=caller, json=body)
            assert refused.status_code in (403, 404, 409, 410), (who, action, refused.text)
            if who in ("owner", "colleague", "secretariat"):
                side = 1 if who == "secretariat" else 0
                ever = any(action in ALLOWED[each][side] for each in ALLOWED)
                assert ever or refused.status_code == 403, (who, action)
    assert (await api.post(f"{where}/actions/withdraw", json={"comment": "x"})).status_code == 401
    assert (await api.get(where, by=SECRETARIAT)).json() == before


@pytest.mark.parametrize(("status", "who"), [(s, w) for s in WAYS for w in ("owner", "secretariat")])
async def test_what_is_offered_is_done_and_written_down(
    api: Api, everybody: list[Person], status: str, who: str
) -> None:
    for action in sorted(allowed(status, who)):
        where = await brought_to(api, status, everybody)
        before = (await api.get(where, by=SECRETARIAT)).json()
        body = {"comment": "As agreed."} | ({"owner": "org-otra"} if action == "transfer" else {})
        moved = await api.post(f"{where}/actions/{action}", by=CALLERS[who], json=body)
        assert moved.status_code == 200, (action, moved.text)
        after = (await api.get(where, by=SECRETARIAT)).json()
        public = before["version"] > 0 and before["status"] != "withdrawn"
        expected = before["status"] if action == "transfer" else LANDS[action][public]
        assert after["status"] == expected, action
        history = (await api.get(f"{where}/history", by=SECRETARIAT, params={"limit": 100})).json()["items"]
        last = history[-1]
        assert (last["action"], last["from_status"], last["to_status"]) == (action, before["status"], expected)
        assert last["comment"] == "As agreed."


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("submitted", "return"),
        ("submitted", "decline"),
        ("submitted", "withdraw"),
        ("submitted", "transfer"),
        ("in_review, refused", "decline"),
        # The rationale of a decision that no majority carries.
        ("in_review, deadlocked", "publish"),
        ("in_review, deadlocked", "decline"),
        ("submitted again, editorial", "publish"),
    ],
)
async def test_a_comment_is_needed_where_the_table_says_so(
    api: Api, everybody: list[Person], status: str, action: str
) -> None:
    where = await brought_to(api, status, everybody)
    for comment in (None, "", "   "):
        body = {"comment": comment} | ({"owner": "org-otra"} if action == "transfer" else {})
        refused = await api.post(f"{where}/actions/{action}", by=SECRETARIAT, json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/comment"
    assert (await api.get(where, by=OWNER)).json()["status"] in status


async def test_who_reviews_a_practice_moves_it_nowhere(api: Api, everybody: list[Person]) -> None:
    where = await brought_to(api, "in_review, accepted", everybody)
    seen = await api.get(where, by=everybody[0].token)
    assert (seen.json()["status"], seen.json()["actions"]) == ("in_review", [])
    for action in PRACTICE.action_names:
        body = {"comment": "As agreed.", "owner": "org-otra"}
        assert (await api.post(f"{where}/actions/{action}", by=everybody[0].token, json=body)).status_code == 403
    assert (await api.patch(where, by=everybody[0].token, json={}, headers={"if-match": "*"})).status_code == 403
