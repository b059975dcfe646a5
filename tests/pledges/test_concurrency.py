"""Two people act at once: one wins, the other hears 409 or 412, and history shows one move."""

import asyncio
import json
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from services.pledges import service
from services.pledges.index import Index
from services.pledges.models import PublishedChange
from services.pledges.schemas import PledgeAction, PledgeFilters
from shared.auth import Caller
from tests.clients import Api, token
from tests.pledges.conftest import KENYA, SECRETARIAT
from tests.pledges.journeys import act, brought_to

OTHER_SECRETARIAT = token("samir", roles=["secretariat"])


async def moves(api: Api, where: str, action: str) -> int:
    history = (await api.get(f"{where}/history", by=SECRETARIAT, params={"limit": 100})).json()["items"]
    return sum(step["action"] == action for step in history)


async def test_two_of_the_secretariat_decide_at_once(api: Api) -> None:
    for _ in range(5):
        where = await brought_to(api, "submitted")
        first, second = await asyncio.gather(
            act(api, where, "publish", SECRETARIAT), act(api, where, "decline", OTHER_SECRETARIAT)
        )
        assert sorted([first.status_code, second.status_code]) == [200, 409]
        assert await moves(api, where, "publish") + await moves(api, where, "decline") == 1


async def test_a_double_click_on_submit_moves_once(api: Api) -> None:
    where = await brought_to(api, "draft")
    answers = await asyncio.gather(*(act(api, where, "submit", KENYA) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await moves(api, where, "submit") == 1


async def test_an_owner_edits_what_a_colleague_has_just_changed(api: Api) -> None:
    where = await brought_to(api, "draft")
    tag = (await api.get(where, by=KENYA)).headers["etag"]
    answers = await asyncio.gather(
        *(api.patch(where, by=KENYA, json={"title": f"Title {n}"}, headers={"if-match": tag}) for n in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_an_owner_edits_while_the_secretariat_publishes(api: Api) -> None:
    where = await brought_to(api, "submitted")
    tag = (await api.get(where, by=KENYA)).headers["etag"]
    edited, published = await asyncio.gather(
        api.patch(where, by=KENYA, json={"title": "Late"}, headers={"if-match": tag}),
        act(api, where, "publish", SECRETARIAT),
    )
    assert published.status_code == 200
    assert edited.status_code in (409, 412)
    assert (await api.get(where)).json()["title"] != "Late"


async def test_an_action_on_what_was_read_before_is_refused_when_it_changed(api: Api) -> None:
    where = await brought_to(api, "submitted")
    stale = {"if-match": '"1"'}
    refused = await api.post(f"{where}/actions/publish", by=SECRETARIAT, headers=stale)
    assert refused.status_code == 412
    tag = (await api.get(where, by=SECRETARIAT)).headers["etag"]
    assert (await api.post(f"{where}/actions/publish", by=SECRETARIAT, headers={"if-match": tag})).status_code == 200


async def test_counts_do_not_drift_under_concurrent_publishing_and_withdrawing(api: Api) -> None:
    places = [await brought_to(api, "submitted", objectives=[n % 23 + 1]) for n in range(12)]

    async def life(where: str) -> None:
        for action in ("publish", "withdraw"):
            assert (await act(api, where, action, SECRETARIAT)).status_code == 200

    watching = asyncio.gather(*(api.get("/v1/pledges/summary") for _ in range(10)))
    await asyncio.gather(
        *(life(where) for where in places[:8]), *(act(api, w, "publish", SECRETARIAT) for w in places[8:])
    )
    await watching
    answered = (await api.get("/v1/pledges/summary")).json()
    rebuilt = Index(api.app.state.database)
    await rebuilt.build()
    async with api.app.state.database.reader.connect() as reader:
        assert answered == json.loads(await rebuilt.answer(PledgeFilters()))
        logged = (await reader.execute(select(func.count()).select_from(PublishedChange))).scalar_one()
        assert logged >= 20


async def test_a_crash_in_the_middle_of_publishing_leaves_counts_as_they_were(api: Api) -> None:
    """The server ends the transaction between the public's row and the commit: nothing of it is counted, ever."""
    where = await brought_to(api, "submitted", title="Crashed")
    before = (await api.get("/v1/pledges/summary")).json()
    database = api.app.state.database
    secretariat = Caller(sub="sofia", roles=frozenset({"secretariat"}))
    async with database.sessions() as crashing:
        pledge = await service.find(crashing, UUID(where.rsplit("/", 1)[1]), secretariat, lock=True)
        await service.act(crashing, pledge, "publish", PledgeAction(), secretariat)
        backend = await crashing.scalar(text("SELECT pg_backend_pid()"))
        async with database.reader.connect() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        with pytest.raises(DBAPIError):
            await crashing.commit()
    assert (await api.get(where)).status_code == 404
    assert (await api.get("/v1/pledges/summary")).json() == before
    assert (await act(api, where, "publish", SECRETARIAT)).status_code == 200
    after = (await api.get("/v1/pledges/summary")).json()
    assert after["total"] == before["total"] + 1
    rebuilt = Index(database)
    await rebuilt.build()
    assert after == json.loads(await rebuilt.answer(PledgeFilters()))
