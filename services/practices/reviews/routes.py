"""The assignments' and the reviews' operations: HTTP only."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.practices import service as practices
from services.practices.reviews import schemas, service
from shared.auth import Caller, SignedIn, with_role
from shared.conditional import answer
from shared.database import Session
from shared.lists import Page, Paging, link
from shared.operation import Operation
from shared.problems import responses

router = APIRouter(prefix="/v1/practices", tags=["peer review"], route_class=Operation)


@router.get(
    "/reviews/mine",
    summary="List what waits for me",
    response_model=Page[schemas.AwaitedReview],
    responses=responses("forbidden"),
)
async def list_my_reviews(
    request: Request,
    parameters: Annotated[Paging, Query()],
    caller: Annotated[Caller, with_role("reviewer")],
    session: Session,
) -> Response:
    """Practices that wait for the caller's declaration or review, since when, and whether it is late."""
    body, following = await service.mine(session, parameters, caller)
    return answer(request, body, headers=link(request, following))


@router.get(
    "/{practice_id}/assignments",
    summary="List a practice's reviewers",
    response_model=schemas.PracticeAssignments,
    responses=responses("forbidden", "not-found"),
)
async def list_assignments(request: Request, practice_id: UUID, caller: SignedIn, session: Session) -> Response:
    """Of all rounds, the newest first; for the secretariat alone."""
    practice = await practices.find(session, practice_id, caller)
    practices.staff_only(caller)
    return answer(request, (await service.assignments(session, practice)).model_dump_json().encode())


@router.post(
    "/{practice_id}/assignments",
    summary="Assign a reviewer",
    status_code=201,
    response_model=schemas.PracticeAssignment,
    responses=responses("forbidden", "not-found", "conflict"),
)
async def assign_reviewer(
    request: Request, practice_id: UUID, new: schemas.NewPracticeAssignment, caller: SignedIn, session: Session
) -> Response:
    """To the round in progress; at least one internal and two external reviewers before the review starts."""
    practice = await practices.find(session, practice_id, caller, lock=True)
    practices.staff_only(caller)
    made = await service.assign(session, practice, new.reviewer_id, caller)
    headers = {"location": f"/v1/practices/{practice.id}/assignments"}
    body = service.assignment(made, practice).model_dump_json().encode()
    return answer(request, body, status=201, headers=headers)


@router.post(
    "/{practice_id}/assignments/{assignment_id}/actions/declare",
    summary="Declare a conflict of interest, or none",
    response_model=schemas.PracticeAssignment,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def declare_conflict(
    request: Request,
    practice_id: UUID,
    assignment_id: UUID,
    declaration: schemas.ConflictDeclaration,
    caller: SignedIn,
    session: Session,
) -> Response:
    """For the reviewer, before they may review; a conflict that comes up later is declared the same way."""
    practice, place = await service.declare(session, practice_id, assignment_id, declaration, caller)
    return answer(request, service.assignment(place, practice).model_dump_json().encode())


@router.post(
    "/{practice_id}/assignments/{assignment_id}/actions/replace",
    summary="Give a reviewer's place to another",
    response_model=schemas.PracticeAssignment,
    responses=responses("forbidden", "not-found", "conflict"),
)
async def replace_reviewer(
    request: Request,
    practice_id: UUID,
    assignment_id: UUID,
    new: schemas.NewPracticeAssignment,
    caller: SignedIn,
    session: Session,
) -> Response:
    """For the secretariat, where a reviewer is silent or has a conflict; answers the new assignment."""
    practice = await practices.find(session, practice_id, caller, lock=True)
    practices.staff_only(caller)
    made = await service.replace(session, practice, assignment_id, new.reviewer_id, caller)
    return answer(request, service.assignment(made, practice).model_dump_json().encode())


@router.post(
    "/{practice_id}/assignments/{assignment_id}/actions/remind",
    summary="Remind a reviewer",
    response_model=schemas.PracticeAssignment,
    responses=responses("forbidden", "not-found", "conflict"),
)
async def remind_reviewer(
    request: Request, practice_id: UUID, assignment_id: UUID, caller: SignedIn, session: Session
) -> Response:
    """For the secretariat; who is late is reminded every week without it."""
    practice = await practices.find(session, practice_id, caller, lock=True)
    practices.staff_only(caller)
    place = await service.staff_assignment(session, practice, assignment_id)
    await service.remind(session, practice, place)
    return answer(request, service.assignment(place, practice).model_dump_json().encode())


@router.get(
    "/{practice_id}/reviews",
    summary="Read a practice's reviews",
    response_model=schemas.PracticeReviews,
    responses=responses("forbidden", "not-found", "gone"),
)
async def list_reviews(request: Request, practice_id: UUID, caller: SignedIn, session: Session) -> Response:
    """The owner reads judgements and comments, never who wrote them or when; a reviewer their own review."""
    return answer(request, await service.reviews(session, practice_id, caller))


@router.post(
    "/{practice_id}/reviews",
    summary="Review a practice",
    status_code=201,
    response_model=schemas.PracticeReview,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def create_review(
    request: Request, practice_id: UUID, new: schemas.NewPracticeReview, caller: SignedIn, session: Session
) -> Response:
    """One a reviewer and round, by a reviewer who has declared no conflict of interest."""
    made = await service.review(session, practice_id, new, caller)
    headers = {"location": f"/v1/practices/{practice_id}/reviews"}
    return answer(request, made.model_dump_json().encode(), status=201, headers=headers)
