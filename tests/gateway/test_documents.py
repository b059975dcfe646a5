"""The contract, the docs page and the problem pages, from this process alone."""

import json
import re

import httpx
import pytest

from gateway.documents import CONTRACT
from shared.problems import PROBLEMS
from tests.gateway.conftest import Start


async def test_development_adds_a_way_to_sign_in_and_nothing_else(client: httpx.AsyncClient) -> None:
    committed = json.loads(CONTRACT.read_text("utf-8"))
    served = (await client.get("/openapi.json")).json()
    scheme = served["components"]["securitySchemes"].pop("development")
    assert scheme["flows"]["password"]["tokenUrl"] == "/dev/token"
    for path in served["paths"].values():
        for operation in path.values():
            if {"development": []} in operation["security"]:
                assert {"bearer": []} in operation["security"]
                operation["security"].remove({"development": []})
    assert served == committed


async def test_production_serves_the_committed_contract_and_no_tokens(start_gateway: Start) -> None:
    url = start_gateway(environment="production", oidc_issuer="https://issuer.example", host="127.0.0.1")
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert (await client.get("/openapi.json")).content == CONTRACT.read_bytes()
        assert (await client.post("/dev/token", data={"username": "a"})).status_code == 404
        assert (await client.get("/dev/jwks.json")).status_code == 404


async def test_the_docs_page_takes_everything_from_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "<script>" not in page.text
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(named) == 4
    for path in named:
        assert path.startswith("/docs/")
        assert (await client.get(path)).status_code == 200
    assert "SwaggerUIBundle" in (await client.get("/docs/swagger-ui-bundle.js")).text
    assert (await client.get("/docs/main.py")).status_code == 404


@pytest.mark.parametrize("slug", PROBLEMS)
async def test_each_kind_of_problem_has_a_page(client: httpx.AsyncClient, slug: str) -> None:
    page = await client.get(f"/problems/{slug}")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert PROBLEMS[slug].title in page.text


async def test_other_kinds_have_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/problems/unheard-of")).json()["type"] == "/problems/not-found"
