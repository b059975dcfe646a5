"""How often one address may ask: the `limits` library, in this process's memory or in Redis."""

import math
import time
from ipaddress import IPv6Address, ip_address
from typing import cast

import limits
import structlog
from limits.aio.storage import Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from starlette.types import Message, Send

from shared.problems import Problem

log = structlog.get_logger(__name__)


def counted_as(client: str) -> str:
    """What an address is counted under: a household or a server has a whole /64 of IPv6."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    return str(IPv6Address(int(address) >> 64 << 64)) if isinstance(address, IPv6Address) else client


class RateLimiter:
    """At most `rate` requests (`600/minute`) from an address, counted in a sliding window."""

    def __init__(self, rate: str, storage: str) -> None:
        self._limit = limits.parse(rate)
        store = storage_from_string(storage, implementation="redispy", wrap_exceptions=True)
        self._limiter = SlidingWindowCounterRateLimiter(cast("Storage", store))
        self._policy = f'"address";q={self._limit.amount};w={self._limit.get_expiry()}'

    async def admit(self, client: str, send: Send) -> Send:
        """Count a request; gives the `send` that writes the RateLimit fields. Raises Problem `too-many-requests`.

        Where nothing can be counted everybody is let in: a store that is down must not take the platform with it.
        """
        key = counted_as(client)
        try:
            admitted = await self._limiter.hit(self._limit, key)
            window = await self._limiter.get_window_stats(self._limit, key)
        except StorageError as error:
            log.warning("requests are not counted", error=repr(error.storage_error))
            return send
        reset = max(1, math.ceil(window.reset_time - time.time()))
        fields = {
            "ratelimit-policy": self._policy,
            "ratelimit": f'"address";r={max(0, window.remaining)};t={reset}',
        }
        if not admitted:
            raise Problem(
                "too-many-requests",
                f"More than {self._limit}. Wait {reset} s.",
                headers={"retry-after": str(reset), **fields},
            )
        raw = [(name.encode(), value.encode()) for name, value in fields.items()]

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *raw]
            await send(message)

        return counted
