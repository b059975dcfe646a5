"""Bearer tokens: every way in which one can be bad, and what the dependencies answer."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import OctKey

from shared import problems
from shared.auth import Caller, InvalidToken, MaybeCaller, SignedIn, Verifier, document_security, with_role
from shared.jwks import KeySource
from tests.shared.tokens import (
    AUDIENCE,
    DEVELOPMENT,
    EC,
    ISSUER,
    NO_AUTHORITIES,
    RSA,
    SIGNED_BY,
    STRANGER,
    Provider,
    by_hand,
    payload,
    token,
)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider().running() as provider:
        yield provider


@pytest.mark.parametrize("alg", SIGNED_BY)
async def test_accepts_each_algorithm(alg: str, provider: Provider) -> None:
    caller = await provider.verifier().verify(token(key=SIGNED_BY[alg], alg=alg))
    assert caller == Caller(
        sub="amina",
        name="Amina Otieno",
        email="amina@example.org",
        roles=frozenset({"secretariat"}),
        entity="gov-ken",
        countries=frozenset({"KEN"}),
    )
    assert caller.is_secretariat
    assert caller.has("reviewer", "secretariat")
    assert not caller.has("reviewer")


def now(offset: int = 0) -> int:
    return int(time.time()) + offset


ACCEPTED: dict[str, Callable[[], str]] = {
    "one audience of several": lambda: token(payload(aud=["other", AUDIENCE])),
    "typ with its full media type": lambda: token(typ="application/at+jwt"),
    "typ in capitals": lambda: token(typ="AT+JWT"),
    "nothing but what must be there": lambda: token({n: payload()[n] for n in ("iss", "aud", "sub", "exp")}),
    "just expired, within the leeway": lambda: token(payload(exp=now(-5))),
    "a clock ahead, within the leeway": lambda: token(payload(nbf=now(10), iat=now(10))),
    "nulls for what is not known": lambda: token(payload(entity=None, roles=None, countries=None, name=None)),
    "unknown header parameters": lambda: token(x5t="abc", vendor={"a": 1}),
    "addresses of keys, which nobody follows": lambda: token(jku="http://127.0.0.1:9/", x5u="http://127.0.0.1:9/"),
    "a certificate chain": lambda: token(x5c=["A" * 2000]),
}


@pytest.mark.parametrize("case", ACCEPTED)
async def test_accepts(case: str, provider: Provider) -> None:
    assert (await provider.verifier().verify(ACCEPTED[case]())).sub == "amina"


def confused() -> str:
    """HS256 with the public key as the secret: accepted by verifiers that let the header choose."""
    unsigned = by_hand({"alg": "HS256", "kid": "rsa", "typ": "at+jwt"}, payload()).rsplit(".", 1)[0]
    mac = hmac.new(RSA.as_pem(private=False), unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def tampered() -> str:
    head, _, signature = token().split(".")
    return f"{head}.{by_hand({}, payload(roles=['steering_committee'])).split('.')[1]}.{signature}"


# By the reason given, so that none is refused for another's fault.
REFUSED: dict[str, dict[str, Callable[[], str]]] = {
    "The token is not a signed JWT.": {
        "not ASCII": lambda: "é.é.é",
        "header that is a list": lambda: by_hand(["alg"], payload()),
        "header that is a text": lambda: by_hand("alg", payload()),
        "header nested without end": lambda: by_hand(b"[" * 5000, payload()),
    },
    "The token is not valid (decode_error).": {
        "empty": lambda: "",
        "junk": lambda: "abc",
        "three empty parts": lambda: "..",
        "five parts, as if encrypted": lambda: "a.b.c.d.e",
        "not base64": lambda: "***.***.***",
        "header that is a number": lambda: by_hand(5, payload()),
        "header that is no JSON": lambda: by_hand(b"{", payload()),
    },
    "The token is not valid (missing_algorithm).": {
        "no algorithm": lambda: by_hand({"kid": "rsa", "typ": "at+jwt"}, payload()),
    },
    "The token is not valid (unsupported_algorithm).": {
        "algorithm none": lambda: by_hand({"alg": "none", "kid": "rsa", "typ": "at+jwt"}, payload(), b""),
        "algorithm None": lambda: by_hand({"alg": "None", "kid": "rsa", "typ": "at+jwt"}, payload(), b""),
        "HS256 with the public key": confused,
        "HS256 with an own key": lambda: token(key=OctKey.generate_key(256, {"kid": "rsa"}), alg="HS256"),
        "RS512, which is not allowed": lambda: token(alg="RS512"),
    },
    "The token is not valid (invalid_key_type).": {
        "ES256 with the name of an RSA key": lambda: token(key=EC, alg="ES256", kid="rsa"),
        "RS256 with the name of an EC key": lambda: token(kid="ec"),
    },
    "The token's header names no key.": {
        "no kid": lambda: token(kid=...),
        "kid that is a number": lambda: token(kid=1),
        "algorithm that is a list": lambda: by_hand({"alg": ["RS256"], "kid": "rsa", "typ": "at+jwt"}, payload()),
        "own key in the header": lambda: token(key=STRANGER, kid=..., jwk=STRANGER.as_dict(private=False)),
    },
    "The token is signed by an unknown key.": {
        "unknown key": lambda: token(kid="other"),
        "development key": lambda: token(key=DEVELOPMENT, alg="ES256"),
    },
    "The token's signature does not hold.": {
        "changed claims": tampered,
        "no signature": lambda: token().rsplit(".", 1)[0] + ".",
        "signature that is no base64": lambda: token().rsplit(".", 1)[0] + ".%%%",
        "another's signature": lambda: token(key=STRANGER),
        "own key in the header, under a known kid": lambda: token(key=STRANGER, jwk=STRANGER.as_dict(private=False)),
    },
    "The token's header has extensions that are not understood.": {
        "crit": lambda: token(crit=["exp"], exp=1),
        "crit that is empty": lambda: token(crit=[]),
        "crit with b64": lambda: token(crit=["b64"], b64=True),
        "b64": lambda: token(b64=True),
    },
    "The token is not an access token (typ).": {
        "no typ": lambda: token(typ=...),
        "typ JWT": lambda: token(typ="JWT"),
        "typ of an ID token": lambda: token(typ="id+jwt"),
        "typ of a logout token": lambda: token(typ="logout+jwt"),
        "typ that is a list": lambda: token(typ=["at+jwt"]),
    },
    "The token is too long.": {"too long": lambda: token(payload(padding="x" * 9000))},
    "The token carries no claims.": {
        "claims that are a list": lambda: token(b"[]"),
        "claims that are no JSON": lambda: token(b"{"),
        "claims that are no UTF-8": lambda: token(b'{"sub": "\xff"}'),
        "claims nested without end": lambda: token(b"[" * 5000),
    },
    "The token is an ID token, not an access token.": {
        "ID token by its nonce": lambda: token(payload(nonce="n")),
        "ID token by its at_hash": lambda: token(payload(at_hash="h")),
        "ID token by its typ claim": lambda: token(payload(typ="ID")),
    },
    "The token's iss does not hold here.": {
        "no issuer": lambda: token(payload(iss=...)),
        "wrong issuer": lambda: token(payload(iss=ISSUER + "/")),
        "issuers in a list": lambda: token(payload(iss=[ISSUER])),
    },
    "The token's aud does not hold here.": {
        "no audience": lambda: token(payload(aud=...)),
        "wrong audience": lambda: token(payload(aud="other")),
        "audiences without ours": lambda: token(payload(aud=["a", "b"])),
        "audience that begins as ours": lambda: token(payload(aud=f"{AUDIENCE}-test")),
        "audience that is an object": lambda: token(payload(aud={AUDIENCE: 1})),
    },
    "The token has expired.": {"expired": lambda: token(payload(exp=now(-60)))},
    "The token's exp does not hold here.": {
        "no expiry": lambda: token(payload(exp=...)),
        "expiry as text": lambda: token(payload(exp=str(now(60)))),
        "expiry that is not a number": lambda: token(payload(exp=float("nan"))),
        "expiry without end": lambda: token(payload(exp=float("inf"))),
        "expiry true": lambda: token(payload(exp=True)),
    },
    "The token's nbf does not hold here.": {"not yet valid": lambda: token(payload(nbf=now(600)))},
    "The token's iat does not hold here.": {"issued in the future": lambda: token(payload(iat=now(600)))},
    "The token's sub does not hold here.": {
        "no subject": lambda: token(payload(sub=...)),
        "empty subject": lambda: token(payload(sub="")),
        "subject that is a number": lambda: token(payload(sub=5)),
    },
    "The token's sub is not a fit text.": {
        "subject over 255 characters": lambda: token(payload(sub="x" * 256)),
        "subject with NUL": lambda: token(payload(sub="a\0b")),
        "subject with a line break": lambda: token(payload(sub="a\nb")),
        "subject with half a character": lambda: token(payload(sub="\ud800")),
    },
    "The token's name is not a fit text.": {"name that is an object": lambda: token(payload(name={}))},
    "The token's email is not a fit text.": {"email over 320 characters": lambda: token(payload(email="x" * 321))},
    "The token's roles is not a list of texts.": {
        "roles as text": lambda: token(payload(roles="secretariat")),
        "roles without end": lambda: token(payload(roles=["r"] * 301)),
    },
    "The token's roles is not a fit text.": {
        "roles with a number": lambda: token(payload(roles=["reviewer", 1])),
        "roles with null": lambda: token(payload(roles=[None])),
        "role with a control character": lambda: token(payload(roles=["secretariat\x7f"])),
    },
    "The token's entity is not a fit text.": {
        "entity as a list": lambda: token(payload(entity=["gov-ken"])),
        "entity with a line break": lambda: token(payload(entity="gov-ken\n")),
        "entity of 81 characters": lambda: token(payload(entity="a" * 81)),
    },
    "The token's entity is not a slug.": {"entity in capitals": lambda: token(payload(entity="GOV-KEN"))},
    "The token's countries is not a list of texts.": {"countries as text": lambda: token(payload(countries="KEN"))},
    "The token's countries are not ISO 3166-1 alpha-3 codes.": {
        "countries in small letters": lambda: token(payload(countries=["ken"])),
        "countries of two letters": lambda: token(payload(countries=["KE"])),
    },
}


@pytest.mark.parametrize(("reason", "case"), [(reason, case) for reason in REFUSED for case in REFUSED[reason]])
async def test_refuses(reason: str, case: str, provider: Provider) -> None:
    provider.keys.append(DEVELOPMENT)
    with pytest.raises(InvalidToken) as refused:
        await provider.verifier().verify(REFUSED[reason][case]())
    assert refused.value.reason == reason


async def test_typ_jwt_where_it_is_allowed(provider: Provider) -> None:
    lenient = provider.verifier(allow_typ_jwt=True)
    assert (await lenient.verify(token(typ="JWT"))).sub == "amina"
    for refused in (token(typ=...), token(payload(nonce="n"), typ="JWT"), token(payload(typ="ID"), typ="JWT")):
        with pytest.raises(InvalidToken):
            await lenient.verify(refused)


async def test_claims_are_found_where_the_settings_say(provider: Provider) -> None:
    moved = payload(
        **{"roles": ..., "entity": ..., "realm_access": {"roles": ["reviewer"]}, "https://gcm.example/entity": "un-iom"}
    )
    paths = {"roles": "realm_access.roles", "entity": "https://gcm.example/entity", "countries": "sub.of.a.text"}
    caller = await provider.verifier(claims=paths).verify(token(moved))
    assert caller == Caller("amina", "Amina Otieno", "amina@example.org", frozenset({"reviewer"}), "un-iom")


def test_symmetric_algorithms_cannot_be_configured(provider: Provider) -> None:
    for algorithms in (["HS256"], ["RS256", "none"], ["RS257"]):
        with pytest.raises(ValueError, match="not algorithms of public keys"):
            Verifier(ISSUER, AUDIENCE, KeySource(provider.client, ISSUER, None), algorithms=algorithms)


def service(verifier: Verifier) -> FastAPI:
    made = FastAPI()
    problems.install(made)
    made.state.verifier = verifier

    @made.get("/public")
    async def public(caller: MaybeCaller) -> str:
        return caller.sub if caller else "stranger"

    @made.get("/mine")
    async def mine(caller: SignedIn) -> str:
        return caller.sub

    @made.get("/staff")
    async def staff(caller: Annotated[Caller, with_role("fund_management_unit", "reviewer")]) -> str:
        return caller.sub

    @made.get("/both")
    async def both(maybe: MaybeCaller, caller: SignedIn) -> bool:
        return maybe == caller

    @made.get("/open")
    async def nobody_asked() -> None: ...

    return made


@pytest.fixture
async def app(provider: Provider) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(service(provider.verifier()))
    async with httpx.AsyncClient(transport=transport, base_url="http://app", verify=NO_AUTHORITIES) as opened:
        yield opened


def bearer(signed: str) -> dict[str, str]:
    return {"authorization": f"Bearer {signed}"}


async def test_public_reads_know_who_calls(app: httpx.AsyncClient) -> None:
    assert (await app.get("/public")).json() == "stranger"
    assert (await app.get("/public", headers=bearer(token()))).json() == "amina"
    assert (await app.get("/public", headers={"authorization": f"bEARER  {token()}"})).json() == "amina"
    assert (await app.get("/both", headers=bearer(token()))).json() is True


@pytest.mark.parametrize("path", ["/public", "/mine"])
async def test_a_bad_token_is_401_everywhere(path: str, app: httpx.AsyncClient) -> None:
    answer = await app.get(path, headers=bearer(token(payload(exp=1))))
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="gcm-platform", error="invalid_token", error_description="The token has expired."'
    )
    assert answer.json()["detail"] == "The token has expired."


@pytest.mark.parametrize("path", ["/public", "/mine"])
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer é", "token", "Bearer a,b"]
)
async def test_other_credentials_are_401(path: str, given: str, app: httpx.AsyncClient) -> None:
    answer = await app.get(path, headers=[(b"authorization", given.encode())])
    assert answer.status_code == 401
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]


async def test_two_authorization_headers_are_401(app: httpx.AsyncClient) -> None:
    good = f"Bearer {token()}".encode()
    answer = await app.get("/public", headers=[(b"authorization", good), (b"authorization", good)])
    assert answer.status_code == 401


async def test_no_token_where_one_is_needed(app: httpx.AsyncClient) -> None:
    answer = await app.get("/mine")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="gcm-platform"'


async def test_roles(app: httpx.AsyncClient) -> None:
    assert (await app.get("/staff")).status_code == 401
    assert (await app.get("/staff", headers=bearer(token(payload(roles=["reviewer"]))))).json() == "amina"
    answer = await app.get("/staff", headers=bearer(token()))
    assert answer.status_code == 403
    assert answer.json()["detail"] == "This is for the role fund_management_unit or reviewer."
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


async def test_without_keys_nobody_is_let_in_or_blamed(app: httpx.AsyncClient, provider: Provider) -> None:
    provider.status = 500
    answer = await app.get("/public", headers=bearer(token()))
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert (await app.get("/public")).status_code == 200


def test_openapi_says_who_needs_a_token(provider: Provider) -> None:
    document = service(provider.verifier()).openapi()
    document_security(document)
    assert document["components"]["securitySchemes"] == {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token (RFC 9068) of the platform's OpenID Connect provider.",
        }
    }
    assert {path: operations["get"].get("security") for path, operations in document["paths"].items()} == {
        "/public": [{}, {"bearer": []}],
        "/mine": [{"bearer": []}],
        "/staff": [{"bearer": []}],
        "/both": [{"bearer": []}],
        "/open": None,
    }
