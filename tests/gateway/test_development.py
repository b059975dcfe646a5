"""Tokens for development."""

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from gateway.development import signing_key


async def said(client: httpx.AsyncClient, **form: str) -> jwt.Token:
    """What a token says, as who trusts the published keys reads it."""
    answer = await client.post("/dev/token", data=form)
    assert answer.status_code == 200
    content = answer.json()
    assert content.keys() == {"access_token", "token_type", "expires_in"}
    assert content["token_type"] == "bearer"
    assert content["expires_in"] >= 3600
    assert answer.headers["cache-control"] == "no-store"
    keys = KeySet.import_key_set((await client.get("/dev/jwks.json")).json())
    return jwt.decode(content["access_token"], keys, algorithms=["ES256"])


async def test_a_token_says_what_the_form_said(client: httpx.AsyncClient) -> None:
    token = await said(
        client,
        grant_type="password",
        username="amina",
        password="ignored",
        client_id="",
        client_secret="",
        roles="secretariat reviewer",
        entity="un-iom",
        countries="KEN UGA",
    )
    assert token.header["typ"] == "at+jwt"
    assert token.header["kid"].startswith("development-")
    claims = token.claims
    assert claims["iss"] == "urn:gcm:development"
    assert claims["aud"] == "gcm-platform"
    assert (claims["sub"], claims["roles"], claims["entity"]) == ("amina", ["secretariat", "reviewer"], "un-iom")
    assert claims["countries"] == ["KEN", "UGA"]
    assert claims["iat"] <= time.time() < claims["exp"]
    assert claims.keys() >= {"jti", "client_id", "name", "email"}


async def test_scope_says_the_same(client: httpx.AsyncClient) -> None:
    scope = "secretariat entity:gov-ken country:KEN country:UGA"
    claims = (await said(client, username="amina", scope=scope)).claims
    assert (claims["roles"], claims["entity"], claims["countries"]) == (["secretariat"], "gov-ken", ["KEN", "UGA"])


async def test_nobody_in_particular(client: httpx.AsyncClient) -> None:
    claims = (await said(client, username="amina@example.net")).claims
    assert (claims["roles"], claims["countries"]) == ([], [])
    assert "entity" not in claims
    assert claims["email"] == "amina@example.net"


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({}, "/username"),
        ({"username": ""}, "/username"),
        ({"username": "a\x00b"}, "/username"),
        ({"username": "a" * 256}, "/username"),
        ({"username": "a", "entity": "Gov Ken"}, "/entity"),
        ({"username": "a", "countries": "Kenya"}, "/countries"),
        ({"username": "a", "roles": "Secretariat!"}, "/roles"),
        ({"username": "a", "scope": "planet:earth"}, "/scope"),
        ({"username": "a", "scope": "country:kenya"}, "/countries"),
    ],
)
async def test_a_form_that_does_not_do_is_refused(
    client: httpx.AsyncClient, form: dict[str, str], pointer: str
) -> None:
    answer = await client.post("/dev/token", data=form or {"x": "1"})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_only_forms_are_taken(client: httpx.AsyncClient) -> None:
    assert (await client.post("/dev/token", json={"username": "a"})).status_code == 415
    assert (await client.post("/dev/token", data={"username": "a" * 20_000})).status_code == 413
    assert (await client.get("/dev/token")).status_code == 405


async def test_published_keys_are_public(client: httpx.AsyncClient) -> None:
    (key,) = (await client.get("/dev/jwks.json")).json()["keys"]
    assert "d" not in key
    assert key["use"] == "sig"


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"

    def kid(_: Any) -> str:
        return str(signing_key(folder).kid)

    with ThreadPoolExecutor(8) as at_once:
        kids = set(at_once.map(kid, range(16)))
    assert len(kids) == 1
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert signing_key(tmp_path).kid not in kids
