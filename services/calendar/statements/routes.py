"""The statements' operations: HTTP only."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.calendar.models import Statement
from services.calendar.statements import schemas, service
from shared import records
from shared.auth import MaybeCaller, SignedIn
from shared.conditional import answer, check_match, require_match
from shared.database import Session
from shared.lists import Page, Paging, link
from shared.operation import Operation
from shared.pages import history_page
from shared.problems import responses
from shared.schemas import Step

router = APIRouter(prefix="/v1/calendar/statements", tags=["calendar"], route_class=Operation)


@router.get("", summary="List statements", response_model=Page[schemas.Statement], responses=responses("forbidden"))
async def list_statements(
    request: Request, parameters: Annotated[schemas.StatementList, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """What the Network has issued, or with `view` the working records that the caller may see."""
    body, following = await service.page(session, parameters, caller)
    return answer(request, body, headers=link(request, following))


@router.post(
    "",
    summary="Plan a statement",
    status_code=201,
    response_model=schemas.Statement,
    responses=responses("forbidden"),
)
async def create_statement(
    request: Request, draft: schemas.NewStatement, caller: SignedIn, session: Session
) -> Response:
    """For the secretariat: for an event's occurrence or on its own. The calendar says who leads unless it is sent."""
    statement = await service.create(session, draft, caller)
    headers = {"location": f"/v1/calendar/statements/{statement.id}"}
    return answer(request, service.render(statement, caller), tag=statement.tag, status=201, headers=headers)


@router.get("/due", summary="List what is due", response_model=Page[schemas.Statement])
async def list_due_statements(
    request: Request, parameters: Annotated[schemas.DueList, Query()], caller: SignedIn, session: Session
) -> Response:
    """Open statements by the day on which their next step is due: first what is late, then what comes next.

    All of them for the secretariat; for others those that their entity drafts.
    """
    body, following = await service.due(session, parameters, caller)
    return answer(request, body, headers=link(request, following))


@router.get(
    "/{statement_id}", summary="Read a statement", response_model=schemas.Statement, responses=responses("not-found")
)
async def read_statement(request: Request, statement_id: UUID, caller: MaybeCaller, session: Session) -> Response:
    """The working record for its drafters and staff; for everyone else once it is issued."""
    statement = await records.find(session, Statement, statement_id)
    if service.sees_working(caller, statement):
        return answer(request, service.render(statement, caller), tag=statement.tag)
    if not statement.public:
        raise records.hidden(Statement.noun, 0)
    return answer(request, service.render(statement, None))


@router.patch(
    "/{statement_id}",
    summary="Edit a statement",
    response_model=schemas.Statement,
    responses=responses("forbidden", "not-found", "conflict"),
)
async def edit_statement(
    request: Request, statement_id: UUID, changes: schemas.StatementDraft, caller: SignedIn, session: Session
) -> Response:
    """Merge changes (RFC 7396) in planned and drafting, for the secretariat in clearance too; null removes a value."""
    statement = await service.find(session, statement_id, caller, lock=True)
    require_match(request, statement.tag)
    await service.patch(session, statement, changes.model_dump(mode="json", exclude_unset=True), caller)
    return answer(request, service.render(statement, caller), tag=statement.tag)


@router.post(
    "/{statement_id}/actions/{action}",
    summary="Move a statement through its life",
    response_model=schemas.Statement,
    responses=responses("forbidden", "not-found", "conflict", "stale", "incomplete"),
)
async def act_on_statement(
    request: Request,
    statement_id: UUID,
    action: schemas.StatementActionName,
    caller: SignedIn,
    session: Session,
    body: schemas.StatementAction | None = None,
) -> Response:
    """One of the record's `actions`; answers the record as the caller now sees it."""
    statement = await service.find(session, statement_id, caller, lock=True)
    check_match(request, statement.tag)
    await service.act(session, statement, action, body.comment if body else None, caller)
    return answer(request, service.render(statement, caller), tag=statement.tag)


@router.get(
    "/{statement_id}/history",
    summary="Read a statement's history",
    response_model=Page[Step],
    responses=responses("forbidden", "not-found"),
)
async def read_statement_history(
    request: Request, statement_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Every step since it was planned, the oldest first; for its drafters and staff."""
    statement = await service.find(session, statement_id, caller)
    return await history_page(request, session, statement, parameters)
