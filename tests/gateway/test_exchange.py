"""Ids that come and go, and the caller's address, believed from those alone who may say it."""

import re
from ipaddress import ip_network

import httpx
import pytest

from gateway.exchange import client_of
from tests.gateway.conftest import Start

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TOKEN = {"authorization": "Bearer token"}
PATHS = ["/v1/pledges", "/v1/pledges/public", "/v1/reference/sdgs", "/livez", "/nothing", "/v1/dashboard"]


@pytest.mark.parametrize("path", PATHS)
async def test_ids_come_back(client: httpx.AsyncClient, path: str) -> None:
    sent = {"x-request-id": "portal-7:a.b_c", "traceparent": TRACE}
    answer = await client.get(path, headers=sent)
    assert answer.headers.get_list("x-request-id") == [sent["x-request-id"]]
    assert answer.headers.get_list("traceparent") == [TRACE]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"x-request-id": "a" * 129, "traceparent": "nonsense"},
        {"x-request-id": "a b", "traceparent": TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32)},
        {"x-request-id": "", "traceparent": TRACE.replace("00f067aa0ba902b7", "0" * 16)},
        {"x-request-id": '"><script>', "traceparent": "ff" + TRACE[2:]},
    ],
)
async def test_ids_that_are_not_fit_are_made_anew(client: httpx.AsyncClient, path: str, sent: dict[str, str]) -> None:
    answer = await client.get(path, headers=sent)
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", answer.headers["traceparent"])


async def test_services_get_the_ids_that_the_caller_gets(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/pledges", headers=TOKEN | {"tracestate": "a=b"})
    seen = dict(answer.json()["headers"])
    assert seen["x-request-id"] == answer.headers["x-request-id"]
    assert seen["traceparent"] == answer.headers["traceparent"]
    assert seen["tracestate"] == "a=b"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, nonsense", "10.0.0.1"),
        ("203.0.113.9", "6.6.6.6", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_address_is_the_nearest_that_no_trusted_proxy_vouches_for(
    peer: str, forwarded_for: str, expected: str
) -> None:
    trusted = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert client_of(peer, forwarded_for.encode(), trusted) == expected


SAID = {
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "evil",
    "forwarded": "for=x",
}


async def test_a_trusted_proxy_is_believed(client: httpx.AsyncClient) -> None:
    seen = dict((await client.get("/v1/pledges", headers=TOKEN | SAID)).json()["headers"])
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("203.0.113.7", "https")
    assert not seen.keys() & {"x-forwarded-host", "forwarded"}


async def test_nobody_else_is(start_gateway: Start) -> None:
    async with httpx.AsyncClient(base_url=start_gateway(trusted_proxies="10.0.0.0/8"), trust_env=False) as client:
        seen = dict((await client.get("/v1/pledges", headers=TOKEN | SAID)).json()["headers"])
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert not seen.keys() & {"x-forwarded-host", "forwarded"}
