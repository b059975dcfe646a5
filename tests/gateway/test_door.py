"""What is whose: the routing table, and faults of our own."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.cache import Cache
from gateway.door import Door, service_of
from gateway.forward import Forwarder
from gateway.settings import Settings
from gateway.upstream import Transport


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/v1/pledges", "pledges"),
        ("/v1/pledges/", "pledges"),
        ("/v1/practices/form", "practices"),
        ("/v1/mptf/meetings/1", "mptf"),
        ("/v1/calendar/feed.ics", "calendar"),
        ("/v1/pledges/../practices", "pledges"),
        ("/v1/pledgesx", None),
        ("/v1/dashboard", None),
        ("/v1", None),
        ("/", None),
        ("x/v1/pledges", None),
        ("/v2/pledges", None),
        ("/V1/pledges", None),
        ("/v1/pl%65dges", None),
    ],
)
def test_the_first_name_in_a_path_says_whose_it_is(path: str, service: str | None) -> None:
    assert service_of(path.encode()) == service


def door(app: Any) -> Door:
    forwarder = Forwarder(
        Transport(connect_timeout=1, stall_timeout=1), {}, Cache(0), answer_timeout=1, body_limit=1_000_000
    )
    return Door(app, forwarder=forwarder, settings=Settings(environment="development"), limiter=None)


async def answered(app: Any, path: str) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer x")],
        "client": ("127.0.0.1", 1),
    }
    await door(app)(scope, receive, send)
    return sent


async def _fails(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("private details")


async def _fails_after_its_answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b"its own"})
    raise LookupError("private details")


@pytest.mark.parametrize(
    ("app", "path", "body"),
    [
        (_fails, "/livez", b'"type":"/problems/internal"'),
        # A table without services: the lookup fails on the way to one.
        (_fails, "/v1/pledges", b'"type":"/problems/internal"'),
        (_fails_after_its_answer, "/livez", b"its own"),
    ],
)
async def test_a_fault_is_answered_once_and_without_details(app: Callable[..., Any], path: str, body: bytes) -> None:
    start, end = await answered(app, path)
    assert start["status"] == 500
    assert body in end["body"]
    assert b"private" not in end["body"]
    assert b"x-request-id" in dict(start["headers"])
