"""The way to the services: httpx's interface over aiohttp's connection pool.

This is the one module of the gateway that imports httpx; its successor takes one changed line here.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final, cast

import aiohttp
import httpx
from multidict import CIMultiDict
from yarl import URL

AsyncByteStream = httpx.AsyncByteStream
Headers = list[tuple[bytes, bytes]]
Request = httpx.Request
Response = httpx.Response
TransportError = httpx.TransportError
TimeoutException = httpx.TimeoutException
ConnectError = httpx.ConnectError

# What aiohttp would add by itself: the caller's header fields are forwarded, and nothing else.
_NOT_ADDED: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

_NO_BODY: Final = httpx.ByteStream(b"")

# The first that fits: subclasses stand before their bases.
_FAULTS: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientPayloadError, httpx.ReadError),
    (aiohttp.ClientOSError, httpx.WriteError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
    (OSError, httpx.NetworkError),
)


LONG: Final = 64 * 1024
"""Bodies over so many bytes, or of unknown length, wait until the service asks for them: one that refuses them by
their announcement alone would hang up on what is being sent, and its answer would be lost."""


def _is_long(headers: Headers) -> bool:
    length = dict(headers).get(b"content-length")
    return length is None or int(length) > LONG


def _fault(error: Exception) -> httpx.TransportError:
    kind = next(target for source, target in _FAULTS if isinstance(error, source))
    return kind(str(error) or type(error).__name__)


class Body(httpx.AsyncByteStream):
    """An answer's bytes as they came: nothing is decompressed."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from error

    async def read(self) -> bytes:
        try:
            return await self._response.content.read()
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from error

    async def aclose(self) -> None:
        # Read to its end, the connection has gone back to the pool; cut short, it is of no more use.
        self._response.close()


class Transport(httpx.AsyncBaseTransport):
    """httpx's transport over one pool of connections for the process.

    The request's target is the extension `target` (bytes, sent as they are), its URL names scheme, host and port.
    No cookie is kept, no redirect followed, no body decoded. Raises httpx's TransportError and subclasses.
    """

    def __init__(self, *, connect_timeout: float, stall_timeout: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout, sock_read=stall_timeout)
        self._session: aiohttp.ClientSession | None = None
        self._origins: dict[httpx.URL, str] = {}

    def _open(self) -> aiohttp.ClientSession:
        # Made in the first request: a session belongs to the loop that runs it.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, use_dns_cache=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_NOT_ADDED,
            timeout=self._timeout,
            trust_env=False,
            max_line_size=65536,
            max_field_size=65536,
        )
        return self._session

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        session = self._session or self._open()
        origin = self._origins.get(request.url) or self._origins.setdefault(request.url, str(request.url).rstrip("/"))
        target: bytes = request.extensions["target"]
        stream = request.stream
        try:
            response = await session.request(
                request.method,
                URL(origin + target.decode("ascii"), encoded=True),
                headers=CIMultiDict(
                    [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
                ),
                data=None if stream is _NO_BODY else stream,
                expect100=stream is not _NO_BODY and _is_long(request.headers.raw),
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from error
        return httpx.Response(
            response.status,
            headers=[(name.lower(), value) for name, value in response.raw_headers],
            stream=Body(response),
        )

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


def origins(urls: Mapping[str, str]) -> dict[str, httpx.URL]:
    """The services' addresses as the transport takes them."""
    return {name: httpx.URL(url) for name, url in urls.items()}


def request(
    method: str, origin: httpx.URL, target: bytes, headers: Headers, body: AsyncByteStream | None
) -> httpx.Request:
    """A request for `target` (path and query, percent-encoded) at one of `origins`."""
    return httpx.Request(method, origin, headers=headers, stream=body or _NO_BODY, extensions={"target": target})


def body_of(response: httpx.Response) -> Body:
    """An answer's bytes, undecoded; who has read them closes it."""
    return cast("Body", response.stream)


async def read(response: httpx.Response) -> bytes:
    """All of a small answer's bytes, undecoded; the connection goes back to the pool."""
    body = body_of(response)
    try:
        return await body.read()
    finally:
        await body.aclose()
