"""Support in carrying out a pledge: asked for by its owner, looked after by the secretariat.

The Progress Declaration of 2022 asks the Network to support pledges on request (paragraph 73).
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from services.pledges import schemas, service
from services.pledges.lifecycle import SUPPORT
from services.pledges.models import Pledge, SupportRequest
from shared import clock, lists
from shared.auth import Caller, SignedIn
from shared.conditional import answer
from shared.database import Session
from shared.lists import Page, link
from shared.operation import Operation
from shared.problems import Problem, responses

router = APIRouter(prefix="/v1/pledges", tags=["pledges"], route_class=Operation)


def shown(support: SupportRequest, reference: str, caller: Caller) -> schemas.SupportRequest:
    """A support request as its owner and the secretariat see it."""
    until = support.closed_at or clock.now()
    return schemas.SupportRequest.model_validate(
        {
            **{name: getattr(support, name) for name in ("id", "owner", "status", "topic", "description")},
            **{name: getattr(support, name) for name in ("assignee", "answer", "created_at", "updated_at")},
            "pledge_id": support.record_id,
            "reference": reference,
            "actions": SUPPORT.actions(support, caller),
            "age_days": (until - support.created_at).days,
        }
    )


async def act(
    session: AsyncSession, support: SupportRequest, action: str, body: schemas.SupportAction, caller: Caller
) -> None:
    """Carry out one row of the table."""
    SUPPORT.apply(support, action, caller, body.comment)
    match action:
        case "assign":
            support.assignee = body.assignee or caller.name or caller.sub
        case "answer":
            support.answer = body.comment
        case "reopen":
            support.assignee = support.answer = None
    support.updated_at = clock.now()
    support.closed_at = clock.now() if support.status == "closed" else None
    await session.flush()


async def _page(
    request: Request, session: AsyncSession, where: list[Any], parameters: lists.Paging, caller: Caller
) -> Response:
    table = SupportRequest
    found = await lists.page(
        session,
        select(table, Pledge.reference).join(Pledge, Pledge.id == table.record_id),
        table,
        where,
        parameters,
        sorts={"created_at": lists.Sort(table.created_at)},
        sort="-created_at",
    )
    items = [shown(row[0], row[1], caller).model_dump_json().encode() for row in found.rows]
    return answer(request, lists.body(items, found), headers=link(request, found.next))


@router.get(
    "/support-requests",
    summary="List support requests",
    response_model=Page[schemas.SupportRequest],
    responses=responses("forbidden"),
)
async def list_support_requests(
    request: Request, parameters: Annotated[schemas.SupportList, Query()], caller: SignedIn, session: Session
) -> Response:
    """Every request for the secretariat, for others those of their entity; the newest first."""
    where: list[Any] = [SupportRequest.status.in_(parameters.status)] if parameters.status else []
    if not service.is_staff(caller):
        if caller.entity is None:
            raise Problem("forbidden", "Your token names no entity.")
        where.append(SupportRequest.owner == caller.entity)
    return await _page(request, session, where, parameters, caller)


@router.get(
    "/{pledge_id}/support-requests",
    summary="List a pledge's support requests",
    response_model=Page[schemas.SupportRequest],
    responses=responses("forbidden", "not-found", "gone"),
)
async def list_pledge_support_requests(
    request: Request, pledge_id: UUID, parameters: Annotated[lists.Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """For the pledge's owner and the secretariat; the newest first."""
    pledge = await service.find(session, pledge_id, caller)
    return await _page(request, session, [SupportRequest.record_id == pledge.id], parameters, caller)


@router.post(
    "/{pledge_id}/support-requests",
    summary="Ask for support in carrying out a pledge",
    status_code=201,
    response_model=schemas.SupportRequest,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def create_support_request(
    request: Request, pledge_id: UUID, new: schemas.NewSupportRequest, caller: SignedIn, session: Session
) -> Response:
    """For the pledge's owner, and for the secretariat on the owner's behalf, once the pledge was published."""
    pledge = await service.find(session, pledge_id, caller, lock=True)
    if not pledge.public or pledge.owner is None:
        raise Problem("conflict", "Support is asked for while a publication stands.")
    support = SupportRequest(record_id=pledge.id, owner=pledge.owner, created_by=caller.sub, **new.model_dump())
    session.add(support)
    await session.flush()
    headers = {"location": f"/v1/pledges/{pledge.id}/support-requests"}
    body = shown(support, pledge.reference, caller).model_dump_json().encode()
    return answer(request, body, status=201, headers=headers)


@router.post(
    "/{pledge_id}/support-requests/{support_id}/actions/{action}",
    summary="Move a support request",
    response_model=schemas.SupportRequest,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def act_on_support_request(
    request: Request,
    pledge_id: UUID,
    support_id: UUID,
    action: Literal["assign", "answer", "close", "reopen"],
    caller: SignedIn,
    session: Session,
    body: schemas.SupportAction | None = None,
) -> Response:
    """The secretariat assigns and answers, the owner or the secretariat closes."""
    pledge = await service.find(session, pledge_id, caller)
    support = await session.get(SupportRequest, support_id, with_for_update=True)
    if support is None or support.record_id != pledge.id:
        raise Problem("not-found", "The pledge has no such support request.")
    await act(session, support, action, body or schemas.SupportAction(), caller)
    return answer(request, shown(support, pledge.reference, caller).model_dump_json().encode())
