"""How every request is handled: caller, parameters, body, one transaction, idempotency - in this order.

An `Operation` is FastAPI's route with the platform's rules around the endpoint, so that no endpoint repeats them.
"""

import inspect
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast
from uuid import UUID

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.params import Form
from fastapi.routing import APIRoute
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from starlette.responses import Response

from shared import idempotency
from shared.auth import Bearer
from shared.problems import Fault, Problem

JSON_LIMIT = 1024 * 1024
FILE_LIMIT = 50 * 1024 * 1024
JSON_TYPES = {"PATCH": ("application/merge-patch+json", "application/json")}


def _dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _dependants(inner)


def _query_names(dependant: Dependant) -> frozenset[str]:
    names: set[str] = set()
    for each in _dependants(dependant):
        for field in each.query_params:
            model = field.field_info.annotation
            if isinstance(model, type) and hasattr(model, "model_fields"):
                names.update(info.alias or name for name, info in model.model_fields.items())
            else:
                names.add(field.alias)
    return frozenset(names)


class Operation(APIRoute):
    """A route of the platform: `APIRouter(route_class=Operation)`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # A word is no id: `/summary` with another method is 405, not a record of that name.
        for name, parameter in inspect.signature(endpoint).parameters.items():
            if parameter.annotation is UUID:
                path = path.replace(f"{{{name}}}", f"{{{name}:uuid}}")
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = _query_names(self.dependant)
        bearers = [d.call for d in _dependants(self.dependant) if isinstance(d.call, Bearer)]
        takes_json = self.body_field is not None and not isinstance(self.body_field.field_info, Form)
        body_required = takes_json and cast("Any", self.body_field).field_info.is_required()
        creates = "POST" in (self.methods or ()) and self.status_code in (201, 202)

        async def operation(request: Request) -> Response:
            for bearer in bearers:
                await bearer.authenticate(request)
            _refuse_unknown(request, known)
            if takes_json:
                request = await _json_request(request, required=body_required)
            try:
                if creates and (key := request.headers.get("idempotency-key")) is not None:
                    if not takes_json:
                        request._body = await read_body(request, FILE_LIMIT)
                    response = await idempotency.once(request, key, handle)
                else:
                    response = await handle(request)
                await _finish(request, commit=response.status_code < 400)
            except BaseException:
                await _finish(request, commit=False)
                raise
            return response

        return operation


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    query = request.scope["query_string"]
    if not query:
        return
    if b"%00" in query:
        raise Problem("invalid", "A parameter holds a NUL character.", [Fault(pointer="?", detail="NUL character")])
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        faults = [Fault(pointer=f"?{name[:100]}", detail="No such parameter here.") for name in unknown[:20]]
        raise Problem("invalid", "There are parameters that this operation does not know.", faults)


class _ParsedRequest(Request):
    parsed: Any

    async def json(self) -> Any:
        return self.parsed


async def _json_request(request: Request, *, required: bool) -> Request:
    """The request with its JSON body read: within the limit, of a type taken here, strictly RFC 8259."""
    body = await read_body(request, JSON_LIMIT)
    request._body = body
    if not body:
        if required and "content-type" in request.headers:
            raise Problem("malformed", "The body is empty where JSON is needed.")
        return request
    taken = JSON_TYPES.get(request.method, ("application/json",))
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in taken:
        raise Problem("unsupported-media-type", f"Send {' or '.join(taken)}.")
    parsed_request = _ParsedRequest(request.scope, request.receive)
    parsed_request._body = body
    try:
        # Refuses what json.loads lets pass or dies of: lone surrogates, NaN, depth over 200.
        parsed_request.parsed = from_json(body, allow_inf_nan=False, cache_strings="none")
    except ValueError as error:
        raise Problem("malformed", f"The body is not valid JSON: {error}.") from None
    if b"\\u0000" in body and _holds_nul(parsed_request.parsed):
        raise Problem("invalid", "A text holds a NUL character.", [Fault(pointer="", detail="NUL character")])
    return parsed_request


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, refused with 413 as soon as it is over `limit` bytes."""
    too_large = Problem("too-large", f"The body is over the limit of {limit} bytes.")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise too_large
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise too_large
        parts.append(part)
    return b"".join(parts)


def _holds_nul(value: Any) -> bool:
    return "\\u0000" in json.dumps(value, ensure_ascii=True).replace("\\\\", "")


async def _finish(request: Request, *, commit: bool) -> None:
    """End the request's transaction before its answer leaves, and give back its connections."""
    session: AsyncSession | None = getattr(request.state, "session", None)
    if session is not None:
        request.state.session = None
        try:
            if commit:
                await session.commit()
        finally:
            await session.close()
    connection: AsyncConnection | None = getattr(request.state, "reader", None)
    if connection is not None:
        request.state.reader = None
        await connection.close()
