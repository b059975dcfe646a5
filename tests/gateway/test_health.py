"""Whether the gateway runs, and its services with it."""

import httpx

from tests.gateway.conftest import Start, free_port


async def test_it_runs(client: httpx.AsyncClient) -> None:
    answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_each_services_state_is_named(client: httpx.AsyncClient, start_gateway: Start) -> None:
    answer = await client.get("/readyz")
    services = dict.fromkeys(("pledges", "practices", "mptf", "calendar"), "ok")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "services": services})
    url = start_gateway(mptf_url=f"http://127.0.0.1:{free_port()}")
    answer = httpx.get(f"{url}/readyz", trust_env=False)
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "services": services | {"mptf": "unavailable"}}
    assert answer.headers["cache-control"] == "no-store"
    assert httpx.get(f"{url}/livez", trust_env=False).status_code == 200
