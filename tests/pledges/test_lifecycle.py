"""Every row of the table with every kind of caller: what is offered is what is allowed, and nothing else."""

import pytest

from services.pledges.lifecycle import PLEDGE
from tests.clients import Api
from tests.pledges.conftest import COLLEAGUE, KENYA, NOBODY, PERU, REVIEWER, SECRETARIAT
from tests.pledges.journeys import WAYS, act, brought_to, edit

CALLERS = {
    "owner": KENYA,
    "colleague": COLLEAGUE,
    "secretariat": SECRETARIAT,
    "another entity": PERU,
    "reviewer": REVIEWER,
    "no entity": NOBODY,
}

# status -> what its owner may do, what the secretariat may do; everybody else nothing. From the design, by hand.
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "draft": ({"submit", "withdraw"}, {"withdraw", "transfer"}),
    "submitted": ({"recall", "withdraw"}, {"return", "decline", "publish", "withdraw", "transfer"}),
    "returned": ({"submit", "withdraw"}, {"withdraw", "transfer"}),
    "declined": (set(), {"reopen", "transfer"}),
    "withdrawn": (set(), {"reopen", "transfer"}),
    "published": ({"revise", "withdraw"}, {"revise", "withdraw", "transfer"}),
    "revising": ({"submit", "discard", "withdraw"}, {"withdraw", "transfer"}),
    "submitted again": ({"recall", "withdraw"}, {"return", "decline", "publish", "withdraw", "transfer"}),
    "returned again": ({"submit", "discard", "withdraw"}, {"withdraw", "transfer"}),
    "withdrawn after publication": (set(), {"reopen", "transfer"}),
}

