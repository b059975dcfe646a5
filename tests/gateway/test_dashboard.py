"""Four sections, each at its own risk."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from gateway.settings import SERVICES
from tests.gateway.conftest import Processes, Start, free_port

SECTIONS = set(SERVICES)


async def test_each_section_is_flat_and_says_where_it_stands(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/dashboard?objective=6&country=KEN")
    assert answer.status_code == 200
    assert answer.json().keys() == SECTIONS
    for section in answer.json().values():
        assert section["state"] == "ok"
        assert datetime.now(UTC) - datetime.fromisoformat(section["as_of"]) < timedelta(minutes=1)
        assert isinstance(section["value"], int)
    assert answer.headers["cache-control"].startswith("public, max-age=1, ")
    assert answer.headers["age"] == "0"


async def test_a_service_may_say_itself_as_of_when_it_speaks(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/dashboard?as_of=2026-01-02T03:04:05Z")
    assert answer.text.count("as_of") == len(SECTIONS)
    assert answer.json()["pledges"]["as_of"] == "2026-01-02T03:04:05Z"


async def test_filters_go_to_the_pledges_and_the_calendar_gets_its_days(client: httpx.AsyncClient) -> None:
    await client.get("/v1/dashboard?objective=22&q=a%20b")
    seen = (await client.get("/v1/pledges/control", headers={"authorization": "Bearer x"})).json()["hits"]
    assert "/v1/pledges/summary?objective=22&q=a%20b" in seen
    assert seen["/v1/mptf/summary?"] >= 1
    today = datetime.now(UTC).date()
    assert f"/v1/calendar/occurrences?from={today}&to={today + timedelta(days=90)}" in seen


async def test_a_filter_that_the_pledges_refuse_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/dashboard?refuse=1")
    assert answer.status_code == 422
    assert answer.json() == {
        "type": "/problems/invalid",
        "title": "Invalid request",
        "status": 422,
        "detail": "Not so.",
        "instance": "/v1/dashboard",
        "errors": [{"pointer": "?refuse", "detail": "No such parameter."}],
    }


async def test_an_unchanged_dashboard_is_not_sent_again(client: httpx.AsyncClient) -> None:
    etag = (await client.get("/v1/dashboard?objective=1")).headers["etag"]
    answer = await client.get("/v1/dashboard?objective=1", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    await client.post("/v1/pledges/write", headers={"authorization": "Bearer x"})
    answer = await client.get("/v1/dashboard?objective=1", headers={"if-none-match": etag})
    assert answer.status_code == 200


async def test_a_write_shows_at_once(client: httpx.AsyncClient) -> None:
    before = (await client.get("/v1/dashboard")).json()["pledges"]["value"]
    await client.post("/v1/pledges/write", headers={"authorization": "Bearer x"})
    assert (await client.get("/v1/dashboard")).json()["pledges"]["value"] == before + 1


async def token(client: httpx.AsyncClient) -> str:
    answer = await client.post("/dev/token", data={"username": "amina"})
    return f"Bearer {answer.json()['access_token']}"


@pytest.mark.parametrize("path", ["/v1/dashboard", "/v1/reference/members"])
async def test_an_answer_to_a_token_is_private_and_a_bad_token_refused(client: httpx.AsyncClient, path: str) -> None:
    good = await token(client)
    answer = await client.get(path, headers={"authorization": good})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    answer = await client.get(path, headers={"authorization": good[:-4] + "AAAA"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_a_slow_service_costs_its_own_section(client: httpx.AsyncClient, start_gateway: Start) -> None:
    url = start_gateway(dashboard_timeout="0.3", answer_timeout="5")
    async with httpx.AsyncClient(base_url=url, trust_env=False) as slow:
        answer = await slow.get("/v1/dashboard?delay=1")
        sections = answer.json()
        assert sections.pop("pledges") == {"state": "unavailable", "as_of": None}
        assert {section["state"] for section in sections.values()} == {"ok"}
        assert answer.elapsed < timedelta(seconds=0.9)
        assert answer.headers["cache-control"] == "public, max-age=1"
        # What this caller did not wait for is there for the next.
        await asyncio.sleep(1)
        assert (await slow.get("/v1/dashboard?delay=1")).json()["pledges"]["state"] == "ok"


@pytest.mark.parametrize("down", SERVICES)
async def test_a_service_that_is_down_costs_its_own_section(start_gateway: Start, down: str) -> None:
    url = start_gateway(**{f"{down}_url": f"http://127.0.0.1:{free_port()}"})
    answer = httpx.get(f"{url}/v1/dashboard", trust_env=False)
    assert answer.status_code == 200
    sections = answer.json()
    assert sections.pop(down) == {"state": "unavailable", "as_of": None}
    assert {section["state"] for section in sections.values()} == {"ok"}


async def test_the_last_good_answer_is_served_as_stale(processes: Processes, start_gateway: Start) -> None:
    service = processes.start("tests.gateway.upstream:app")
    url = start_gateway(practices_url=service)
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        first = (await client.get("/v1/dashboard")).json()["practices"]
        processes.stop(service)
        await asyncio.sleep(1.1)
        await client.get("/v1/dashboard")
        await asyncio.sleep(0.2)
        answer = await client.get("/v1/dashboard")
        assert answer.json()["practices"] == first | {"state": "stale"}
        assert int(answer.headers["age"]) >= 1
        assert {answer.json()[name]["state"] for name in SECTIONS - {"practices"}} == {"ok"}
        port = int(service.rpartition(":")[2])
        processes.start("tests.gateway.upstream:app", port)
        await asyncio.sleep(5)
        await client.get("/v1/dashboard")
        await asyncio.sleep(0.2)
        assert (await client.get("/v1/dashboard")).json()["practices"]["state"] == "ok"
        processes.stop(service)
