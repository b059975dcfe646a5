"""The pledges' operations: HTTP only."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.pledges import progress, published, schemas, service
from services.pledges.completeness import FORM
from services.pledges.index import Index
from services.pledges.models import Pledge
from shared import records
from shared.auth import MaybeCaller, SignedIn
from shared.conditional import answer, check_match, require_match
from shared.database import Reader, Session, session
from shared.languages import best_language
from shared.lists import Page, Paging, link
from shared.operation import Operation
from shared.pages import history_page, versions_page
from shared.problems import Problem, responses
from shared.schemas import Contact, Step, Version

router = APIRouter(prefix="/v1/pledges", tags=["pledges"], route_class=Operation)


@router.get("", summary="List pledges", response_model=Page[schemas.Pledge], responses=responses("forbidden"))
async def list_pledges(
    request: Request,
    parameters: Annotated[schemas.PledgeList, Query()],
    caller: MaybeCaller,
    reader: Reader,
    session: Session,
) -> Response:
    """Published pledges, or with `view` the working records that the caller may see."""
    if parameters.view is None:
        body, following = await service.list_public(reader, request.app.state.index, parameters)
    elif caller is None:
        raise Problem("unauthorized", "A view needs a token.", headers={"www-authenticate": "Bearer"})
    else:
        body, following = await service.list_working(session, parameters, caller)
    return answer(request, body, headers=link(request, following))


@router.post(
    "",
    summary="Draft a pledge",
    status_code=201,
    response_model=schemas.Pledge,
    responses=responses("forbidden"),
)
async def create_pledge(request: Request, draft: schemas.NewPledge, caller: SignedIn, session: Session) -> Response:
    """Save what is known; `submit` says what is missing. The draft belongs to the caller's entity."""
    pledge = await service.create(session, draft, caller)
    body = await published.working(session, pledge, caller)
    headers = {"location": f"/v1/pledges/{pledge.id}"}
    return answer(request, body, tag=pledge.tag, status=201, headers=headers)


@router.get("/summary", summary="Count pledges by every facet", response_model=schemas.PledgeSummary)
async def summarize_pledges(
    request: Request, filters: Annotated[schemas.PledgeFilters, Query()], caller: MaybeCaller
) -> Response:
    """The public dashboard's numbers; each facet ignores the filter on its own dimension."""
    index: Index = request.app.state.index
    return answer(request, await index.answer(filters))


@router.get("/form", summary="Describe the form of a pledge", response_model=dict[str, Any])
async def describe_pledge_form(request: Request, caller: MaybeCaller) -> Response:
    """JSON Schema (2020-12) of a complete pledge, with labels and help in the caller's language.

    A front end draws the form from it; `submit` checks against it. `Accept-Language` picks en, fr or es.
    """
    language = best_language(request.headers.get("accept-language"))
    headers = {"content-language": language, "vary": "Accept-Language, Authorization"}
    return answer(request, FORM.schema(language), headers=headers)


@router.get(
    "/{pledge_id}",
    summary="Read a pledge",
    response_model=schemas.Pledge,
    responses=responses("not-found", "gone"),
)
async def read_pledge(request: Request, pledge_id: UUID, caller: MaybeCaller) -> Response:
    """The working record for its owner and staff, the current publication for everyone else."""
    if caller is not None:
        db = await session(request)
        pledge = await db.get(Pledge, pledge_id)
        if pledge is not None and service.sees_working(caller, pledge):
            return answer(request, await published.working(db, pledge, caller), tag=pledge.tag)
    return answer(request, await published.public(request.app.state.database, pledge_id))


