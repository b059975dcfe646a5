"""Requests go to the services and answers come back; public answers are kept and shared on their way."""

import asyncio
from collections.abc import Mapping
from enum import Enum
from time import monotonic
from typing import Final, NamedTuple

import structlog
from starlette.types import Receive, Scope, Send

from gateway import upstream
from gateway.cache import LARGEST, Cache, Entry, Key, entry
from gateway.exchange import Exchange, Headers, for_caller, for_service
from gateway.patience import Patience, Upload, too_large
from shared.problems import Problem

log = structlog.get_logger(__name__)

SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
BUFFERED: Final = 64 * 1024
"""Answers up to this many bytes are read whole before they are sent, which costs half as much as sending pieces."""

STALE_WAIT: Final = 2.0
"""Seconds that a caller waits for a new answer where an old one is at hand."""
HOLD: Final = 5.0
"""Seconds for which an old answer serves without another try, after a try failed."""


class Answer(NamedTuple):
    """A service's answer that is not kept: read whole, or open where `rest` is what has to be read and closed."""

    status: int
    headers: Headers
    body: bytes = b""
    rest: upstream.Response | None = None


class _Told(Enum):
    """What those are told who wait for an answer that another asked for."""

    ALONE = "the answer cannot be shared: ask for one yourself"
    AGAIN = "who asked has left before it came: somebody else must ask"