# What becomes of the status; the second is where a publication stands.
LANDS = {
    "submit": ("submitted", "submitted"),
    "recall": ("draft", "revising"),
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


@pytest.mark.parametrize("status", WAYS)
async def test_offered_actions_are_those_of_the_table(api: Api, status: str) -> None:
    where = await brought_to(api, status)
    public = status in ("published", "revising", "submitted again", "returned again")
    for who, caller in CALLERS.items():
        answer = await api.get(where, by=caller)
        if allowed(status, who) or who in ("owner", "colleague", "secretariat"):
            assert set(answer.json()["actions"]) == allowed(status, who), who
        elif public:
            assert answer.json()["actions"] == [], who
            assert answer.json()["status"] == "published"
        else:
            assert answer.status_code == (410 if status == "withdrawn after publication" else 404), who


@pytest.mark.parametrize("status", WAYS)
async def test_what_is_not_offered_is_refused_and_changes_nothing(api: Api, status: str) -> None:
    where = await brought_to(api, status)
    before = (await api.get(where, by=SECRETARIAT)).json()
    for who, caller in CALLERS.items():
        for action in PLEDGE.action_names:
            if action in allowed(status, who):
                continue
            refused = await act(api, where, action, caller, owner="gov-per")
            assert refused.status_code in (403, 404, 409, 410), (who, action, refused.text)
            if who in ("owner", "colleague", "secretariat"):
                ours = any(action in (ALLOWED[s][0] if who != "secretariat" else ALLOWED[s][1]) for s in ALLOWED)
                if not ours:
                    assert refused.status_code == 403, (who, action)
    unsigned = await api.post(f"{where}/actions/withdraw", json={"comment": "x"})
    assert unsigned.status_code == 401
    after = (await api.get(where, by=SECRETARIAT)).json()
    assert {**after, "freshness": None} == {**before, "freshness": None}


@pytest.mark.parametrize(("status", "who"), [(s, w) for s in WAYS for w in ("owner", "colleague", "secretariat")])
async def test_what_is_offered_is_done_and_written_down(api: Api, status: str, who: str) -> None:
    for action in sorted(allowed(status, who)):
        where = await brought_to(api, status)
        before = (await api.get(where, by=SECRETARIAT)).json()
        moved = await act(api, where, action, CALLERS[who], owner="gov-per" if action == "transfer" else None)
        assert moved.status_code == 200, (action, moved.text)
        after = (await api.get(where, by=SECRETARIAT)).json()
        public = before["version"] > 0 and before["status"] != "withdrawn"
        expected = before["status"] if action == "transfer" else LANDS[action][public]
        assert after["status"] == expected, action
        history = (await api.get(f"{where}/history", by=SECRETARIAT, params={"limit": 100})).json()["items"]
        last = history[-1]
        assert (last["action"], last["from_status"], last["to_status"]) == (action, before["status"], expected)
        assert last["comment"] == "As agreed."


@pytest.mark.parametrize("action", ["return", "decline", "withdraw", "transfer"])
async def test_a_comment_is_needed_where_the_table_says_so(api: Api, action: str) -> None:
    where = await brought_to(api, "submitted")
    for comment in (None, "", "   "):
        refused = await api.post(
            f"{where}/actions/{action}", by=SECRETARIAT, json={"comment": comment, "owner": "gov-per"}
        )
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == "/comment"
    assert (await api.get(where, by=KENYA)).json()["status"] == "submitted"


async def test_a_revision_changes_nothing_for_the_public_until_it_is_published(api: Api) -> None:
    where = await brought_to(api, "published", title="First")
    assert (await act(api, where, "revise", KENYA)).status_code == 200
    assert (await edit(api, where, KENYA, title="Second")).status_code == 200
    assert (await api.get(where)).json()["title"] == "First"
    assert (await api.get(where, by=KENYA)).json()["title"] == "Second"
    assert (await act(api, where, "submit", KENYA)).status_code == 200
    assert (await api.get(where)).json()["title"] == "First"
    assert (await act(api, where, "publish", SECRETARIAT)).status_code == 200
    public = (await api.get(where)).json()
    assert (public["title"], public["version"]) == ("Second", 2)
    versions = (await api.get(f"{where}/versions")).json()["items"]
    assert [(v["version"], v["current"]) for v in versions] == [(1, False), (2, True)]
    assert (await api.get(f"{where}/versions/1")).json()["title"] == "First"
    assert (await api.get(f"{where}/versions/3")).status_code == 404


@pytest.mark.parametrize("action", ["discard", "decline"])
async def test_a_dropped_revision_leaves_the_publication_as_it_was(api: Api, action: str) -> None:
    where = await brought_to(api, "revising", title="Stands")
    await edit(api, where, KENYA, title="Dropped")
    if action == "decline":
        await act(api, where, "submit", KENYA)
    moved = await act(api, where, action, SECRETARIAT if action == "decline" else KENYA)
    assert moved.json()["status"] == "published"
    assert (await api.get(where, by=KENYA)).json()["title"] == "Stands"


async def test_a_withdrawn_publication_is_gone_with_its_versions_until_it_is_published_again(api: Api) -> None:
    where = await brought_to(api, "published")
    total = (await api.get("/v1/pledges/summary")).json()["total"]
    await act(api, where, "withdraw", KENYA)
    for path in (where, f"{where}/versions", f"{where}/versions/1", f"{where}/progress"):
        gone = await api.get(path)
        assert gone.status_code == 410, path
        assert gone.json()["type"] == "/problems/gone"
        assert (await api.get(path, by=KENYA)).status_code == 200
    assert (await api.get("/v1/pledges/summary")).json()["total"] == total - 1
    for action, by in (("reopen", SECRETARIAT), ("submit", KENYA), ("publish", SECRETARIAT)):
        assert (await api.get(where)).status_code == 410
        assert (await act(api, where, action, by)).status_code == 200
    again = await api.get(where)
    assert again.status_code == 200
    assert again.json()["version"] == 2


async def test_only_a_draft_that_was_never_submitted_is_deleted(api: Api) -> None:
    where = await brought_to(api, "draft")
    tag = (await api.get(where, by=KENYA)).headers["etag"]
    assert (await api.delete(where, by=KENYA)).status_code == 428
    assert (await api.delete(where, by=KENYA, headers={"if-match": tag})).status_code == 204
    assert (await api.get(where, by=KENYA)).status_code == 404
    recalled = await brought_to(api, "submitted")
    await act(api, recalled, "recall", KENYA)
    tag = (await api.get(recalled, by=KENYA)).headers["etag"]
    assert (await api.delete(recalled, by=KENYA, headers={"if-match": tag})).status_code == 409


async def test_a_handed_over_pledge_is_its_new_owners(api: Api) -> None:
    where = await brought_to(api, "published")
    assert (await act(api, where, "transfer", SECRETARIAT)).status_code == 422
    assert (await act(api, where, "transfer", SECRETARIAT, owner="gov-per")).status_code == 200
    assert "revise" in (await api.get(where, by=PERU)).json()["actions"]
    assert (await api.get(where, by=KENYA)).json()["actions"] == []
    assert (await act(api, where, "revise", KENYA)).status_code == 403
    history = (await api.get(f"{where}/history", by=SECRETARIAT)).json()["items"]
    assert history[-1]["details"] == {"from_owner": "gov-ken", "owner": "gov-per"}


async def test_the_secretariat_enters_for_another_and_says_how_it_came(api: Api) -> None:
    body = {"title": "By letter", "owner": "gov-per", "received": "Note verbale of 3 May"}
    made = await api.post("/v1/pledges", by=SECRETARIAT, json=body)
    assert made.status_code == 201
    where = made.headers["location"]
    assert (await api.get(where, by=PERU)).json()["actions"] == ["submit", "withdraw"]
    history = (await api.get(f"{where}/history", by=PERU)).json()["items"]
    assert history[0]["details"] == {"received": "Note verbale of 3 May"}
    assert (await api.post("/v1/pledges", by=KENYA, json=body)).status_code == 403
    assert (await api.post("/v1/pledges", by=NOBODY, json={"title": "x"})).status_code == 403
    assert (await api.post("/v1/pledges", json={"title": "x"})).status_code == 401
