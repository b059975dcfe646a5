"""Whether the gateway runs, and whether the services behind it are ready."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic_core import to_json
from starlette.responses import Response

from gateway.forward import Forwarder
from gateway.settings import SERVICES
from shared.problems import Problem

State = Annotated[Literal["ok", "unavailable"], "whether a service answers its own /readyz with 200"]

router = APIRouter(include_in_schema=False)


def _answer(status: int, content: dict[str, Any]) -> Response:
    return Response(to_json(content), status, {"cache-control": "no-store"}, "application/json")


@router.get("/livez")
async def livez() -> Response:
    return _answer(200, {"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 where every service is ready, else 503; either way each service's state is named.

    A gateway of which one service is down still serves the others and old answers: who balances between several
    gateways should ask /livez, who waits for a stack to stand should ask here.
    """
    forwarder: Forwarder = request.app.state.forwarder
    states = dict(zip(SERVICES, await asyncio.gather(*(_state(forwarder, name) for name in SERVICES)), strict=True))
    ready = all(state == "ok" for state in states.values())
    return _answer(200 if ready else 503, {"status": "ok" if ready else "unavailable", "services": states})


async def _state(forwarder: Forwarder, service: str) -> State:
    try:
        async with asyncio.timeout(2):
            return "ok" if await forwarder.status(service, b"/readyz") == 200 else "unavailable"
    except (Problem, TimeoutError):
        return "unavailable"
