"""The public door, as plain ASGI: ids, limits, what memory has, what goes to a service, and the gateway's own pages."""

from time import monotonic
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.cache import Entry, Key
from gateway.exchange import Exchange, Headers, exchange
from gateway.forward import Answer, Forwarder
from gateway.patience import Patience
from gateway.rate import RateLimiter
from gateway.settings import SERVICES, Settings
from shared.languages import best_language
from shared.problems import MEDIA_TYPE, PROBLEMS, Problem, problem_body

log = structlog.get_logger(__name__)

_SERVICES: Final = {name.encode(): name for name in SERVICES}
"""The routing table: `/v1/<name>` and all below it belong to the service of that name."""

_OWN_FIELDS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def service_of(raw_path: bytes) -> str | None:
    """The service that owns a path as it came, percent-encoding and all; None where the gateway does."""
    parts = raw_path.split(b"/", 3)
    return _SERVICES.get(parts[2]) if len(parts) > 2 and parts[1] == b"v1" and not parts[0] else None


class Door:
    """The ASGI application that the server runs, in front of `app`, which answers what belongs to no service.

    Requests without a token are answered from memory where an answer may be kept; all others are passed on.
    """

    def __init__(self, app: ASGIApp, *, forwarder: Forwarder, settings: Settings, limiter: RateLimiter | None) -> None:
        self._app = app
        self._forwarder = forwarder
        self._trusted = settings.trusted_networks
        self._seconds = settings.answer_timeout
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = dict(scope["headers"])
        of = exchange(scope, headers, self._trusted)
        try:
            if self._limiter is not None and scope["path"].startswith("/v1/"):
                send = await self._limiter.admit(of.client, send)
            service = service_of(scope["raw_path"])
            if service is None:
                return await self._own(scope, receive, send, of)
            # Path and query as they came: the server has refused what no URI may hold.
            query: bytes = scope["query_string"]
            target = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
            if scope["method"] == "GET" and b"authorization" not in headers and b"range" not in headers:
                language = best_language(headers.get(b"accept-language", b"").decode("latin-1"))
                key = Key(service, target, headers.get(b"accept", b""), language)
                found = self._forwarder.at_hand(key, of)
                if found is None:
                    return await self._public(key, headers, receive, send, of)
                return await _kept(found, headers, send, of)
            await self._forwarder.forward(scope, receive, send, service, target, of)
        except Problem as problem:
            await _refuse(problem, scope, send, of)
        except Exception:
            # The trace goes to the log, never to the caller.
            log.exception("fault", request_id=of.request_id.decode(), path=scope["path"])
            await _refuse(Problem("internal", PROBLEMS["internal"].help), scope, send, of)

    async def _public(self, key: Key, headers: dict[bytes, bytes], receive: Receive, send: Send, of: Exchange) -> None:
        patience = Patience(receive, self._seconds)
        try:
            async with patience:
                patience.watch()
                answer = await self._forwarder.public(key, of)
        except TimeoutError as error:
            if patience.left:
                return
            raise Problem("timeout", "The service did not answer in time.", headers={"retry-after": "5"}) from error
        except Problem:
            if patience.left:
                return
            raise
        if isinstance(answer, Answer):
            await self._forwarder.send(answer, receive, send, of)
        else:
            await _kept(answer, headers, send, of)

    async def _own(self, scope: Scope, receive: Receive, send: Send, of: Exchange) -> None:
        scope.setdefault("state", {})["exchange"] = of
        head = scope["method"] == "HEAD"
        if head:
            scope["method"] = "GET"
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], *_OWN_FIELDS, *of.answered]
            elif head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            if not started:
                raise
            # The framework has answered already, and raises what it could not handle for whoever keeps the log.
            log.exception("fault", request_id=of.request_id.decode(), path=scope["path"])


async def _kept(entry: Entry, headers: dict[bytes, bytes], send: Send, of: Exchange) -> None:
    age = (b"age", b"%d" % (monotonic() - entry.at))
    if_none_match = headers.get(b"if-none-match")
    if if_none_match is not None and entry.matches(if_none_match):
        await send({"type": "http.response.start", "status": 304, "headers": [*entry.bare, age, *of.answered]})
        await send({"type": "http.response.body"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [*entry.headers, age, *of.answered]})
    await send({"type": "http.response.body", "body": entry.body})


async def _refuse(problem: Problem, scope: Scope, send: Send, of: Exchange) -> None:
    path: str = scope["path"].encode("utf-8", "replace").decode()
    body = problem_body(problem.slug, problem.detail, path, problem.errors)
    fields: Headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *((name.encode(), value.encode()) for name, value in problem.headers.items()),
        *of.answered,
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": fields})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
