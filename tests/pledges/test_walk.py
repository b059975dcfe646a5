"""A pledge from draft to dashboard, as its owner, the secretariat and the public see it."""

from tests.clients import Api
from tests.pledges.conftest import KENYA, SECRETARIAT
from tests.pledges.content import complete


async def test_a_pledge_is_drafted_submitted_published_and_counted(api: Api) -> None:
    before = (await api.get("/v1/pledges/summary")).json()
    made = await api.post("/v1/pledges", by=KENYA, json={"title": "Fair recruitment"})
    assert made.status_code == 201, made.text
    assert made.json()["status"] == "draft"
    assert made.json()["actions"] == ["submit", "withdraw"]
    where = made.headers["location"]
    assert (await api.get(where)).status_code == 404

    early = await api.post(f"{where}/actions/submit", by=KENYA)
    assert early.status_code == 422
    assert {e["pointer"] for e in early.json()["errors"]} >= {"/description", "/entity/name", "/contact/email"}

    edited = await api.patch(where, by=KENYA, json=complete(), headers={"if-match": made.headers["etag"]})
    assert edited.status_code == 200, edited.text
    assert edited.headers["etag"] != made.headers["etag"]
    submitted = await api.post(f"{where}/actions/submit", by=KENYA)
    assert submitted.status_code == 200, submitted.text
    published = await api.post(f"{where}/actions/publish", by=SECRETARIAT, json={"comment": "Thank you"})
    assert published.status_code == 200, published.text

    public = await api.get(where)
    assert public.status_code == 200
    record = public.json()
    assert record["status"] == "published"
    assert record["actions"] == []
    assert record["freshness"] == "green"
    assert "contact" not in record
    after = (await api.get("/v1/pledges/summary")).json()
    assert after["total"] == before["total"] + 1
    listed = (await api.get("/v1/pledges", params={"country": "KEN", "q": "recruitment"})).json()
    assert record in listed["items"]
