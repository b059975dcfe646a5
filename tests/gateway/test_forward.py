"""Requests and answers pass through whole, and through nothing that one caller leaves for the next."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.gateway.conftest import Processes, Start, free_port

TOKEN = {"authorization": "Bearer token"}


def fields(response: httpx.Response) -> dict[str, str]:
    """The header fields that the service saw."""
    return dict(response.json()["headers"])


async def control(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    answer = await client.get("/v1/pledges/control", params=query, headers=TOKEN)
    content: dict[str, Any] = answer.json()
    return content


@pytest.mark.parametrize("name", ["pledges", "practices", "mptf", "calendar"])
async def test_path_and_query_arrive_as_they_were_sent(client: httpx.AsyncClient, name: str) -> None:
    target = f"/v1/{name}/a%2Fb/%E2%82%AC?q=a%20b&q=c+d&x=%5B1%5D&empty=&'=\""
    request = httpx.Request("GET", client.base_url, headers=TOKEN, extensions={"target": target.encode()})
    seen = (await client.send(request)).json()
    assert (seen["raw_path"], seen["query"]) == tuple(target.split("?"))


async def test_what_no_uri_may_hold_is_refused(gateway: str) -> None:
    reader, writer = await asyncio.open_connection(*gateway.removeprefix("http://").split(":"))
    writer.write("GET /v1/pledges/é?q=ü%20 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/v1/pledgesx", "/v1", "/v1/", "/v2/pledges", "//v1/pledges", "/v1/pl%65dges", "/x"])
async def test_what_is_no_services_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    request = httpx.Request("GET", client.base_url, extensions={"target": path.encode()})
    answer = await client.send(request)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_methods_and_bodies_pass(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/v1/pledges", content=b"body", headers={"content-type": "text/x-own"})
    seen = answer.json()
    assert (seen["method"], seen["body"]) == (method, "body")
    assert fields(answer)["content-length"] == "4"
    assert fields(answer)["content-type"] == "text/x-own"


async def test_a_request_without_a_body_gets_none(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/pledges/x/actions/submit")
    assert answer.json()["length"] == 0
    assert "content-type" not in fields(answer)


async def test_head_has_no_body(client: httpx.AsyncClient) -> None:
    answer = await client.head("/v1/pledges", headers=TOKEN)
    assert answer.status_code == 200
    assert answer.content == b""
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("status", [201, 404, 409, 500, 503])
async def test_statuses_pass(client: httpx.AsyncClient, status: int) -> None:
    assert (await client.get(f"/v1/pledges?status={status}", headers=TOKEN)).status_code == status


async def test_fields_for_one_connection_stay_on_it(client: httpx.AsyncClient) -> None:
    sent = {
        **TOKEN,
        "connection": "keep-alive, x-hop",
        "x-hop": "1",
        "te": "trailers",
        "proxy-authorization": "Basic x",
        "keep-alive": "timeout=5",
        "x-kept": "1",
    }
    answer = await client.get("/v1/pledges", headers=sent)
    seen = fields(answer)
    assert seen["x-kept"] == "1"
    assert seen["authorization"] == "Bearer token"
    assert not seen.keys() & {"x-hop", "te", "proxy-authorization", "keep-alive", "connection"}
    assert answer.headers["x-kept"] == "yes"
    assert "x-private" not in answer.headers
    assert "server" not in answer.headers
    assert len(answer.headers.get_list("date")) == 1


async def test_nothing_is_added_to_a_request(client: httpx.AsyncClient) -> None:
    for name in ("user-agent", "accept", "accept-encoding"):
        client.headers.pop(name, None)
    answer = await client.get("/v1/pledges", headers=TOKEN)
    assert set(fields(answer)) == {
        "host",
        "authorization",
        "x-request-id",
        "traceparent",
        "x-forwarded-for",
        "x-forwarded-proto",
    }


async def test_no_cookie_is_kept_or_passed_between_callers(gateway: str) -> None:
    for _ in range(2):
        async with httpx.AsyncClient(base_url=gateway, trust_env=False) as caller:
            answer = await caller.get("/v1/pledges", headers=TOKEN)
            assert answer.headers["set-cookie"].startswith("session=secret")
            assert "cookie" not in fields(answer)


async def test_bytes_are_not_decompressed(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/v1/pledges/gzip", headers=TOKEN) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        assert b"".join([chunk async for chunk in answer.aiter_raw()]) == b"\x1f\x8bnot really"


async def _pieces(count: int, size: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_long_upload_streams_through(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/pledges/imports", content=_pieces(50, 1024 * 1024))
    assert answer.json()["length"] == 50 * 1024 * 1024


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_limit_is_refused(start_gateway: Start, announced: bool) -> None:
    url = start_gateway(body_limit="100000")
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        content = b"x" * 100_001 if announced else _pieces(11, 10_000)
        answer = await client.post("/v1/pledges/imports", content=content)
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/too-large"
        assert (await client.post("/v1/pledges/imports", content=b"x" * 100_000)).json()["length"] == 100_000


@pytest.mark.parametrize("count", [1, 20, 2000])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_service_that_refuses_a_body_is_heard(client: httpx.AsyncClient, count: int, announced: bool) -> None:
    for path in ("/v1/pledges/refuse", "/v1/pledges/enough"):
        if path.endswith("enough") and count < 2000:
            continue
        for _ in range(10):
            content = b"x" * (count * 10_000) if announced else _pieces(count, 10_000)
            answer = await client.post(path, content=content)
            assert (answer.status_code, answer.json()) == (413, {"status": 413})


async def test_pieces_arrive_as_they_are_made(client: httpx.AsyncClient) -> None:
    path = "/v1/pledges/stream?pieces=3&size=10&pause=0.3"
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with client.stream("GET", path, headers=TOKEN) as answer:
        arrivals = [loop.time() - begun async for _ in answer.aiter_raw()]
    assert arrivals[0] < 0.25
    assert arrivals[-1] > 0.5


async def test_a_stream_may_last_longer_than_the_first_answer_may(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/pledges/stream?pieces=10&size=10&pause=0.25", headers=TOKEN)
    assert len(answer.content) == 100


@pytest.mark.parametrize("query", ["pieces=3&size=100", "pieces=3&size=100&length=1000", "pieces=2&size=65536"])
@pytest.mark.parametrize("headers", [TOKEN, {}])
async def test_an_answer_that_breaks_off_is_broken_off(
    client: httpx.AsyncClient, query: str, headers: dict[str, str]
) -> None:
    try:
        answer = await client.get(f"/v1/pledges/stream?die=1&{query}", headers=headers)
    except httpx.RemoteProtocolError:
        return
    # One short enough to be read whole before it is sent becomes a problem instead.
    assert answer.status_code == 502
    assert "length" in query


async def test_a_slow_service_is_a_timeout(client: httpx.AsyncClient) -> None:
    for headers in (TOKEN, {}):
        answer = await client.get("/v1/pledges/slow?delay=6", headers=headers)
        assert answer.status_code == 504
        assert answer.json()["type"] == "/problems/timeout"
        assert "retry-after" in answer.headers


async def test_a_service_that_is_down_is_a_bad_gateway(start_gateway: Start) -> None:
    url = start_gateway(pledges_url=f"http://127.0.0.1:{free_port()}")
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for request in (client.get("/v1/pledges"), client.post("/v1/pledges", content=b"x", headers=TOKEN)):
            answer = await request
            assert answer.status_code == 502
            assert answer.headers["retry-after"] == "2"
            assert answer.json()["type"] == "/problems/bad-gateway"
        assert (await client.get("/v1/practices")).status_code == 200


async def test_a_service_that_comes_back_is_found_again(processes: Processes, start_gateway: Start) -> None:
    port = free_port()
    first = processes.start("tests.gateway.upstream:app", port)
    url = start_gateway(pledges_url=first)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert (await client.get("/v1/pledges", headers=TOKEN)).status_code == 200
        processes.stop(first)
        assert (await client.get("/v1/pledges", headers=TOKEN)).status_code == 502
        processes.start("tests.gateway.upstream:app", port)
        assert (await client.get("/v1/pledges", headers=TOKEN)).status_code == 200
        processes.stop(first)


@pytest.mark.parametrize("path", ["/v1/pledges/slow?delay=30", "/v1/pledges/stream?pieces=1000&size=10&pause=0.05"])
async def test_a_caller_who_leaves_takes_the_request_along(client: httpx.AsyncClient, path: str) -> None:
    before = (await control(client))["left"]
    async with httpx.AsyncClient(base_url=client.base_url, trust_env=False, timeout=0.5) as leaving:
        with suppress(httpx.ReadTimeout):
            async with leaving.stream("GET", path, headers=TOKEN):
                await asyncio.sleep(0.5)
    for _ in range(40):
        if (await control(client))["left"] > before:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the service still works for nobody")


async def test_a_caller_who_leaves_in_an_upload_is_seen_by_the_service(client: httpx.AsyncClient, gateway: str) -> None:
    before = (await control(client))["left"]
    host, port = gateway.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/pledges HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nonly some")
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.close()
    for _ in range(40):
        if (await control(client))["left"] > before:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the service still waits for the body")


async def test_many_at_once(client: httpx.AsyncClient) -> None:
    async def one(number: int) -> tuple[int, Any]:
        answer = await client.post(f"/v1/pledges/{number}", content=json.dumps(number).encode(), headers=TOKEN)
        return number, json.loads(answer.json()["body"])

    for number, echoed in await asyncio.gather(*(one(number) for number in range(200))):
        assert number == echoed
