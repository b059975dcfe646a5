"""The identity provider's signing keys, fetched over HTTP and kept in memory."""

import asyncio
import time
import warnings
from collections.abc import Mapping
from typing import Any

import httpx
import structlog
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

SigningKey = RSAKey | ECKey | OKPKey

DEVELOPMENT = "development-"
"""What the kid of a development key begins with; such a key counts in development only."""

log = structlog.get_logger(__name__)


class KeysUnavailable(Exception):
    """No usable key set: the provider has not answered yet, or not for longer than keys may be kept."""


def usable_keys(document: object, *, development: bool) -> dict[str, SigningKey]:
    """The asymmetric signing keys of a JWK Set (RFC 7517) by kid.

    Left out: keys without a kid, for encryption, symmetric, of unknown kind, those the library warns of (RSA under
    2048 bits), and development keys outside development. Raises ValueError if the document is no JWK Set.
    """
    found = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(found, list):
        raise ValueError("not a JWK Set")
    keys: dict[str, SigningKey] = {}
    for jwk in found:
        try:
            with warnings.catch_warnings(action="error", category=SecurityWarning):
                key = JWKRegistry.import_key(jwk)
        except (JoseError, SecurityWarning, ValueError, TypeError, KeyError):
            continue
        kid = key.kid
        if not isinstance(kid, str) or not isinstance(key, SigningKey) or key.get("use") not in (None, "sig"):
            continue
        if development or not kid.startswith(DEVELOPMENT):
            keys[kid] = key
    return keys


class FixedKeys:
    """Keys that this process knows by itself: the development key, where it is signed with."""

    generation = 0

    def __init__(self, keys: Mapping[str, SigningKey]) -> None:
        self._keys = keys

    async def get(self, kid: str) -> SigningKey | None:
        """The key of that kid, or None."""
        return self._keys.get(kid)

    async def close(self) -> None:
        """Nothing is under way."""


class KeySource:
    """Keys by kid, without a network call on the way of a request that names a known key.

    A set older than `refresh` seconds is fetched again in the background while the old one serves; a set older
    than `keep` seconds no longer serves. An unknown kid fetches at once (a key was rotated in), at most once
    in `pause` seconds, and all who wait share one fetch. Without `jwks_url` the issuer's OpenID Connect
    discovery names it.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        issuer: str,
        jwks_url: str | None,
        *,
        development: bool = False,
        refresh: float = 600,
        keep: float = 86_400,
        pause: float = 5,
        timeout: float = 5,
    ) -> None:
        self._client = client
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._development = development
        self._refresh, self._keep, self._pause, self._timeout = refresh, keep, pause, timeout
        self._keys: dict[str, SigningKey] = {}
        self._fetched = self._tried = -float("inf")
        self._fetching: asyncio.Task[None] | None = None
        self.generation = 0
        """Rises when the set of keys changes: what was verified before may no longer hold."""

    async def get(self, kid: str) -> SigningKey | None:
        """The key of that kid, or None. Raises KeysUnavailable when there is no key set to look in."""
        now = time.monotonic()
        if kid in self._keys and now - self._fetched < self._keep:
            if now - self._fetched > self._refresh and now - self._tried > self._pause:
                self._fetch()
            return self._keys[kid]
        if self._fetching is not None or now - self._tried > self._pause:
            # Shielded: a caller who hangs up must not end the fetch that others wait for.
            await asyncio.shield(self._fetch())
        if time.monotonic() - self._fetched >= self._keep:
            raise KeysUnavailable
        return self._keys.get(kid)

    async def close(self) -> None:
        """End a fetch under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _fetch(self) -> asyncio.Task[None]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._load())
            self._fetching.add_done_callback(self._done)
        return self._fetching

    def _done(self, _task: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _load(self) -> None:
        self._tried = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                url = self._jwks_url or await self._discover()
                keys = usable_keys(await self._json(url), development=self._development)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, RecursionError) as error:
            log.warning("keys_not_fetched", issuer=self._issuer, reason=str(error) or type(error).__name__)
            return
        self._fetched = time.monotonic()
        if keys != self._keys:
            self._keys = keys
            self.generation += 1
            log.info("keys_fetched", issuer=self._issuer, kids=sorted(keys))

    async def _discover(self) -> str:
        document = await self._json(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if not isinstance(document, Mapping) or document.get("issuer") != self._issuer:
            raise ValueError("the discovery document is not this issuer's")
        url = document.get("jwks_uri")
        if not isinstance(url, str):
            raise ValueError("the discovery document names no jwks_uri")
        return url

    async def _json(self, url: str) -> Any:
        answer = await self._client.get(url, headers={"Accept": "application/json"}, follow_redirects=False)
        if answer.status_code != 200:
            raise ValueError(f"{url} answered {answer.status_code}")
        return answer.json()
