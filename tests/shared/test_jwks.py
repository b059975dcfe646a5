"""The provider's keys: which are used, and how they are fetched, kept and rotated."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import OctKey

from shared import auth
from shared.auth import InvalidToken, Verifier
from shared.jwks import KeySource, KeysUnavailable, usable_keys
from tests.shared.tokens import (
    AUDIENCE,
    DEVELOPMENT,
    EC,
    ISSUER,
    RSA,
    Provider,
    payload,
    token,
)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().running() as provider:
        yield provider


def test_keys_that_are_not_used() -> None:
    small = {"kty": "RSA", "kid": "small", "e": "AQAB", "n": base64.urlsafe_b64encode(b"\xc1" + b"\x01" * 127).decode()}
    found: list[Any] = [
        RSA.as_dict(private=False),
        small | {"n": small["n"].rstrip("=")},
        OctKey.generate_key(256, {"kid": "symmetric"}).as_dict(),
        RSA.as_dict(private=False) | {"kid": "for encryption", "use": "enc"},
        {name: value for name, value in RSA.as_dict(private=False).items() if name != "kid"},
        {"kty": "new", "kid": "of a later kind"},
        {"kty": "EC", "kid": "broken", "crv": "P-256", "x": "AA", "y": "AA"},
        "text",
        DEVELOPMENT.as_dict(private=False),
    ]
    assert set(usable_keys({"keys": found}, development=False)) == {"rsa"}
    assert set(usable_keys({"keys": found}, development=True)) == {"rsa", "development-1"}
    broken: object
    for broken in ([], {}, {"keys": {}}, None):
        with pytest.raises(ValueError, match="not a JWK Set"):
            usable_keys(broken, development=False)


async def test_development_keys_count_in_development(provider: Provider) -> None:
    provider.keys = [DEVELOPMENT]
    signed = token(key=DEVELOPMENT, alg="ES256")
    assert (await provider.verifier(development=True).verify(signed)).sub == "amina"


async def test_known_keys_are_fetched_once(provider: Provider) -> None:
    ours = provider.verifier()
    signed = [token(payload(jti=str(number))) for number in range(20)]
    await asyncio.gather(*map(ours.verify, signed))
    await asyncio.gather(*map(ours.verify, signed))
    assert provider.fetches == ["/jwks"]


async def test_unknown_keys_cause_no_storm(provider: Provider) -> None:
    ours = provider.verifier()
    await ours.verify(token())
    results = await asyncio.gather(
        *(ours.verify(token(payload(), kid=f"random-{number}")) for number in range(50)), return_exceptions=True
    )
    assert all(isinstance(result, InvalidToken) for result in results)
    assert len(provider.fetches) == 1, "the set is seconds old: it is not fetched again so soon"


async def test_a_new_key_is_found_at_once(provider: Provider) -> None:
    ours = provider.verifier(pause=0.1)
    provider.keys = [RSA]
    await ours.verify(token())
    provider.keys = [RSA, EC]
    await asyncio.sleep(0.15)
    provider.delay = 0.05
    rotated = [token(payload(jti=str(number)), key=EC, alg="ES256") for number in range(10)]
    callers = await asyncio.gather(*map(ours.verify, rotated))
    assert len(callers) == 10
    assert len(provider.fetches) == 2, "all who wait share one fetch"


async def test_a_withdrawn_key_ends_what_was_remembered(provider: Provider) -> None:
    ours = provider.verifier(refresh=0.1, pause=0.01)
    signed = token()
    await ours.verify(signed)
    provider.keys = [EC]
    await asyncio.sleep(0.15)
    await ours.verify(token(payload(jti="2")))  # the old set still serves while the new one is fetched
    await asyncio.sleep(0.1)
    with pytest.raises(InvalidToken, match="unknown key"):
        await ours.verify(signed)


async def test_remembered_tokens_expire(provider: Provider) -> None:
    ours = provider.verifier(leeway=0)
    signed = token(payload(exp=int(time.time()) + 2))
    await ours.verify(signed)
    await asyncio.sleep(2.1)
    with pytest.raises(InvalidToken, match="expired"):
        await ours.verify(signed)


async def test_memory_is_bounded(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REMEMBERED", 3)
    ours = provider.verifier()
    for number in range(10):
        await ours.verify(token(payload(jti=str(number))))
    assert len(ours._remembered) == 3


async def test_old_keys_serve_while_the_provider_is_down(provider: Provider) -> None:
    ours = provider.verifier(refresh=0.05, keep=0.5, pause=0.01)
    await ours.verify(token())
    provider.status = 503
    await asyncio.sleep(0.1)
    assert (await ours.verify(token(payload(jti="2")))).sub == "amina"
    await asyncio.sleep(0.6)
    with pytest.raises(KeysUnavailable):
        await ours.verify(token(payload(jti="3")))
    provider.status = 200
    await asyncio.sleep(0.05)
    assert (await ours.verify(token(payload(jti="4")))).sub == "amina"


async def test_a_provider_that_never_answered(provider: Provider) -> None:
    provider.status = 500
    ours = provider.verifier()
    for number in range(5):
        with pytest.raises(KeysUnavailable):
            await ours.verify(token(payload(jti=str(number))))
    assert len(provider.fetches) == 1
    nobody = Verifier(ISSUER, AUDIENCE, KeySource(provider.client, ISSUER, "http://127.0.0.1:9/jwks"))
    with pytest.raises(KeysUnavailable):
        await nobody.verify(token())


async def test_a_caller_who_leaves_does_not_end_the_fetch(provider: Provider) -> None:
    provider.delay = 0.2
    ours = provider.verifier()
    leaves = asyncio.create_task(ours.verify(token()))
    stays = asyncio.create_task(ours.verify(token(payload(jti="2"))))
    await asyncio.sleep(0.05)
    leaves.cancel()
    assert (await stays).sub == "amina"
    assert provider.fetches == ["/jwks"]


async def test_closing_ends_a_fetch(provider: Provider) -> None:
    provider.delay = 30
    ours = provider.verifier()
    waits = asyncio.create_task(ours.verify(token()))
    await asyncio.sleep(0.05)
    await ours.keys.close()
    assert isinstance((await asyncio.gather(waits, return_exceptions=True))[0], asyncio.CancelledError)


async def test_discovery_names_the_keys(provider: Provider) -> None:
    provider.issuer = provider.url
    ours = Verifier(provider.url, AUDIENCE, KeySource(provider.client, provider.url, None))
    assert (await ours.verify(token(payload(iss=provider.url)))).sub == "amina"
    assert provider.fetches == ["/.well-known/openid-configuration", "/jwks"]


async def test_discovery_of_another_issuer_is_refused(provider: Provider) -> None:
    provider.issuer = "https://elsewhere.example"
    with pytest.raises(KeysUnavailable):
        await Verifier(provider.url, AUDIENCE, KeySource(provider.client, provider.url, None)).verify(token())
    assert provider.fetches == ["/.well-known/openid-configuration"]
