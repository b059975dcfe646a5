"""The pledging dashboard: the services' summaries side by side, each at its own risk."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from time import monotonic
from typing import Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json, to_json
from starlette.responses import Response

from gateway.cache import Entry, Key
from gateway.exchange import Exchange
from gateway.forward import Answer, Forwarder
from gateway.reference import ACCEPT_LANGUAGE
from shared import clock
from shared.auth import MaybeCaller
from shared.conditional import PRIVATE, PUBLIC
from shared.languages import Language, best_language
from shared.problems import Fault, Problem

State = Literal["ok", "stale", "unavailable"]

PLEDGES: Final = "/v1/pledges/summary"
AHEAD: Final = timedelta(days=90)
"""How far the calendar's section looks."""

_INCOMPLETE: Final = "public, max-age=1"


def _of(operation: str) -> ConfigDict:
    # tools.contract gives the section the fields of that operation's answer.
    return ConfigDict(extra="forbid", json_schema_extra={"x-fields-of": operation})


class Section(BaseModel):
    """Where a section stands: `as_of` is when its service gave the numbers, null where there are none."""

    state: State = Field(
        description="`stale`: the last good numbers of a service that does not answer now; "
        "`unavailable`: none, and no field but this and `as_of`."
    )
    as_of: datetime | None


class PledgesSection(Section):
    """The pledges' summary under the filters."""

    model_config = _of(PLEDGES)


class PracticesSection(Section):
    """The practices' summary."""

    model_config = _of("/v1/practices/summary")


class MptfSection(Section):
    """The Fund's pipeline and funding."""

    model_config = _of("/v1/mptf/summary")


class CalendarSection(Section):
    """What comes next: the occurrences of the coming 90 days."""

    model_config = _of("/v1/calendar/occurrences")


class Dashboard(BaseModel):
    """Four sections; a service that is slow or down costs its own only."""

    model_config = ConfigDict(extra="forbid")

    pledges: PledgesSection
    practices: PracticesSection
    mptf: MptfSection
    calendar: CalendarSection


class Part(NamedTuple):
    """A section as it is sent: the object's bytes, what its tag is made of, and its age in seconds."""

    body: bytes
    tag: bytes
    age: float
    state: State


NOTHING: Final = Part(b'{"state":"unavailable","as_of":null}', b"unavailable", 0, "unavailable")

router = APIRouter(tags=["dashboard"])


@router.get(
    "/v1/dashboard",
    summary="Read the dashboard",
    response_model=Dashboard,
    openapi_extra={"parameters": [ACCEPT_LANGUAGE], "x-parameters-of": PLEDGES},
)
async def read_dashboard(request: Request, caller: MaybeCaller) -> Response:
    """Takes the pledges' filters, which apply to the pledges' section alone."""
    forwarder: Forwarder = request.app.state.forwarder
    seconds: float = request.app.state.settings.dashboard_timeout
    of: Exchange = request.scope["state"]["exchange"]
    language = best_language(request.headers.get("accept-language"))
    query: bytes = request.scope["query_string"]
    today = clock.today()
    until = today + AHEAD
    targets = {
        "pledges": PLEDGES.encode() + (b"?" + query if query else b""),
        "practices": b"/v1/practices/summary",
        "mptf": b"/v1/mptf/summary",
        "calendar": f"/v1/calendar/occurrences?from={today}&to={until}".encode(),
    }
    parts = await asyncio.gather(
        *(
            _part(forwarder, Key(name, target, b"application/json", language), of, seconds)
            for name, target in targets.items()
        )
    )
    return _answer(request, dict(zip(targets, parts, strict=True)), language)


async def _part(forwarder: Forwarder, key: Key, of: Exchange, seconds: float) -> Part:
    try:
        found = await forwarder.public(key, of, seconds)
    except Problem:
        return NOTHING
    if isinstance(found, Answer):
        if found.rest is not None:
            await found.rest.aclose()
        elif found.status == 422 and key.service == "pledges":
            raise _refused(found)
        return NOTHING
    return _kept(found)


def _kept(found: Entry) -> Part:
    now = monotonic()
    age = now - found.at
    state: State = "ok" if age < found.lifetime.revalidate and now >= found.held_until else "stale"
    said, fields = _fields(found.body)
    as_of = said or datetime.fromtimestamp(found.when, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    body = f'{{"state":"{state}","as_of":"{as_of}"'.encode() + fields + b"}"
    return Part(body, state.encode() + (found.etag or as_of.encode()), age, state)


@lru_cache(maxsize=64)
def _fields(body: bytes) -> tuple[str | None, bytes]:
    """An answer's own `as_of`, if it has one, and its other fields as they follow in a section."""
    answer: dict[str, Any] = from_json(body)
    as_of = answer.pop("as_of", None)
    return as_of, b"," + to_json(answer)[1:-1] if answer else b""


def _refused(found: Answer) -> Problem:
    """The pledges' refusal of a filter, as the dashboard's own."""
    said: dict[str, Any] = from_json(found.body)
    return Problem("invalid", said["detail"], [Fault.model_validate(fault) for fault in said.get("errors", [])])


def _answer(request: Request, parts: dict[str, Part], language: Language) -> Response:
    tag = f'W/"{blake2b(b"|".join(part.tag for part in parts.values()), digest_size=12).hexdigest()}"'
    whole = all(part.state == "ok" for part in parts.values())
    anonymous = "authorization" not in request.headers
    fields = {
        "etag": tag,
        "cache-control": (PUBLIC if whole else _INCOMPLETE) if anonymous else PRIVATE,
        "age": str(int(max(part.age for part in parts.values()))),
        "vary": "Accept-Language, Authorization",
        "content-language": language,
    }
    if tag.removeprefix("W/") in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=fields)
    body = b",".join(f'"{name}":'.encode() + part.body for name, part in parts.items())
    return Response(b"{" + body + b"}", headers=fields, media_type="application/json")