@router.patch(
    "/{pledge_id}",
    summary="Edit a pledge",
    response_model=schemas.Pledge,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def edit_pledge(
    request: Request, pledge_id: UUID, changes: schemas.PledgeDraft, caller: SignedIn, session: Session
) -> Response:
    """Merge changes (RFC 7396) into a pledge in draft, returned or revising; null removes a value."""
    pledge = await service.find(session, pledge_id, caller, lock=True)
    require_match(request, pledge.tag)
    await service.patch(session, pledge, changes.model_dump(mode="json", exclude_unset=True), caller)
    return answer(request, await published.working(session, pledge, caller), tag=pledge.tag)


@router.delete(
    "/{pledge_id}",
    summary="Delete a draft that was never submitted",
    status_code=204,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def delete_pledge(request: Request, pledge_id: UUID, caller: SignedIn, session: Session) -> Response:
    """Only a draft that was never submitted; all else is withdrawn instead."""
    pledge = await service.find(session, pledge_id, caller, lock=True)
    require_match(request, pledge.tag)
    await service.discard_draft(session, pledge)
    return Response(status_code=204)


@router.post(
    "/{pledge_id}/actions/{action}",
    summary="Move a pledge through its life",
    response_model=schemas.Pledge,
    responses=responses("forbidden", "not-found", "conflict", "gone", "stale", "incomplete"),
)
async def act_on_pledge(
    request: Request,
    pledge_id: UUID,
    action: schemas.ActionName,
    caller: SignedIn,
    session: Session,
    body: schemas.PledgeAction | None = None,
) -> Response:
    """One of the record's `actions`; answers the record as the caller now sees it."""
    pledge = await service.find(session, pledge_id, caller, lock=True)
    check_match(request, pledge.tag)
    await service.act(session, pledge, action, body or schemas.PledgeAction(), caller)
    return answer(request, await published.working(session, pledge, caller), tag=pledge.tag)


@router.get(
    "/{pledge_id}/history",
    summary="Read a pledge's history",
    response_model=Page[Step],
    responses=responses("forbidden", "not-found", "gone"),
)
async def read_pledge_history(
    request: Request, pledge_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Every step since the record was made, the oldest first; for its owner and staff."""
    pledge = await service.find(session, pledge_id, caller)
    return await history_page(request, session, pledge, parameters)


@router.get(
    "/{pledge_id}/versions",
    summary="List a pledge's publications",
    response_model=Page[Version],
    responses=responses("not-found", "gone"),
)
async def list_pledge_versions(
    request: Request, pledge_id: UUID, parameters: Annotated[Paging, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """Each publication with its number and date, the oldest first."""
    pledge = await _readable(session, pledge_id, caller)
    return await versions_page(request, session, pledge, parameters)


@router.get(
    "/{pledge_id}/versions/{number}",
    summary="Read one publication of a pledge",
    response_model=schemas.PledgeVersion,
    responses=responses("not-found", "gone"),
)
async def read_pledge_version(
    request: Request, pledge_id: UUID, number: records.Number, caller: MaybeCaller, session: Session
) -> Response:
    """A publication as it was."""
    pledge = await _readable(session, pledge_id, caller)
    publication = await records.publication(session, pledge, number)
    return answer(request, published.version_of(pledge, publication))


async def _readable(session: Session, pledge_id: UUID, caller: MaybeCaller) -> Pledge:
    pledge = await records.find(session, Pledge, pledge_id)
    if not pledge.public and not service.sees_working(caller, pledge):
        raise records.hidden(Pledge.noun, pledge.version)
    return pledge


@router.put(
    "/{pledge_id}/contact",
    summary="Change a pledge's contact person",
    response_model=Contact,
    responses=responses("forbidden", "not-found", "gone"),
)
async def change_pledge_contact(
    request: Request, pledge_id: UUID, contact: Contact, caller: SignedIn, session: Session
) -> Response:
    """At any status and without a new version; for the owner and the secretariat."""
    pledge = await service.find(session, pledge_id, caller, lock=True)
    await service.change_contact(session, pledge, contact, caller)
    return answer(request, contact.model_dump_json().encode(), tag=pledge.tag)


@router.post(
    "/{pledge_id}/confirmations",
    summary="Confirm a participant of a joint pledge",
    response_model=schemas.Confirmed,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def confirm_pledge_participant(
    request: Request, pledge_id: UUID, confirmation: schemas.Confirmation, caller: SignedIn, session: Session
) -> Response:
    """By the participant's own entity, or by the secretariat, which vouches for it; the public then sees it."""
    pledge = await records.find(session, Pledge, pledge_id, lock=True)
    return answer(request, await service.confirm(session, pledge, confirmation.name, caller))


@router.get(
    "/{pledge_id}/progress",
    summary="List reports of progress",
    response_model=Page[schemas.Progress],
    responses=responses("not-found", "gone"),
)
async def list_pledge_progress(
    request: Request, pledge_id: UUID, parameters: Annotated[Paging, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """What the owner reported, the newest first."""
    pledge = await _readable(session, pledge_id, caller)
    return await progress.progress_page(request, session, pledge, parameters)


@router.post(
    "/{pledge_id}/progress",
    summary="Report progress",
    status_code=201,
    response_model=schemas.Progress,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def report_pledge_progress(
    request: Request, pledge_id: UUID, new: schemas.NewProgress, caller: SignedIn, session: Session
) -> Response:
    """For the owner, while a publication stands; a mistake is corrected by a report that names it."""
    pledge = await service.find(session, pledge_id, caller, lock=True)
    made = await progress.report(session, pledge, new, caller)
    shown = schemas.Progress.model_validate(progress.progress(made))
    headers = {"location": f"/v1/pledges/{pledge.id}/progress"}
    return answer(request, shown.model_dump_json().encode(), status=201, headers=headers)
