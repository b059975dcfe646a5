"""An identity provider to test with: tokens as it would sign them, good and bad, and its keys on a real socket."""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from shared.auth import Verifier
from shared.jwks import KeySource

ISSUER = "https://identity.example"
AUDIENCE = "gcm-platform"

RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig", "alg": "ES256"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
DEVELOPMENT = ECKey.generate_key("P-256", {"kid": "development-1"})
SIGNED_BY = {"RS256": RSA, "ES256": EC, "EdDSA": ED, "Ed25519": ED}


def payload(**changes: Any) -> dict[str, Any]:
    """Claims that are accepted, with changes; a claim changed to `...` is left out."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "amina",
        "client_id": "portal",
        "jti": "1",
        "iat": int(time.time()),
        "exp": int(time.time()) + 300,
        "roles": ["secretariat"],
        "entity": "gov-ken",
        "countries": ["KEN"],
        "name": "Amina Otieno",
        "email": "amina@example.org",
    }
    return {name: value for name, value in (claims | changes).items() if value is not ...}


def by_hand(header: Any, claims: Any, signature: bytes = b"x") -> str:
    """Three parts joined as they are: JSON of a value, or bytes."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature))


def token(claims: dict[str, Any] | bytes | None = None, key: Any = RSA, alg: str = "RS256", **header: Any) -> str:
    """A token as a provider would sign it; a header changed to `...` is left out."""
    head = {"alg": alg, "kid": key.kid, "typ": "at+jwt"} | header
    body = payload() if claims is None else claims
    signed = by_hand({name: value for name, value in head.items() if value is not ...}, body).rsplit(".", 1)[0]
    signature = jws.JWSRegistry.algorithms[alg].sign(signed.encode(), key)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


# Reading the system's certificates takes longer than a test.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Provider:
    """A provider's public documents on a real socket; counts what is fetched and can be told to fail."""

    def __init__(self) -> None:
        self.keys: list[Any] = [RSA, EC, ED]
        self.issuer = ""
        self.fetches: list[str] = []
        self.status = 200
        self.delay = 0.0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        self.fetches.append(path)
        await asyncio.sleep(self.delay)
        jwks = {"keys": [key if isinstance(key, dict) else key.as_dict(private=False) for key in self.keys]}
        discovery = {"issuer": self.issuer, "jwks_uri": f"{self.url}/jwks"}
        body = json.dumps(discovery if path.endswith("openid-configuration") else jwks).encode()
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % (self.status, len(body)))
        writer.write(body)
        await writer.drain()
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Provider"]:
        server = await asyncio.start_server(self.answer, "127.0.0.1")
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, httpx.AsyncClient(verify=NO_AUTHORITIES) as self.client:
            yield self

    def verifier(self, **options: Any) -> Verifier:
        """A verifier that trusts this provider's keys; options of KeySource and Verifier."""
        timing = {name: options.pop(name) for name in ("refresh", "keep", "pause", "development") if name in options}
        keys = KeySource(self.client, ISSUER, f"{self.url}/jwks", **timing)
        return Verifier(ISSUER, AUDIENCE, keys, **options)
