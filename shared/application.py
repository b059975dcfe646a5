"""The application factory that the four services share: one way to start, to be watched and to answer."""

import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from uuid import uuid4

import httpx
import structlog
from fastapi import APIRouter, FastAPI
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import auth, clock, jobs, openapi, problems
from shared.database import Database
from shared.idempotency import IdempotencyMixin
from shared.jobs import Tasks
from shared.settings import Settings

log = structlog.get_logger("request")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_service(
    name: str,
    *,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    idempotency: type[IdempotencyMixin],
    settings: Settings | None,
    check: Callable[[Database], Awaitable[None]] | None = None,
    lifespan: Lifespan | None = None,
    tasks: Tasks | None = None,
) -> FastAPI:
    """The application of one service.

    `settings` are read from the environment unless given. Nothing is connected before the lifespan starts.
    `check` runs once at the start and raises where the data may not be served (samples outside development).
    `tasks` are done by a worker in this process, unless RUN_WORKER says that one runs apart.
    """
    settings = settings or Settings.read(name)
    clock.configure(settings.clock_offset_days)

    @asynccontextmanager
    async def started(app: FastAPI) -> AsyncIterator[None]:
        if settings.database_url is None:
            raise RuntimeError(f"{name.upper()}_DATABASE_URL is not set")
        async with AsyncExitStack() as stack:
            database = Database(settings.database_url, settings.database_pool_size)
            stack.push_async_callback(database.close)
            await database.plain.open()
            if check is not None and not settings.development:
                await check(database)
            client = await stack.enter_async_context(httpx.AsyncClient(timeout=5, trust_env=False))
            app.state.database = database
            app.state.verifier = auth.verifier(settings, client)
            stack.push_async_callback(app.state.verifier.keys.close)
            if tasks is not None and settings.run_worker:
                await stack.enter_async_context(jobs.working(tasks, settings, database))
            if lifespan is not None:
                await stack.enter_async_context(lifespan(app))
            yield

    app = FastAPI(
        title=title,
        version="1.0.0",
        description=description,
        lifespan=started,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.idempotency = idempotency
    app.state.tasks = tasks or Tasks()
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign]
    problems.install(app)
    for router in routers:
        app.include_router(router)
    _health(app)
    app.add_middleware(Edge)
    return app


def _health(app: FastAPI) -> None:
    @app.get("/livez", include_in_schema=False)
    async def livez() -> Response:
        return JSONResponse({"status": "ok"}, headers={"cache-control": "no-store"})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        try:
            await app.state.database.ready()
        except Exception:
            logging.getLogger(__name__).warning("the database does not answer", exc_info=True)
            status, state = 503, "unavailable"
        else:
            status, state = 200, "ok"
        return JSONResponse({"status": state}, status, headers={"cache-control": "no-store"})


class Edge:
    """The outermost layer: request ids, HEAD, security fields, one line in the log for each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        head = scope["method"] == "HEAD"
        if head:
            # A copy: the server must know that it was HEAD, or it ends a body that was never begun.
            scope = {**scope, "method": "GET"}
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            elif head:
                message = {**message, "body": b""}
            await send(message)

        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, answer)
            except Exception:
                # The trace goes to the log, never to the caller.
                log.exception("fault", path=scope["path"])
                if status:
                    raise
                problem = problems.Problem("internal", problems.PROBLEMS["internal"].help)
                await problems.problem_response(problem, scope["path"])(scope, receive, answer)
            finally:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                )
