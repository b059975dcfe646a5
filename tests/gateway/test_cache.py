"""What is kept in memory, for how long, and when it is forgotten."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest

from gateway.cache import LARGEST, Cache, Entry, Key, Lifetime, entry, lifetime
from tests.gateway.conftest import Processes, Start
from tests.gateway.upstream import PUBLIC

TOKEN = {"authorization": "Bearer token"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (PUBLIC, Lifetime(1, 5, 601)),
        (b"public, max-age=60", Lifetime(60, 60, 60)),
        (b'Public, Max-Age="60"', Lifetime(60, 60, 60)),
        (b"public, max-age=60, s-maxage=10", Lifetime(10, 10, 10)),
        (b"public, max-age=0, stale-while-revalidate=4", Lifetime(0, 4, 4)),
        (b"public", None),
        (b"max-age=60", None),
        (b"private, max-age=60", None),
        (b"public, no-store, max-age=60", None),
        (b"public, no-cache, max-age=60", None),
        (b"", None),
    ],
)
def test_what_cache_control_allows(field: bytes, expected: Lifetime | None) -> None:
    assert lifetime(field) == expected


@pytest.mark.parametrize(
    ("status", "fields", "length", "kept"),
    [
        (200, [], 10, True),
        (200, [(b"vary", b"Accept, accept-language, Authorization")], 10, True),
        (200, [], LARGEST, True),
        (200, [], LARGEST + 1, False),
        (404, [], 10, False),
        (200, [(b"set-cookie", b"a=b")], 10, False),
        (200, [(b"vary", b"*")], 10, False),
        (200, [(b"vary", b"Origin"), (b"vary", b"Accept")], 10, False),
    ],
)
def test_what_may_be_kept(status: int, fields: list[tuple[bytes, bytes]], length: int, kept: bool) -> None:
    assert (entry(status, [(b"cache-control", PUBLIC), *fields], b"x" * length, 0) is not None) == kept


def some(generation: int = 0, size: int = 10) -> Entry:
    made = entry(200, [(b"cache-control", PUBLIC), (b"etag", b'W/"a"')], b"x" * size, generation)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("field", "matches"),
    [(b'"a"', True), (b'W/"a"', True), (b'"b", "a"', True), (b"*", True), (b'"b"', False), (b"a", False)],
)
def test_if_none_match_compares_weakly(field: bytes, matches: bool) -> None:
    assert some().matches(field) == matches


def key(name: str, service: str = "pledges") -> Key:
    return Key(service, name.encode(), b"", "en")


def test_the_least_lately_used_leaves_first() -> None:
    one = 10 + 1 + 1024
    cache = Cache(3 * one)
    for name in ("a", "b", "c"):
        cache.put(key(name), some())
    cache.get(key("a"))
    cache.put(key("d"), some())
    assert [name for name in "abcd" if cache.get(key(name))] == ["a", "c", "d"]
    assert cache.size == 3 * one
    cache.put(key("a"), some(size=5000))
    assert cache.size <= 3 * one
    assert cache.get(key("a")) is None


def test_a_write_forgets_one_service_and_what_was_on_its_way() -> None:
    cache = Cache(100_000)
    cache.put(key("a"), some())
    cache.put(key("a", "mptf"), some())
    before = cache.generation("pledges")
    cache.drop("pledges")
    assert cache.get(key("a")) is None
    assert cache.get(key("a", "mptf")) is not None
    cache.put(key("a"), some(before))
    assert cache.get(key("a")) is None
    cache.put(key("a"), some(cache.generation("pledges")))
    assert cache.get(key("a")) is not None


# -- through the gateway


def unique(action: str = "public", **query: object) -> str:
    """A path that nobody asked for before."""
    values = "".join(f"&{name}={value}" for name, value in query.items())
    return f"/v1/pledges/{uuid4().hex}/{action}?x=1{values}"


async def hits(client: httpx.AsyncClient, path: str) -> int:
    seen = (await client.get("/v1/practices/control", headers=TOKEN)).json()["hits"]
    return int(seen.get(path, 0))


async def test_an_answer_is_asked_for_once_and_shows_its_age(client: httpx.AsyncClient) -> None:
    path = unique()
    first = await client.get(path)
    again = await client.get(path)
    assert await hits(client, path) == 1
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert again.headers["age"] == "0"
    for name in ("cache-control", "etag", "vary", "content-type", "content-length"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


async def test_many_who_ask_at_once_share_one_request(client: httpx.AsyncClient) -> None:
    path = unique(delay=0.3)
    answers = await asyncio.gather(*(client.get(path) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
    assert await hits(client, path) == 1


async def test_who_leaves_does_not_take_the_answer_from_the_others(client: httpx.AsyncClient) -> None:
    path = unique(delay=1)

    async def impatient() -> None:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(path, timeout=0.3)

    _, answer = await asyncio.gather(impatient(), asyncio.create_task(_later(client, path)))
    assert answer.status_code == 200


async def _later(client: httpx.AsyncClient, path: str) -> httpx.Response:
    await asyncio.sleep(0.1)
    return await client.get(path)


async def test_a_token_is_neither_answered_from_memory_nor_kept(client: httpx.AsyncClient) -> None:
    path = unique()
    for _ in range(2):
        await client.get(path, headers=TOKEN)
    assert await hits(client, path) == 2
    await client.get(path)
    await client.get(path, headers=TOKEN)
    assert await hits(client, path) == 4


@pytest.mark.parametrize(
    "query",
    [
        {"control": "private,no-store"},
        {"control": "no-store"},
        {"status": 404},
        {"vary": "*"},
        {"cookie": 1},
        {"size": LARGEST},
    ],
)
async def test_what_may_not_be_kept_is_asked_for_each_time(client: httpx.AsyncClient, query: dict[str, object]) -> None:
    path = unique(**query)
    answers = await asyncio.gather(*(client.get(path) for _ in range(3)))
    assert len({answer.content for answer in answers}) == 1
    assert await hits(client, path) == 3


async def test_languages_and_media_types_are_kept_apart(client: httpx.AsyncClient) -> None:
    path = unique()
    for language, expected in (("fr-CH, de", "fr"), ("es-MX", "es"), ("de", "en"), ("fr", "fr")):
        answer = await client.get(path, headers={"accept-language": language})
        assert answer.json()["language"] == expected
    assert await hits(client, path) == 3
    answer = await client.get(path, headers={"accept": "text/csv"})
    assert answer.json()["accept"] == "text/csv"
    assert (await client.get(path)).json()["accept"] == "*/*"


async def test_nothing_of_a_caller_reaches_an_answer_that_others_get(client: httpx.AsyncClient) -> None:
    path = unique()
    sent = {
        "x-own": "1",
        "cookie": "a=b",
        "user-agent": "me",
        "origin": "https://example.org",
        "x-forwarded-host": "evil",
    }
    answer = await client.get(path, headers=sent)
    assert not set(answer.json()["saw"]) & sent.keys()


async def test_304_comes_from_memory(client: httpx.AsyncClient) -> None:
    path = unique()
    etag = (await client.get(path)).headers["etag"]
    answer = await client.get(path, headers={"if-none-match": f'"other", {etag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag
    assert "content-length" not in answer.headers
    assert (await client.get(path, headers={"if-none-match": '"other"'})).status_code == 200
    assert await hits(client, path) == 1
    # On the first request, too: what is fetched is the whole answer.
    path = unique()
    assert (await client.get(path, headers={"if-none-match": etag})).status_code == 304
    assert (await client.get(path)).status_code == 200
    assert await hits(client, path) == 1


async def test_an_old_answer_is_sent_while_a_new_one_is_fetched(client: httpx.AsyncClient) -> None:
    path = unique(delay=0.5)
    await client.get(path)
    await asyncio.sleep(1.1)
    begun = time.monotonic()
    answers = await asyncio.gather(*(client.get(path) for _ in range(5)))
    assert time.monotonic() - begun < 0.4
    assert {answer.headers["age"] for answer in answers} == {"1"}
    await asyncio.sleep(0.6)
    assert await hits(client, path) == 2
    assert (await client.get(path)).headers["age"] == "0"


async def test_an_answer_is_renewed_by_its_tag(client: httpx.AsyncClient) -> None:
    path = unique()
    await client.get(path)
    before = await hits(client, "304")
    await asyncio.sleep(1.1)
    await client.get(path)
    await asyncio.sleep(0.2)
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["age"]) == (200, "0")
    assert answer.json()["padding"] == ""
    assert await hits(client, "304") == before + 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_who_wrote_reads_what_was_written(client: httpx.AsyncClient, method: str) -> None:
    path = unique()
    before = (await client.get(path)).json()["value"]
    await client.request(method, "/v1/pledges/write", headers=TOKEN)
    assert (await client.get(path)).json()["value"] == before + 1


async def test_a_write_that_was_refused_forgets_nothing(client: httpx.AsyncClient) -> None:
    path = unique()
    before = (await client.get(path)).json()["value"]
    await client.post("/v1/pledges/write?status=422", headers=TOKEN)
    assert (await client.get(path)).json()["value"] == before
    assert await hits(client, path) == 1


async def test_what_was_on_its_way_before_a_write_is_not_given_after_it(client: httpx.AsyncClient) -> None:
    path = unique(delay=0.5)
    early = asyncio.create_task(client.get(path))
    await asyncio.sleep(0.2)
    await client.post("/v1/pledges/write", headers=TOKEN)
    late = await client.get(path)
    again = await client.get(path)
    assert late.json()["value"] == again.json()["value"]
    assert (await early).status_code == 200
    assert await hits(client, path) == 2


async def test_a_service_that_fails_leaves_its_last_answers(processes: Processes, start_gateway: Start) -> None:
    service = processes.start("tests.gateway.upstream:app")
    url = start_gateway(pledges_url=service, practices_url=service)
    path, unknown = unique(), unique()
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        first = await client.get(path)
        await client.get("/v1/practices/control?broken=1", headers=TOKEN)
        await asyncio.sleep(5.2)

        async def answers() -> list[Any]:
            found = [await client.get(path) for _ in range(5)]
            assert {answer.status_code for answer in found} == {200}
            assert {answer.content for answer in found} == {first.content}
            assert int(found[-1].headers["age"]) >= 5
            return found

        await answers()
        assert await hits(client, path) == 2
        assert (await client.get(unknown)).status_code == 500
        processes.stop(service)
        await answers()
        assert (await client.get(unknown)).status_code == 502
