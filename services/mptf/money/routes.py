"""Contributions' and transfers' operations: HTTP only."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.mptf import beside
from services.mptf.models import ConceptNote, Transfer
from services.mptf.money import schemas, service
from services.mptf.service import find as find_note
from services.mptf.visibility import sees_working
from shared import records
from shared.auth import MaybeCaller, SignedIn
from shared.conditional import answer, require_match
from shared.database import Reader, Session
from shared.lists import Page, Paging, link
from shared.operation import Operation
from shared.problems import responses

router = APIRouter(prefix="/v1/mptf", tags=["mptf"], route_class=Operation)


@router.get("/contributions", summary="List contributions to the Fund", response_model=Page[schemas.Contribution])
async def list_contributions(
    request: Request, parameters: Annotated[schemas.ContributionList, Query()], caller: MaybeCaller, reader: Reader
) -> Response:
    """What donors gave, each in its own currency."""
    body, following = await service.contributions_page(reader, parameters)
    return answer(request, body, headers=link(request, following))


@router.post(
    "/contributions",
    summary="Record a contribution",
    status_code=201,
    response_model=schemas.Contribution,
    responses=responses("forbidden"),
)
async def record_contribution(
    request: Request, new: schemas.NewContribution, caller: SignedIn, session: Session
) -> Response:
    """By the Fund Management Unit."""
    service.require_unit(caller)
    made = await service.contribute(session, new, caller)
    shown = service.contribution_shown(made).model_dump_json().encode()
    headers = {"location": f"/v1/mptf/contributions/{made.id}"}
    return answer(request, shown, tag=made.tag, status=201, headers=headers)


@router.get(
    "/contributions/{contribution_id}",
    summary="Read a contribution",
    response_model=schemas.Contribution,
    responses=responses("not-found"),
)
async def read_contribution(request: Request, contribution_id: UUID, caller: MaybeCaller, session: Session) -> Response:
    """With its soft earmark, and its source where it is of before this system."""
    found = await service.find(session, contribution_id)
    return answer(request, service.contribution_shown(found).model_dump_json().encode(), tag=found.tag)


@router.patch(
    "/contributions/{contribution_id}",
    summary="Correct a contribution",
    response_model=schemas.Contribution,
    responses=responses("forbidden", "not-found"),
)
async def correct_contribution(
    request: Request, contribution_id: UUID, changes: schemas.ContributionChanges, caller: SignedIn, session: Session
) -> Response:
    """By the Fund Management Unit: what was wrong, or what was not known."""
    service.require_unit(caller)
    found = await service.find(session, contribution_id, lock=True)
    require_match(request, found.tag)
    await service.correct(session, found, changes.model_dump(exclude_unset=True))
    return answer(request, service.contribution_shown(found).model_dump_json().encode(), tag=found.tag)


@router.get(
    "/concept-notes/{note_id}/transfers",
    summary="List transfers to a programme's organisations",
    response_model=Page[schemas.Transfer],
    responses=responses("not-found", "gone"),
)
async def list_transfers(
    request: Request, note_id: UUID, parameters: Annotated[Paging, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """In USD, the oldest first; a refund is negative."""
    note = await records.find(session, ConceptNote, note_id)
    if not note.public and not sees_working(caller, note):
        raise records.hidden(ConceptNote.noun, note.version)
    return await beside.page(request, session, Transfer, note.id, parameters, service.transfer_shown)


@router.post(
    "/concept-notes/{note_id}/transfers",
    summary="Record a transfer",
    status_code=201,
    response_model=schemas.Transfer,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def record_transfer(
    request: Request, note_id: UUID, new: schemas.NewTransfer, caller: SignedIn, session: Session
) -> Response:
    """By the Fund Management Unit, against the organisation's line of the approved budget, never above it."""
    note = await find_note(session, note_id, caller, lock=True)
    service.require_unit(caller)
    made = await service.transfer(session, note, new, caller)
    headers = {"location": f"/v1/mptf/concept-notes/{note.id}/transfers"}
    return answer(request, service.transfer_shown(made).model_dump_json().encode(), status=201, headers=headers)
