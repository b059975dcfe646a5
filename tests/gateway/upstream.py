"""A service to stand behind the gateway in its tests: it echoes, streams, delays, breaks off and counts."""

import asyncio
import json
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

PUBLIC = b"public, max-age=1, stale-while-revalidate=4, stale-if-error=600"

state: dict[str, Any] = {"hits": Counter(), "values": {}, "left": 0, "broken": False}

Headers = list[tuple[bytes, bytes]]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """What to do is in the last part of the path, how in the query."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
    last = scope["path"].rsplit("/", 1)[-1]
    state["hits"][scope["path"] + "?" + scope["query_string"].decode()] += 1
    if state["broken"] and last != "control":
        await _answer(send, 500, b'{"status": 500}')
        return
    await ACTIONS.get(last, _echo)(scope, receive, send, query)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    fields = [(b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            state["left"] += 1
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _echo(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    body = await _body(receive)
    content = {
        "method": scope["method"],
        "raw_path": scope["raw_path"].decode("latin-1"),
        "query": scope["query_string"].decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
        "length": len(body),
        "body": body[:1000].decode("latin-1"),
    }
    headers: Headers = [
        (b"content-type", b"application/json"),
        (b"set-cookie", b"session=secret; Path=/"),
        (b"connection", b"x-private"),
        (b"x-private", b"between two"),
        (b"x-kept", b"yes"),
        (b"server", b"hidden"),
        (b"x-request-id", b"of-the-service"),
    ]
    await _answer(send, int(query.get("status", 200)), json.dumps(content).encode(), *headers)


async def _public(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    """A public answer: a number that a write raises, under an ETag, after `delay` seconds, `size` bytes long."""
    await asyncio.sleep(float(query.get("delay", 0)))
    if "refuse" in query:
        problem = {
            "status": 422,
            "detail": "Not so.",
            "errors": [{"pointer": "?refuse", "detail": "No such parameter."}],
        }
        await _answer(send, 422, json.dumps(problem).encode(), (b"content-type", b"application/problem+json"))
        return
    headers = dict(scope["headers"])
    if headers.get(b"authorization") == b"Bearer bad":
        challenge = (b"www-authenticate", b'Bearer error="invalid_token"')
        await _answer(send, 401, b'{"status": 401, "detail": "The token has expired."}', challenge)
        return
    value = state["values"].get("value", 0)
    etag = b'"%d"' % value
    fields: Headers = [
        (b"cache-control", query["control"].encode() if "control" in query else PUBLIC),
        (b"etag", etag),
        (b"vary", query.get("vary", "Accept-Language").encode()),
        (b"content-type", b"application/json"),
    ]
    if "cookie" in query:
        fields.append((b"set-cookie", b"a=b"))
    if headers.get(b"if-none-match") == etag:
        state["hits"]["304"] += 1
        await send({"type": "http.response.start", "status": 304, "headers": fields})
        await send({"type": "http.response.body", "body": b""})
        return
    content = {
        "value": value,
        "language": headers.get(b"accept-language", b"").decode(),
        "accept": headers.get(b"accept", b"").decode(),
        "saw": sorted(name.decode() for name in headers),
        "padding": "x" * int(query.get("size", 0)),
    } | ({"as_of": query["as_of"]} if "as_of" in query else {})
    await _answer(send, int(query.get("status", 200)), json.dumps(content).encode(), *fields)


async def _write(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    await _body(receive)
    state["values"]["value"] = state["values"].get("value", 0) + 1
    await _answer(send, int(query.get("status", 201)), b"{}", (b"content-type", b"application/json"))


async def _stream(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    """`pieces` of `size` bytes, `pause` seconds apart; breaks off after the last where told to `die`."""
    size, pieces = int(query.get("size", 1000)), int(query.get("pieces", 3))
    headers: Headers = [(b"content-type", b"text/csv"), (b"cache-control", PUBLIC)]
    if "length" in query:
        headers.append((b"content-length", query["length"].encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    leaving = asyncio.create_task(_until_left(receive))
    for piece in range(pieces):
        if leaving.done():
            return
        await send({"type": "http.response.body", "body": bytes([65 + piece % 26]) * size, "more_body": True})
        await asyncio.sleep(float(query.get("pause", 0)))
    leaving.cancel()
    if "die" in query:
        raise SystemError("told to break off")
    await send({"type": "http.response.body", "body": b""})


async def _until_left(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    state["left"] += 1


async def _slow(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    leaving = asyncio.create_task(_until_left(receive))
    done, _ = await asyncio.wait({leaving}, timeout=float(query.get("delay", 5)))
    leaving.cancel()
    if not done:
        await _answer(send, 200, b"{}", (b"cache-control", query.get("control", "no-store").encode()))


async def _gzip(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    await _answer(send, 200, b"\x1f\x8bnot really", (b"content-encoding", b"gzip"), (b"content-type", b"text/plain"))


async def _refuse(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    """Says no without reading the body, as a service does to one that is too long."""
    await _answer(
        send, 413, b'{"status": 413}', (b"connection", b"close"), (b"content-type", b"application/problem+json")
    )


async def _enough(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    """Says no in the middle of a body."""
    taken = 0
    while taken < 500_000:
        taken += len((await receive())["body"])
    await _answer(send, 413, b'{"status": 413}', (b"content-type", b"application/problem+json"))


async def _control(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    """What was counted; `broken=1` makes every other answer a 500."""
    if "broken" in query:
        state["broken"] = query["broken"] == "1"
    await _answer(send, 200, json.dumps({"hits": state["hits"], "left": state["left"]}).encode())


async def _readyz(scope: Any, receive: Any, send: Any, query: dict[str, str]) -> None:
    await _answer(send, 200, b'{"status": "ok"}')


ACTIONS = {
    "public": _public,
    "summary": _public,
    "occurrences": _public,
    "write": _write,
    "stream": _stream,
    "slow": _slow,
    "gzip": _gzip,
    "refuse": _refuse,
    "enough": _enough,
    "control": _control,
    "readyz": _readyz,
}
