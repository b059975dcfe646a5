"""Pledges brought to a status the way people bring them there."""

from typing import Any

import httpx

from tests.clients import Api
from tests.pledges.conftest import KENYA, SECRETARIAT
from tests.pledges.content import complete

Step = tuple[str, str]

# How a pledge comes to each status: who does what, in order.
WAYS: dict[str, list[Step]] = {
    "draft": [],
    "submitted": [("submit", KENYA)],
    "returned": [("submit", KENYA), ("return", SECRETARIAT)],
    "declined": [("submit", KENYA), ("decline", SECRETARIAT)],
    "withdrawn": [("withdraw", KENYA)],
    "published": [("submit", KENYA), ("publish", SECRETARIAT)],
    "revising": [("submit", KENYA), ("publish", SECRETARIAT), ("revise", KENYA)],
    # The same statuses with a publication behind them.
    "submitted again": [("submit", KENYA), ("publish", SECRETARIAT), ("revise", KENYA), ("submit", KENYA)],
    "returned again": [
        ("submit", KENYA),
        ("publish", SECRETARIAT),
        ("revise", KENYA),
        ("submit", KENYA),
        ("return", SECRETARIAT),
    ],
    "withdrawn after publication": [("submit", KENYA), ("publish", SECRETARIAT), ("withdraw", KENYA)],
}


async def act(api: Api, where: str, action: str, by: str, **body: Any) -> httpx.Response:
    return await api.post(f"{where}/actions/{action}", by=by, json={"comment": "As agreed.", **body})


async def brought_to(api: Api, status: str, **content: Any) -> str:
    """The path of a new pledge of Kenya's that has gone the way to `status`."""
    made = await api.post("/v1/pledges", by=KENYA, json=complete(**content))
    assert made.status_code == 201, made.text
    where = made.headers["location"]
    for action, by in WAYS[status]:
        moved = await act(api, where, action, by)
        assert moved.status_code == 200, moved.text
    return where


async def edit(api: Api, where: str, by: str, **changes: Any) -> httpx.Response:
    tag = (await api.get(where, by=by)).headers["etag"]
    return await api.patch(where, by=by, json=changes, headers={"if-match": tag})
