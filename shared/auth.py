"""Who calls: bearer tokens of an OpenID Connect provider (RFC 6750, RFC 9068), verified in every process."""

import hashlib
import json
import re
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from joserfc import jws
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from shared.jwks import FixedKeys, KeySource, KeysUnavailable
from shared.problems import Problem
from shared.settings import CommonSettings

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
CLAIMS = {"name": "name", "email": "email", "roles": "roles", "entity": "entity", "countries": "countries"}
TOKEN_BYTES = 8192
REMEMBERED = 2048
REMEMBERED_SECONDS = 60

UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
ENTITY = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
COUNTRY = re.compile(r"[A-Z]{3}")
CREDENTIALS = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
OF_ID_TOKENS = ("nonce", "at_hash", "c_hash", "s_hash")


class InvalidToken(Exception):
    """A token that is not accepted; `reason` says why, in words fit for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls and for whom: what a verified token says.

    `sub` is the provider's stable identifier of the person or client, `entity` the slug of the organisation or
    government spoken for, `countries` ISO 3166-1 alpha-3 codes. `name` and `email` are "" where not given.
    """

    sub: str
    name: str = ""
    email: str = ""
    roles: frozenset[str] = frozenset()
    entity: str | None = None
    countries: frozenset[str] = frozenset()

    def has(self, *roles: str) -> bool:
        """Whether the caller has one of these roles."""
        return not self.roles.isdisjoint(roles)

    @property
    def is_secretariat(self) -> bool:
        """Whether the caller acts for the Network secretariat."""
        return "secretariat" in self.roles


class _Algorithms(JWSRegistry):
    """Exactly the algorithms allowed. The library's own warns at each token signed "EdDSA" (renamed by RFC 9864,
    still the name providers use) and stops at a header that carries a certificate chain.
    """

    max_header_length = TOKEN_BYTES

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


class Verifier:
    """Turns a bearer token into a Caller.

    Accepts RFC 9068 access tokens of one issuer for one audience: `typ` `at+jwt` (`JWT` too if `allow_typ_jwt`,
    for providers that cannot set it), signed by one of the provider's published keys, which the header names by
    `kid`; keys or addresses of keys inside a token are not looked at. `leeway` is in seconds. `claims` says under
    which claim each of name, email, roles, entity and countries is found: its name, or a path with dots into
    nested objects. Outside development, development keys are unknown keys.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: KeySource | FixedKeys,
        *,
        algorithms: Sequence[str] = ALGORITHMS,
        allow_typ_jwt: bool = False,
        claims: Mapping[str, str] = CLAIMS,
        leeway: int = 30,
    ) -> None:
        if unfit := set(algorithms) - set(JWSRegistry.algorithms) | {a for a in algorithms if a[:2] in ("HS", "no")}:
            raise ValueError(f"not algorithms of public keys: {sorted(unfit)}")
        self.keys = keys
        self._registry = _Algorithms(algorithms=algorithms, strict_check_header=False)
        self._types = {"at+jwt", "application/at+jwt"} | ({"jwt"} if allow_typ_jwt else set())
        self._paths = {**CLAIMS, **claims}
        self._rules = JWTClaimsRegistry(
            leeway=leeway,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._leeway = leeway
        self._remembered: OrderedDict[bytes, tuple[float, int, Caller]] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """The caller a token names. Raises InvalidToken, or KeysUnavailable when no key can be had."""
        if len(token) > TOKEN_BYTES:
            raise InvalidToken("The token is too long.")
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        seen = self._remembered.get(digest)
        if seen and seen[0] > time.time() and seen[1] == self.keys.generation:
            self._remembered.move_to_end(digest)
            return seen[2]
        try:
            claims = await self._signed(token)
            self._rules.validate(claims)
        except ExpiredTokenError as error:
            raise InvalidToken("The token has expired.") from error
        except ClaimError as error:
            raise InvalidToken(f"The token's {error.claim} does not hold here.") from error
        except JoseError as error:
            # Its code, not its message: that may repeat what the token said.
            raise InvalidToken(f"The token is not valid ({error.error}).") from error
        caller = self._caller(claims)
        until = min(claims["exp"] + self._leeway, time.time() + REMEMBERED_SECONDS)
        self._remembered[digest] = (until, self.keys.generation, caller)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return caller

    async def _signed(self, token: str) -> dict[str, Any]:
        """The claims of a token whose header and signature hold."""
        try:
            signed = jws.extract_compact(token.encode("ascii"), registry=self._registry)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidToken("The token is not a signed JWT.") from error
        header = signed.headers()
        if not isinstance(header, dict):
            raise InvalidToken("The token is not a signed JWT.")
        kind = header.get("typ")
        if not isinstance(kind, str) or kind.lower() not in self._types:
            raise InvalidToken("The token is not an access token (typ).")
        if "crit" in header or "b64" in header:
            raise InvalidToken("The token's header has extensions that are not understood.")
        kid = header.get("kid")
        if not isinstance(kid, str) or not isinstance(header.get("alg"), str):
            raise InvalidToken("The token's header names no key.")
        self._registry.get_alg(header["alg"])
        key = await self.keys.get(kid)
        if key is None:
            raise InvalidToken("The token is signed by an unknown key.")
        if not jws.validate_compact(signed, key, registry=self._registry):
            raise InvalidToken("The token's signature does not hold.")
        try:
            claims = json.loads(signed.payload)
        except (ValueError, RecursionError) as error:
            raise InvalidToken("The token carries no claims.") from error
        if not isinstance(claims, dict):
            raise InvalidToken("The token carries no claims.")
        if claims.get("typ") == "ID" or any(name in claims for name in OF_ID_TOKENS):
            raise InvalidToken("The token is an ID token, not an access token.")
        return claims

    def _caller(self, claims: dict[str, Any]) -> Caller:
        found = {field: _at(claims, path) for field, path in self._paths.items()}
        entity = _text("entity", found["entity"], 80)
        if entity and not ENTITY.fullmatch(entity):
            raise InvalidToken("The token's entity is not a slug.")
        countries = _texts("countries", found["countries"], 3)
        if not all(map(COUNTRY.fullmatch, countries)):
            raise InvalidToken("The token's countries are not ISO 3166-1 alpha-3 codes.")
        sub = _text("sub", claims["sub"], 255)
        if not sub:
            raise InvalidToken("The token names no subject.")
        return Caller(
            sub=sub,
            name=_text("name", found["name"], 300),
            email=_text("email", found["email"], 320),
            roles=_texts("roles", found["roles"], 100),
            entity=entity or None,
            countries=countries,
        )


def verifier(settings: CommonSettings, client: httpx.AsyncClient, own: FixedKeys | None = None) -> Verifier:
    """The verifier that the settings describe; `client` fetches the provider's keys, unless they are our `own`."""
    keys = own or KeySource(client, settings.oidc_issuer, settings.oidc_jwks_url, development=settings.development)
    return Verifier(
        settings.oidc_issuer,
        settings.oidc_audience,
        keys,
        allow_typ_jwt=settings.oidc_accept_typ_jwt,
        claims={name: getattr(settings, f"oidc_claim_{name}") for name in CLAIMS},
    )


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, which may itself hold dots, else what lies at the end of the path."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _text(claim: str, value: Any, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or UNFIT.search(value):
        raise InvalidToken(f"The token's {claim} is not a fit text.")
    return value


