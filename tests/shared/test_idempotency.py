"""A creation sent twice is done once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from services.pledges.models import IdempotencyKey, Pledge
from tests.clients import Api, token
from tests.shared.conftest import KENYA
from tests.shared.test_operation import assert_problem

COLLEAGUE = token("juma", entity="gov-ken")


async def count(api: Api, title: str) -> int:
    async with api.app.state.database.reader.connect() as reader:
        statement = select(func.count()).select_from(Pledge).where(Pledge.title == title)
        return int((await reader.execute(statement)).scalar_one())


def keyed(key: str) -> dict[str, str]:
    return {"idempotency-key": key}


async def test_a_repeat_gets_the_first_answer(api: Api) -> None:
    first = await api.post("/v1/pledges", by=KENYA, json={"title": "Once"}, headers=keyed("once-1"))
    again = await api.post("/v1/pledges", by=KENYA, json={"title": "Once"}, headers=keyed("once-1"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == first.headers["etag"]
    assert await count(api, "Once") == 1


async def test_the_same_key_with_another_body_is_refused(api: Api) -> None:
    await api.post("/v1/pledges", by=KENYA, json={"title": "Body A"}, headers=keyed("body"))
    other = await api.post("/v1/pledges", by=KENYA, json={"title": "Body B"}, headers=keyed("body"))
    assert_problem(other, 422, "key-reused")
    assert await count(api, "Body B") == 0


async def test_a_key_belongs_to_its_caller(api: Api) -> None:
    mine = await api.post("/v1/pledges", by=KENYA, json={"title": "Own key"}, headers=keyed("own"))
    theirs = await api.post("/v1/pledges", by=COLLEAGUE, json={"title": "Own key"}, headers=keyed("own"))
    assert mine.json()["id"] != theirs.json()["id"]


async def test_a_refusal_frees_the_key(api: Api) -> None:
    refused = await api.post("/v1/pledges", by=KENYA, json={"title": 1}, headers=keyed("free"))
    assert refused.status_code == 422
    forbidden = await api.post("/v1/pledges", by=KENYA, json={"owner": "gov-per"}, headers=keyed("free"))
    assert forbidden.status_code == 403
    made = await api.post("/v1/pledges", by=KENYA, json={"title": "Freed"}, headers=keyed("free"))
    assert made.status_code == 201


async def test_a_key_that_is_none_is_refused(api: Api) -> None:
    for bad in ("", "a b", "x" * 256):
        assert_problem(await api.post("/v1/pledges", by=KENYA, json={}, headers=keyed(bad)), 422, "invalid")


async def test_many_at_once_make_one(api: Api) -> None:
    """A double click: the later requests wait for the first and get its answer."""
    answers = await asyncio.gather(
        *(api.post("/v1/pledges", by=KENYA, json={"title": "Clicked"}, headers=keyed("click")) for _ in range(6))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(api, "Clicked") == 1


async def test_a_request_that_does_not_end_makes_the_second_come_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = api.app.state.database
    async with database.sessions() as held:
        held.add(IdempotencyKey(sub="amina", method="POST", path="/v1/pledges", key="held", digest=""))
        await held.flush()
        monkeypatch.setattr("shared.idempotency.PATIENCE", 200)
        waiting = await api.post("/v1/pledges", by=KENYA, json={"title": "Held"}, headers=keyed("held"))
        assert_problem(waiting, 409, "in-progress")
        assert waiting.headers["retry-after"] == "2"
        await held.rollback()
    assert (await api.post("/v1/pledges", by=KENYA, json={"title": "Held"}, headers=keyed("held"))).status_code == 201


async def test_after_a_day_the_key_is_new_again(api: Api) -> None:
    first = await api.post("/v1/pledges", by=KENYA, json={"title": "Daily"}, headers=keyed("daily"))
    async with api.app.state.database.sessions() as session:
        await session.execute(
            update(IdempotencyKey)
            .where(IdempotencyKey.key == "daily")
            .values(created_at=func.now() - text("interval '1 hour'") - timedelta(hours=24))
        )
        await session.commit()
    later = await api.post("/v1/pledges", by=KENYA, json={"title": "Daily"}, headers=keyed("daily"))
    assert later.json()["id"] != first.json()["id"]
