"""How long a caller's request waits: until its deadline, or until the caller leaves."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

from gateway.upstream import AsyncByteStream
from shared.problems import Problem

NOTICE: Final = 0.25
"""Seconds before anybody looks whether the caller is still there: a task costs more than most answers."""


class Patience:
    """A deadline that comes at once when the caller leaves: `async with Patience(receive, 30) as patience`.

    Raises TimeoutError on leaving the block; `left` then tells whether the caller did.
    """

    def __init__(self, receive: Receive, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.left = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(self._seconds)
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def renew(self) -> None:
        """Count from now on."""
        self._timeout.reschedule(self._loop.time() + self._seconds)

    def lift(self) -> None:
        """Wait for as long as the caller does: for answers that are sent piece by piece."""
        self._timeout.reschedule(None)
        self._watch()

    def leave(self) -> None:
        """The caller has left: end the block now."""
        self.left = True
        if not self._timeout.expired():
            self._timeout.reschedule(self._loop.time())

    def watch(self) -> None:
        """Look out for the caller's leaving; only once the request's body is read, whose messages it would take."""
        if self._timer is None:
            self._timer = self._loop.call_later(NOTICE, self._watch)

    def _watch(self) -> None:
        if self._watcher is None:
            self._watcher = self._loop.create_task(self._until_left())

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.leave()


class Upload(AsyncByteStream):
    """A request's body as it arrives, up to `limit` bytes; `problem` says why it was refused, where it was."""

    def __init__(self, receive: Receive, limit: int, patience: Patience) -> None:
        self._receive = receive
        self._limit = limit
        self._patience = patience
        self.problem: Problem | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._patience.leave()
                raise EOFError("the caller left before the end of the body")
            chunk, more = message.get("body", b""), message.get("more_body", False)
            taken += len(chunk)
            if taken > self._limit:
                self.problem = too_large(self._limit)
                raise self.problem
            self._patience.renew()
            if chunk:
                yield chunk
        self._patience.watch()


def too_large(limit: int) -> Problem:
    # The connection stays: the server reads on and throws away, so that who is still sending gets to the answer.
    return Problem("too-large", f"A body may have at most {limit} bytes.")