def _texts(claim: str, value: Any, most: int) -> frozenset[str]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or len(value) > 300:
        raise InvalidToken(f"The token's {claim} is not a list of texts.")
    return frozenset(text for item in value if (text := _text(claim, item if item is not None else 0, most)))


def _unauthorized(detail: str, *, error: str | None = None) -> Problem:
    challenge = 'Bearer realm="gcm-platform"'
    if error:
        challenge += f', error="{error}", error_description="{detail}"'
    return Problem("unauthorized", detail, headers={"WWW-Authenticate": challenge})


class Bearer(SecurityBase):
    """The dependency behind MaybeCaller, SignedIn and with_role, and their entry in the OpenAPI document."""

    model = HTTPBearer(
        bearerFormat="JWT",
        description="An access token (RFC 9068) of the platform's OpenID Connect provider.",
    )

    def __init__(self, *roles: str, optional: bool = False) -> None:
        self.roles = roles
        self.optional = optional
        self.scheme_name = OPTIONAL if optional else "bearer"

    async def __call__(self, request: Request) -> Caller | None:
        caller = await self.authenticate(request)
        if caller and self.roles and not caller.has(*self.roles):
            challenge = 'Bearer realm="gcm-platform", error="insufficient_scope"'
            detail = f"This is for the role {' or '.join(self.roles)}."
            raise Problem("forbidden", detail, headers={"WWW-Authenticate": challenge})
        return caller

    async def authenticate(self, request: Request) -> Caller | None:
        """The caller, whatever their roles: `shared.operation` asks before it reads a body (401 comes first)."""
        given = request.headers.getlist("authorization")
        if not given:
            if self.optional:
                return None
            raise _unauthorized("This needs a bearer token.")
        credentials = CREDENTIALS.fullmatch(given[0].strip())
        if len(given) > 1 or credentials is None:
            raise _unauthorized("Give one Authorization header with a bearer token.", error="invalid_request")
        verifier: Verifier = request.app.state.verifier
        try:
            return await verifier.verify(credentials[1])
        except InvalidToken as error:
            raise _unauthorized(error.reason, error="invalid_token") from error
        except KeysUnavailable as error:
            detail = "Tokens cannot be checked now: the identity provider does not answer."
            raise Problem("unavailable", detail, headers={"Retry-After": "5"}) from error


OPTIONAL = "bearer_or_none"

MaybeCaller = Annotated[Caller | None, Security(Bearer(optional=True))]
"""The caller, or None without a token. A token that is not accepted is 401 here too."""

SignedIn = Annotated[Caller, Security(Bearer())]
"""The caller; 401 without an accepted token."""


def with_role(*roles: str) -> Any:
    """The dependency for `Annotated[Caller, with_role("secretariat")]`: 401 without a token, 403 without a role."""
    return Security(Bearer(*roles))


def document_security(document: dict[str, Any]) -> None:
    """Write optional tokens the OpenAPI way, `[{}, {"bearer": []}]`, which FastAPI has no words for.

    Changes the OpenAPI document in place; an application calls it on what `get_openapi` returns.
    """
    schemes = document.get("components", {}).get("securitySchemes", {})
    if OPTIONAL in schemes:
        schemes["bearer"] = schemes.pop(OPTIONAL)
    for path in document.get("paths", {}).values():
        for operation in path.values():
            security = operation.get("security", []) if isinstance(operation, dict) else []
            if {OPTIONAL: []} in security:
                required = {"bearer": []} in security
                operation["security"] = [{"bearer": []}] if required else [{}, {"bearer": []}]
