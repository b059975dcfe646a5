"""A service in this process on a real database, and callers with tokens of a real key set."""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from fastapi import FastAPI
from joserfc.jwk import KeySet

from shared.settings import Settings
from tests.shared import tokens


@contextmanager
def key_set() -> Iterator[str]:
    """The address of a JWK Set that `token` signs for."""
    keys = KeySet([tokens.EC]).as_dict(private=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = httpx.Response(200, json=keys).content
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/keys"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def token(sub: str = "someone", **claims: Any) -> str:
    """A token that outlasts a test run on a slow machine: most are made when their module is imported."""
    claims = {"exp": int(time.time()) + 6 * 3600, **claims}
    return tokens.token(
        tokens.payload(**{"roles": [], "entity": None, "countries": [], "name": sub, "sub": sub, **claims}),
        tokens.EC,
        "ES256",
    )


class Api(httpx.AsyncClient):
    """A client that speaks as somebody: `api.get(path, by=token)`; without `by` as a stranger."""

    async def request(self, method: str, url: Any, *, by: str | None = None, **rest: Any) -> httpx.Response:  # type: ignore[override]
        headers = dict(rest.pop("headers", None) or {})
        if by is not None:
            headers["authorization"] = f"Bearer {by}"
        return await super().request(method, url, headers=headers, **rest)

    async def get(self, url: Any, **rest: Any) -> httpx.Response:
        return await self.request("GET", url, **rest)

    async def post(self, url: Any, **rest: Any) -> httpx.Response:
        return await self.request("POST", url, **rest)

    async def patch(self, url: Any, **rest: Any) -> httpx.Response:
        return await self.request("PATCH", url, **rest)

    async def put(self, url: Any, **rest: Any) -> httpx.Response:
        return await self.request("PUT", url, **rest)

    async def delete(self, url: Any, **rest: Any) -> httpx.Response:
        return await self.request("DELETE", url, **rest)


@asynccontextmanager
async def running(
    create_app: Callable[[Settings], FastAPI], database_url: str, jwks_url: str, **settings: Any
) -> AsyncIterator[Api]:
    """The service's application, started, as a client of it."""
    app = create_app(
        Settings(
            environment="development",
            _no_variable_of_this_name=database_url,
            oidc_issuer=tokens.ISSUER,
            oidc_audience=tokens.AUDIENCE,
            oidc_jwks_url=jwks_url,
            **settings,
        )
    )
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with Api(transport=transport, base_url="http://service") as api:
            api.app = app  # type: ignore[attr-defined]
            yield api
