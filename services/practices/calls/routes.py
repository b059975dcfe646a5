"""The calls' operations: HTTP only."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.practices.calls import schemas, service
from shared.auth import Caller, MaybeCaller, with_role
from shared.conditional import answer, require_match
from shared.database import Reader, Session
from shared.lists import Page, link
from shared.operation import Operation
from shared.problems import responses

router = APIRouter(prefix="/v1/practices/calls", tags=["calls for practices"], route_class=Operation)

Staff = Annotated[Caller, with_role("secretariat")]


@router.get("", summary="List calls for practices", response_model=Page[schemas.PracticeCall])
async def list_practice_calls(
    request: Request, parameters: Annotated[schemas.PracticeCallList, Query()], caller: MaybeCaller, reader: Reader
) -> Response:
    """The newest first. What a call has gathered: `GET /v1/practices?call={id}`."""
    body, following = await service.listed(reader, parameters)
    return answer(request, body, headers=link(request, following))


@router.post(
    "",
    summary="Call for practices",
    status_code=201,
    response_model=schemas.PracticeCall,
    responses=responses("forbidden"),
)
async def create_practice_call(
    request: Request, new: schemas.NewPracticeCall, caller: Staff, session: Session
) -> Response:
    """For the secretariat; public at once."""
    made = await service.create(session, new, caller)
    headers = {"location": f"/v1/practices/calls/{made.id}"}
    return answer(request, service.shown(made), tag=str(made.revision), status=201, headers=headers)


@router.get(
    "/{call_id}",
    summary="Read a call for practices",
    response_model=schemas.PracticeCall,
    responses=responses("not-found"),
)
async def read_practice_call(request: Request, call_id: UUID, caller: MaybeCaller, session: Session) -> Response:
    """What is asked for, and until when."""
    found = await service.find(session, call_id)
    return answer(request, service.shown(found), tag=str(found.revision))


@router.patch(
    "/{call_id}",
    summary="Change a call for practices",
    response_model=schemas.PracticeCall,
    responses=responses("forbidden", "not-found"),
)
async def edit_practice_call(
    request: Request, call_id: UUID, changes: schemas.PracticeCallChanges, caller: Staff, session: Session
) -> Response:
    """For the secretariat: another deadline, other words."""
    found = await service.find(session, call_id, lock=True)
    require_match(request, str(found.revision))
    await service.change(session, found, changes)
    return answer(request, service.shown(found), tag=str(found.revision))