class Forwarder:
    """Sends requests to services through one transport, and keeps public answers in one cache.

    Faults of a service are raised as Problems: 502 where it cannot be reached or breaks off, 504 where it is slow.
    """

    def __init__(
        self,
        transport: upstream.Transport,
        urls: Mapping[str, str],
        cache: Cache,
        *,
        answer_timeout: float,
        body_limit: int,
    ) -> None:
        self._transport = transport
        self._origins = upstream.origins(urls)
        self.cache = cache
        self._seconds = answer_timeout
        self._body_limit = body_limit
        self._flights: dict[tuple[Key, int], asyncio.Future[Entry | Problem | _Told]] = {}
        self._refreshing: dict[Key, asyncio.Task[None]] = {}

    async def aclose(self) -> None:
        for task in list(self._refreshing.values()):
            task.cancel()
        await asyncio.gather(*self._refreshing.values(), return_exceptions=True)
        await self._transport.aclose()

    # -- forwarding ---------------------------------------------------------------------------------------------

    async def forward(
        self, scope: Scope, receive: Receive, send: Send, service: str, target: bytes, of: Exchange
    ) -> None:
        """Pass a request on and its answer back, both as they come. Raises Problem before an answer has begun."""
        method: str = scope["method"]
        headers = dict(scope["headers"])
        status = 0
        upload: Upload | None = None
        patience = Patience(receive, self._seconds)
        try:
            async with patience:
                if b"transfer-encoding" in headers or int(headers.get(b"content-length") or 0):
                    if int(headers.get(b"content-length") or 0) > self._body_limit:
                        raise too_large(self._body_limit)
                    upload = Upload(receive, self._body_limit, patience)
                else:
                    patience.watch()
                response = await self._ask(service, method, target, for_service(scope["headers"], of), upload)
                status = response.status_code
                answer = await self._open(response, BUFFERED, bodiless=method == "HEAD")
        except TimeoutError as error:
            if not patience.left:
                raise self._slow(service) from error
            return
        except Problem as problem:
            if patience.left:
                return
            raise (upload.problem if upload else None) or problem from None
        finally:
            # A write that may have happened; only a 4xx says that it did not.
            if method not in SAFE and not 400 <= status < 500:
                self.cache.drop(service)
        await self.send(answer, receive, send, of)

    async def send(self, answer: Answer, receive: Receive, send: Send, of: Exchange) -> None:
        """Send an answer on; one that breaks off is broken off here too, never ended as if it were whole."""
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers + of.answered})
        if answer.rest is None:
            return await send({"type": "http.response.body", "body": answer.body})
        stream = upstream.body_of(answer.rest)
        try:
            async with Patience(receive, self._seconds) as patience:
                patience.lift()
                async for chunk in stream:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except (TimeoutError, upstream.TransportError) as error:
            if not patience.left:
                log.warning("answer broke off", request_id=of.request_id.decode(), error=repr(error))
        finally:
            await stream.aclose()

    async def status(self, service: str, target: bytes) -> int:
        """What a service answers to a GET, by its status alone. Raises Problem."""
        response = await self._ask(service, "GET", target, [], None)
        await response.aclose()
        return response.status_code

    async def _ask(
        self, service: str, method: str, target: bytes, headers: Headers, body: upstream.AsyncByteStream | None
    ) -> upstream.Response:
        try:
            return await self._transport.handle_async_request(
                upstream.request(method, self._origins[service], target, headers, body)
            )
        except upstream.TimeoutException as error:
            raise self._slow(service) from error
        except upstream.TransportError as error:
            raise self._unreachable(service, error) from error

    async def _open(self, response: upstream.Response, longest: int, *, bodiless: bool = False) -> Answer:
        """The answer, read whole where it says that it has at most `longest` bytes."""
        headers = for_caller(response.headers.raw)
        bodiless = bodiless or response.status_code in (204, 304)
        length = dict(headers).get(b"content-length", b"")
        if not bodiless and not (length.isdigit() and int(length) <= longest):
            return Answer(response.status_code, headers, rest=response)
        try:
            body = await upstream.read(response)
        except upstream.TransportError as error:
            raise self._unreachable("", error) from error
        return Answer(response.status_code, headers, body)

    def _slow(self, service: str) -> Problem:
        log.warning("service too slow", service=service)
        return Problem("timeout", "The service did not answer in time. Retry later.", headers={"retry-after": "5"})

    def _unreachable(self, service: str, error: Exception) -> Problem:
        log.warning("service unreachable", service=service, error=repr(error))
        return Problem("bad-gateway", "The service did not answer. Retry shortly.", headers={"retry-after": "2"})

    # -- public answers -----------------------------------------------------------------------------------------

    def at_hand(self, key: Key, of: Exchange) -> Entry | None:
        """The kept answer that may be sent without asking; one past its freshness is renewed behind it."""
        found = self.cache.get(key)
        if found is None:
            return None
        now = monotonic()
        age = now - found.at
        if age < found.lifetime.fresh or now < found.held_until:
            return found
        if age < found.lifetime.revalidate:
            self._renew(key, of)
            return found
        return None

    async def public(self, key: Key, of: Exchange, seconds: float | None = None) -> Entry | Answer:
        """A public answer, from memory or from its service; all who want it at once share one request.

        Where the service fails, or does not answer in `seconds`, an answer as old as its `stale-if-error` allows is
        given. An Answer that is open must be closed. Raises Problem.
        """
        seconds = self._seconds if seconds is None else seconds
        found = self.at_hand(key, of)
        if found is not None:
            return found
        stale = self._last_resort(key)
        try:
            async with asyncio.timeout(min(seconds, STALE_WAIT) if stale else seconds):
                answer = await self._shared(key, of, stale)
        except TimeoutError:
            answer, problem = None, self._slow(key.service)
            if stale is not None or seconds < self._seconds:
                # Whoever asks next may find what this caller did not wait for.
                self._renew(key, of)
        except Problem as error:
            answer, problem = None, error
        if isinstance(answer, Entry) or (answer is not None and answer.status < 500):
            return answer
        if stale is not None:
            if answer is not None and answer.rest is not None:
                await answer.rest.aclose()
            stale.held_until = min(monotonic() + HOLD, stale.at + stale.lifetime.error)
            return stale
        if answer is None:
            raise problem
        return answer

    def _last_resort(self, key: Key) -> Entry | None:
        found = self.cache.get(key)
        return found if found is not None and monotonic() < found.at + found.lifetime.error else None

    def _renew(self, key: Key, of: Exchange) -> None:
        if key not in self._refreshing:
            self._refreshing[key] = asyncio.create_task(self._refresh(key, of))

    async def _refresh(self, key: Key, of: Exchange) -> None:
        stale = self.cache.get(key)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._shared(key, of, stale)
            if isinstance(answer, Answer) and answer.rest is not None:
                await answer.rest.aclose()
            failed = isinstance(answer, Answer) and answer.status >= 500
        except (Problem, TimeoutError):
            failed = True
        finally:
            del self._refreshing[key]
        if failed and stale is not None:
            stale.held_until = min(monotonic() + HOLD, stale.at + stale.lifetime.error)

    async def _shared(self, key: Key, of: Exchange, stale: Entry | None) -> Entry | Answer:
        """Ask, or wait for who has asked already since the last write."""
        while True:
            flight = (key, self.cache.generation(key.service))
            waiting = self._flights.get(flight)
            if waiting is None:
                return await self._lead(flight, of, stale)
            # A waiter who leaves must not take the answer from the others.
            told = await asyncio.shield(waiting)
            if isinstance(told, Entry):
                return told
            if isinstance(told, Problem):
                raise told
            if told is _Told.ALONE:
                return await self._fetch(key, of, stale, flight[1])

    async def _lead(self, flight: tuple[Key, int], of: Exchange, stale: Entry | None) -> Entry | Answer:
        future: asyncio.Future[Entry | Problem | _Told] = asyncio.get_running_loop().create_future()
        self._flights[flight] = future
        told: Entry | Problem | _Told = _Told.AGAIN
        try:
            answer = await self._fetch(flight[0], of, stale, flight[1])
            told = answer if isinstance(answer, Entry) else _Told.ALONE
            return answer
        except Problem as problem:
            told = problem
            raise
        finally:
            del self._flights[flight]
            future.set_result(told)

    async def ask(self, key: Key, of: Exchange, more: Headers) -> Answer:
        """A service's answer to a GET; an open one must be closed. Raises Problem.

        Nothing of the caller's goes along but what the key holds: no caller shapes what another is given.
        """
        headers = [(b"accept-language", key.language.encode()), *of.forwarded, *more]
        if key.accept:
            headers.append((b"accept", key.accept))
        response = await self._ask(key.service, "GET", key.target, headers, None)
        return await self._open(response, LARGEST)

    async def _fetch(self, key: Key, of: Exchange, stale: Entry | None, generation: int) -> Entry | Answer:
        condition = [(b"if-none-match", stale.etag)] if stale is not None and stale.etag else []
        answer = await self.ask(key, of, condition)
        if answer.status == 304 and stale is not None:
            kept: Entry | None = stale.renewed(answer.headers, generation)
        else:
            kept = None if answer.rest else entry(answer.status, answer.headers, answer.body, generation)
        if kept is None:
            return answer
        self.cache.put(key, kept)
        return kept
