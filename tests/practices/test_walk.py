"""A practice from draft to repository, as its owner, its reviewers, the secretariat and the public see it."""

from tests.clients import Api
from tests.practices.content import complete
from tests.practices.people import OTHER, OWNER, SECRETARIAT, Person, act


async def test_a_practice_is_drafted_reviewed_published_and_counted(api: Api, panel: list[Person]) -> None:
    before = (await api.get("/v1/practices/summary")).json()
    made = await api.post("/v1/practices", by=OWNER, json={"title": "Legal counsel"})
    assert made.status_code == 201, made.text
    assert made.json()["actions"] == ["submit", "withdraw"]
    assert made.json()["peer_reviewed"] is False
    where = made.headers["location"]
    assert (await api.get(where)).status_code == 404
    assert (await api.get(where, by=OTHER)).status_code == 404

    early = await api.post(f"{where}/actions/submit", by=OWNER)
    assert early.status_code == 422
    assert early.json()["type"] == "/problems/incomplete"
    assert {e["pointer"] for e in early.json()["errors"]} >= {"/summary", "/primary_objectives", "/organisations"}
    edited = await api.patch(where, by=OWNER, json=complete(), headers={"if-match": made.headers["etag"]})
    assert edited.status_code == 200, edited.text
    await act(api, where, "submit", OWNER)

    # The review cannot start before its quorum is assigned.
    assert "review" not in (await api.get(where, by=SECRETARIAT)).json()["actions"]
    short = await api.post(f"{where}/actions/review", by=SECRETARIAT)
    assert short.status_code == 409
    assert "1 internal and 2 external" in short.json()["detail"]
    una, eva, ezra = panel
    for person in panel:
        await person.sit(api, where)
        assert (await api.get(where, by=person.token)).status_code == 200
        assert (await person.report(api, where)).status_code == 409
    opened = await act(api, where, "review", SECRETARIAT)
    assert opened["review"] == {
        "round": 1,
        "state": "waiting",
        "outcome": None,
        "lacks": "Still to be reported: 1 internal and 2 external reviewer(s) without a conflict.",
    }
    for person in (una, eva):
        assert (await person.report(api, where)).status_code == 201
    assert (await una.report(api, where)).status_code == 409
    assert (await api.post(f"{where}/actions/publish", by=SECRETARIAT)).status_code == 409
    assert (await ezra.report(api, where)).status_code == 201
    assert (await api.get(where, by=SECRETARIAT)).json()["review"]["outcome"] == "accept"
    assert (await api.post(f"{where}/actions/publish", by=OWNER)).status_code == 403
    declined = await api.post(f"{where}/actions/decline", by=SECRETARIAT, json={"comment": "no"})
    assert declined.status_code == 409
    await act(api, where, "publish", SECRETARIAT)

    public = await api.get(where)
    assert public.status_code == 200
    record = public.json()
    assert record["status"] == "published"
    assert record["actions"] == []
    assert record["peer_reviewed"] is True
    assert "contact" not in record
    assert record["html"]["description"].startswith("<p>Lawyers answer <strong>questions on contracts</strong>")
    after = (await api.get("/v1/practices/summary")).json()
    assert after["total"] == before["total"] + 1
    listed = (await api.get("/v1/practices", params={"country": "PER", "q": "domestic workers"})).json()
    found = next(item for item in listed["items"] if item["id"] == record["id"])
    assert "<mark>domestic</mark> <mark>workers</mark>" in found["match"]["title"]
    owner_reads = (await api.get(f"{where}/reviews", by=OWNER)).json()["items"]
    assert {item["comment"] for item in owner_reads} == {"Remarks, accept"}
    assert set(owner_reads[0]) == {"round", "criteria", "comment"}
