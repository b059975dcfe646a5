"""Tokens of a real OpenID Connect provider, a process of its own, verified end to end."""

import base64
import hashlib
import json
import re
import secrets
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from shared.auth import Caller, InvalidToken, Verifier
from shared.jwks import KeySource
from tests import node

RESOURCE = "https://gcm.example/api"
REDIRECT = "https://portal.example/signed-in"
PERSON = {
    "name": "Wanjiru Kamau",
    "email": "wanjiru@example.org",
    "roles": ["resident_coordinator"],
    "entity": "un-rco-ken",
    "countries": ["KEN", "SOM"],
}
ACCOUNTS: dict[str, dict[str, Any]] = {
    "wanjiru": PERSON,
    "portal-RS256": {"roles": ["secretariat"], "entity": "un-network-secretariat"},
    "portal-ES256": {"roles": []},
    "portal-EdDSA": {"roles": ["secretariat"], "countries": "KEN"},
}


def signing_keys(mark: str) -> list[Key]:
    return [
        RSAKey.generate_key(2048, {"kid": f"rsa-{mark}", "alg": "RS256", "use": "sig"}),
        ECKey.generate_key("P-256", {"kid": f"ec-{mark}", "alg": "ES256", "use": "sig"}),
        OKPKey.generate_key("Ed25519", {"kid": f"ed-{mark}", "alg": "EdDSA", "use": "sig"}),
    ]


@contextmanager
def provider(keys: list[Key], port: int = 0) -> Iterator[str]:
    """The provider's issuer while its process runs."""
    node.installed()
    script = node.TOP / "tests" / "oidc" / "provider.mjs"
    with subprocess.Popen([node.NODE, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        jwks = {"keys": [key.as_dict(private=True) for key in keys]}
        given = {"port": port, "jwks": jwks, "accounts": ACCOUNTS, "redirect": REDIRECT}
        process.stdin.write(json.dumps(given) + "\n")
        process.stdin.flush()
        issuer = process.stdout.readline().strip()
        assert issuer.startswith("http://127.0.0.1:"), "the provider did not start"
        try:
            yield issuer
        finally:
            process.stdin.close()
            process.wait(10)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as opened:
        yield opened


@pytest.fixture(scope="module")
def keys() -> list[Key]:
    return signing_keys("1")


@pytest.fixture(scope="module")
def issuer(keys: list[Key]) -> Iterator[str]:
    with provider(keys) as running:
        yield running


def verifier(client: httpx.AsyncClient, issuer: str, **timing: Any) -> Verifier:
    return Verifier(issuer, "gcm-platform", KeySource(client, issuer, None, **timing))


async def client_token(client: httpx.AsyncClient, issuer: str, alg: str, **more: str) -> str:
    answer = await client.post(
        f"{issuer}/token",
        auth=(f"portal-{alg}", "only-for-tests"),
        data={"grant_type": "client_credentials", "resource": RESOURCE, "scope": "api"} | more,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def sign_in(browser: httpx.AsyncClient, issuer: str) -> dict[str, str]:
    """A person signs in with a browser (authorization code, PKCE): the provider's answer with both tokens."""
    proof = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(proof.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": "browser",
        "response_type": "code",
        "scope": "openid profile email api",
        "redirect_uri": REDIRECT,
        "resource": RESOURCE,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "nonce": "n",
    }
    answer = await browser.get(f"{issuer}/auth", params=asked)
    while not (location := answer.headers.get("location", "")).startswith(REDIRECT):
        if answer.is_redirect:
            answer = await browser.get(urljoin(str(answer.url), location))
        else:
            action = re.search(r'action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text)
            assert action, answer.text
            assert prompt, answer.text
            filled = {"prompt": prompt[1], "login": "wanjiru", "password": "any"}
            answer = await browser.post(urljoin(str(answer.url), action[1]), data=filled)
    code = parse_qs(urlsplit(location).query)["code"][0]
    exchanged = await browser.post(
        f"{issuer}/token",
        auth=("browser", "only-for-tests"),
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": proof,
            "resource": RESOURCE,
        },
    )
    assert exchanged.status_code == 200, exchanged.text
    tokens: dict[str, str] = exchanged.json()
    return tokens


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
async def test_a_clients_token(alg: str, client: httpx.AsyncClient, issuer: str) -> None:
    caller = await verifier(client, issuer).verify(await client_token(client, issuer, alg))
    claims = ACCOUNTS[f"portal-{alg}"]
    assert caller == Caller(f"portal-{alg}", roles=frozenset(claims["roles"]), entity=claims.get("entity"))


async def test_claims_of_a_wrong_shape_are_refused(client: httpx.AsyncClient, issuer: str) -> None:
    signed = await client_token(client, issuer, "EdDSA")
    with pytest.raises(InvalidToken, match="countries is not a list"):
        await verifier(client, issuer).verify(signed)


async def test_a_persons_token_is_accepted_and_their_id_token_refused(client: httpx.AsyncClient, issuer: str) -> None:
    tokens = await sign_in(client, issuer)
    ours = verifier(client, issuer)
    caller = await ours.verify(tokens["access_token"])
    assert caller == Caller(
        sub="wanjiru",
        name="Wanjiru Kamau",
        email="wanjiru@example.org",
        roles=frozenset({"resident_coordinator"}),
        entity="un-rco-ken",
        countries=frozenset({"KEN", "SOM"}),
    )
    with pytest.raises(InvalidToken, match="not an access token"):
        await ours.verify(tokens["id_token"])
    lenient = Verifier(issuer, "browser", KeySource(client, issuer, None), allow_typ_jwt=True)
    with pytest.raises(InvalidToken):
        await lenient.verify(tokens["id_token"])


async def test_tokens_for_others_are_refused(client: httpx.AsyncClient, issuer: str) -> None:
    signed = await client_token(client, issuer, "RS256")
    for other in (
        Verifier(issuer, "another-platform", KeySource(client, issuer, None)),
        Verifier("https://elsewhere.example", "gcm-platform", KeySource(client, issuer, f"{issuer}/jwks")),
    ):
        with pytest.raises(InvalidToken, match="does not hold here"):
            await other.verify(signed)


async def test_opaque_tokens_are_refused(client: httpx.AsyncClient, issuer: str) -> None:
    answer = await client.post(
        f"{issuer}/token", auth=("portal-RS256", "only-for-tests"), data={"grant_type": "client_credentials"}
    )
    with pytest.raises(InvalidToken):
        await verifier(client, issuer).verify(answer.json()["access_token"])


async def test_rotation(client: httpx.AsyncClient) -> None:
    old, new = signing_keys("old"), signing_keys("new")
    with provider(old) as issuer:
        ours = verifier(client, issuer, pause=0, refresh=0)
        before = await client_token(client, issuer, "RS256")
        await ours.verify(before)
    # While the provider is away its keys still serve.
    assert (await ours.verify(before)).is_secretariat
    with provider([*new, *old], port=urlsplit(issuer).port or 0):
        after = await client_token(client, issuer, "RS256")
        assert (await ours.verify(after)).is_secretariat, "the new key is found at once"
        assert (await ours.verify(before)).is_secretariat, "the old one still holds"
    with provider(new, port=urlsplit(issuer).port or 0):
        await ours.keys.get("unknown")
        with pytest.raises(InvalidToken, match="unknown key"):
            await ours.verify(before)
        assert (await ours.verify(after)).is_secretariat
    await ours.keys.close()
