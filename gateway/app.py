"""The gateway's application: `create_app` is what `python -m shared.serve gateway.app` runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
from fastapi import FastAPI

from gateway import dashboard, development, documents, health, reference
from gateway.cache import Cache
from gateway.door import Door
from gateway.forward import Forwarder
from gateway.rate import RateLimiter
from gateway.settings import Settings
from gateway.upstream import Transport
from shared import auth, clock, openapi, problems

VERSION: Final = "1.0.0"


def create_app(settings: Settings | None = None) -> Door:
    """The gateway. `settings` are read from the environment unless given; nothing is connected before a request."""
    settings = settings or Settings()
    clock.configure(settings.clock_offset_days)
    pages = own_pages(settings)
    limiter = RateLimiter(settings.rate_limit, settings.rate_limit_storage) if settings.rate_limit else None
    return Door(pages, forwarder=pages.state.forwarder, settings=settings, limiter=limiter)


def own_pages(settings: Settings) -> FastAPI:
    """What the gateway answers itself; `state.forwarder` is the way to the services, for the door as well."""
    forwarder = Forwarder(
        Transport(connect_timeout=settings.connect_timeout, stall_timeout=settings.stall_timeout),
        settings.service_urls,
        Cache(settings.cache_bytes),
        answer_timeout=settings.answer_timeout,
        body_limit=settings.body_limit,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # A bad token is 401 on the gateway's own pages too; services check for themselves what is forwarded.
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            app.state.verifier = auth.verifier(settings, client, development.own_keys(settings))
            yield
            await app.state.verifier.keys.close()
        await forwarder.aclose()

    app = FastAPI(
        title="Global Compact for Migration platform",
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.forwarder = forwarder
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    problems.install(app)
    for each in (health.router, reference.router, dashboard.router, documents.router(settings)):
        app.include_router(each)
    if settings.development:
        app.include_router(development.router(settings))
    return app
