"""How often one address may ask."""

import httpx
import pytest

from gateway.rate import counted_as
from tests.gateway.conftest import Start, free_port


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("", ""),
    ],
)
def test_an_address_of_ipv6_counts_with_its_neighbours(address: str, counted: str) -> None:
    assert counted_as(address) == counted


async def test_one_address_is_limited_and_no_other(start_gateway: Start) -> None:
    url = start_gateway(rate_limit="3/minute", trusted_proxies="127.0.0.1")
    async with httpx.AsyncClient(base_url=url, trust_env=False, headers={"x-forwarded-for": "203.0.113.7"}) as client:
        for left in (2, 1, 0):
            answer = await client.get("/v1/pledges/public")
            assert answer.status_code == 200
            assert answer.headers["ratelimit-policy"] == '"address";q=3;w=60'
            assert answer.headers["ratelimit"].startswith(f'"address";r={left};t=')
        refused = await client.get("/v1/reference/sdgs")
        assert refused.status_code == 429
        assert refused.json()["type"] == "/problems/too-many-requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.headers["ratelimit"].startswith('"address";r=0;t=')
        assert refused.headers["cache-control"] == "no-store"
        assert (await client.get("/livez")).status_code == 200
        other = await client.get("/v1/pledges/public", headers={"x-forwarded-for": "203.0.113.8"})
        assert other.status_code == 200


async def test_a_store_that_is_down_lets_everybody_in(start_gateway: Start) -> None:
    url = start_gateway(rate_limit="1/minute", rate_limit_storage=f"async+redis://127.0.0.1:{free_port()}/0")
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        for _ in range(3):
            assert (await client.get("/v1/pledges/public")).status_code == 200


async def test_nothing_is_limited_unless_told(client: httpx.AsyncClient) -> None:
    assert "ratelimit" not in (await client.get("/v1/pledges/public")).headers
