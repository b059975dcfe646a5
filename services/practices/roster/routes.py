"""The roster's operations: HTTP only."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.practices import service as practices
from services.practices.roster import schemas, service
from shared.auth import Caller, SignedIn, with_role
from shared.conditional import answer, require_match
from shared.database import Session
from shared.lists import Page, link
from shared.operation import Operation
from shared.problems import responses

router = APIRouter(prefix="/v1/practices", tags=["peer review"], route_class=Operation)

Staff = Annotated[Caller, with_role("secretariat")]


@router.get(
    "/reviewers",
    summary="List the roster of reviewers",
    response_model=Page[schemas.Reviewer],
    responses=responses("forbidden"),
)
async def list_reviewers(
    request: Request, parameters: Annotated[schemas.ReviewerList, Query()], caller: Staff, session: Session
) -> Response:
    """By name; for the secretariat alone."""
    body, following = await service.roster(session, parameters)
    return answer(request, body, headers=link(request, following))


@router.post(
    "/reviewers",
    summary="Enter a reviewer",
    status_code=201,
    response_model=schemas.Reviewer,
    responses=responses("forbidden", "conflict"),
)
async def create_reviewer(request: Request, entry: schemas.ReviewerEntry, caller: Staff, session: Session) -> Response:
    """One entry a person: a `subject` that stands on the roster already is 409."""
    made = await service.enrol(session, entry)
    headers = {"location": f"/v1/practices/reviewers/{made.id}"}
    return answer(request, await service.shown(session, made), tag=str(made.revision), status=201, headers=headers)


@router.get(
    "/reviewers/{reviewer_id}",
    summary="Read a reviewer's entry",
    response_model=schemas.Reviewer,
    responses=responses("forbidden", "not-found"),
)
async def read_reviewer(request: Request, reviewer_id: UUID, caller: Staff, session: Session) -> Response:
    """For the secretariat alone."""
    found = await service.on_roster(session, reviewer_id)
    return answer(request, await service.shown(session, found), tag=str(found.revision))


@router.patch(
    "/reviewers/{reviewer_id}",
    summary="Change a reviewer's entry",
    response_model=schemas.Reviewer,
    responses=responses("forbidden", "not-found", "conflict"),
)
async def edit_reviewer(
    request: Request, reviewer_id: UUID, changes: schemas.ReviewerChanges, caller: Staff, session: Session
) -> Response:
    """Who leaves the roster becomes inactive: what they reviewed stays theirs."""
    found = await service.on_roster(session, reviewer_id, lock=True)
    require_match(request, str(found.revision))
    await service.change_reviewer(session, found, changes.model_dump(exclude_unset=True))
    return answer(request, await service.shown(session, found), tag=str(found.revision))


@router.get(
    "/{practice_id}/candidates",
    summary="Propose reviewers",
    response_model=schemas.ReviewerCandidates,
    responses=responses("forbidden", "not-found"),
)
async def list_candidates(
    request: Request,
    practice_id: UUID,
    caller: SignedIn,
    session: Session,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Whom the secretariat may assign, the best first, with the reasons for each."""
    practice = await practices.find(session, practice_id, caller)
    practices.staff_only(caller)
    return answer(request, (await service.candidates(session, practice, limit)).model_dump_json().encode())
