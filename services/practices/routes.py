"""The practices' operations: HTTP only."""

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.practices import published, rounds, schemas, service
from services.practices.completeness import FORM
from services.practices.models import Practice, PracticePublication
from shared import records
from shared.auth import MaybeCaller, SignedIn
from shared.conditional import answer, check_match, require_match
from shared.database import Reader, Session
from shared.languages import best_language
from shared.lists import Page, Paging, link
from shared.operation import Operation
from shared.pages import history_page, versions_page
from shared.problems import Problem, responses
from shared.schemas import Contact, Step, Version

router = APIRouter(prefix="/v1/practices", tags=["practices"], route_class=Operation)


def negotiated(languages: str) -> dict[str, str]:
    """The fields of an answer whose language the caller chose."""
    fields = {"vary": "Authorization, Accept-Language"}
    return {**fields, "content-language": languages} if languages else fields


@router.get("", summary="List practices", response_model=schemas.PracticePage, responses=responses("forbidden"))
async def list_practices(
    request: Request,
    parameters: Annotated[schemas.PracticeList, Query()],
    caller: MaybeCaller,
    reader: Reader,
    session: Session,
) -> Response:
    """Published practices, or with `view` the working records that the caller may see."""
    if parameters.view is None:
        wanted = request.headers.get("accept-language")
        body, following, languages = await published.listed(reader, parameters, wanted)
        return answer(request, body, headers={**link(request, following), **negotiated(languages)})
    if caller is None:
        raise Problem("unauthorized", "A view needs a token.", headers={"www-authenticate": "Bearer"})
    body, following = await service.list_working(session, parameters, caller)
    return answer(request, body, headers=link(request, following))


@router.post(
    "", summary="Draft a practice", status_code=201, response_model=schemas.Practice, responses=responses("forbidden")
)
async def create_practice(request: Request, draft: schemas.NewPractice, caller: SignedIn, session: Session) -> Response:
    """Save what is known; `submit` says what is missing. The draft belongs to the caller's entity."""
    practice = await service.create(session, draft, caller)
    body = await service.working(session, practice, caller)
    headers = {"location": f"/v1/practices/{practice.id}"}
    return answer(request, body, tag=practice.tag, status=201, headers=headers)


@router.get("/summary", summary="Count practices by every facet", response_model=schemas.PracticeSummary)
async def summarize_practices(
    request: Request, filters: Annotated[schemas.PracticeFilters, Query()], caller: MaybeCaller, reader: Reader
) -> Response:
    """Counts for the filters; each facet ignores the filter on its own dimension."""
    return answer(request, await published.summary(reader, filters, request.app.state.counted))


@router.get("/form", summary="Describe the form of a practice", response_model=dict[str, Any])
async def describe_practice_form(request: Request, caller: MaybeCaller) -> Response:
    """A JSON Schema (2020-12) with labels, help and choices in the caller's language.

    It is what `submit` checks, so that any front end can draw the form and say what is still missing. `x-steps`
    are the form's steps in order, each property names its `x-step`; `x-choices` says where long lists are read;
    `x-language` marks a label that is not recorded in the answer's language.
    """
    language = best_language(request.headers.get("accept-language"))
    return answer(request, FORM.schema(language), headers=negotiated(language))


@router.get(
    "/{practice_id}",
    summary="Read a practice",
    response_model=schemas.Practice,
    responses=responses("not-found", "gone"),
)
async def read_practice(
    request: Request, practice_id: UUID, caller: MaybeCaller, reader: Reader, session: Session
) -> Response:
    """The working record for its owner, staff and whoever reviews it; for everyone else the current publication.

    A publication is read in the language that Accept-Language prefers among those it has.
    """
    if caller is not None:
        practice = await session.get(Practice, practice_id)
        if practice is not None and service.sees_working(caller, practice):
            return answer(request, await service.working(session, practice, caller), tag=practice.tag)
        if practice is not None and await rounds.may_read(session, practice, caller):
            return answer(request, service.for_review(practice), tag=practice.tag)
    return await _public(request, reader, practice_id)


async def _public(request: Request, reader: Reader, practice_id: UUID) -> Response:
    found = await published.read(reader, practice_id, request.headers.get("accept-language"))
    if found is None:
        raise await service.hidden(reader, practice_id)
    return answer(request, found[0], headers=negotiated(found[1]))


@router.patch(
    "/{practice_id}",
    summary="Edit a practice",
    response_model=schemas.Practice,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def edit_practice(
    request: Request, practice_id: UUID, changes: schemas.PracticeDraft, caller: SignedIn, session: Session
) -> Response:
    """Merge changes (RFC 7396) into a practice in draft, returned or revising; null removes a value."""
    practice = await service.find(session, practice_id, caller, lock=True)
    require_match(request, practice.tag)
    await service.patch(session, practice, changes.model_dump(mode="json", exclude_unset=True), caller)
    return answer(request, await service.working(session, practice, caller), tag=practice.tag)


@router.delete(
    "/{practice_id}",
    summary="Delete a draft that was never submitted",
    status_code=204,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def delete_practice(request: Request, practice_id: UUID, caller: SignedIn, session: Session) -> Response:
    """Only a draft that was never submitted; all else is withdrawn instead."""
    practice = await service.find(session, practice_id, caller, lock=True)
    require_match(request, practice.tag)
    await service.delete_draft(session, practice)
    return Response(status_code=204)


@router.post(
    "/{practice_id}/actions/{action}",
    summary="Move a practice through its life",
    response_model=schemas.Practice,
    responses=responses("forbidden", "not-found", "conflict", "gone", "stale", "incomplete"),
)
async def act_on_practice(
    request: Request,
    practice_id: UUID,
    action: schemas.ActionName,
    caller: SignedIn,
    session: Session,
    body: schemas.PracticeAction | None = None,
) -> Response:
    """One of the record's `actions`; answers the record as the caller now sees it."""
    practice = await service.find(session, practice_id, caller, lock=True)
    check_match(request, practice.tag)
    await service.act(session, practice, action, body or schemas.PracticeAction(), caller)
    return answer(request, await service.working(session, practice, caller), tag=practice.tag)


@router.get(
    "/{practice_id}/similar",
    summary="List similar practices",
    response_model=schemas.SimilarPractices,
    responses=responses("not-found", "gone"),
)
async def list_similar_practices(
    request: Request,
    practice_id: UUID,
    caller: MaybeCaller,
    reader: Reader,
    limit: Annotated[int, Query(ge=1, le=20)] = 5,
) -> Response:
    """Published practices that share most with this one, and what they share."""
    wanted = request.headers.get("accept-language")
    found = await published.similar(reader, practice_id, wanted, limit)
    if found is None:
        raise await service.hidden(reader, practice_id)
    languages = sorted({item["text_language"] for item in found["items"]})
    return answer(request, found, headers=negotiated(", ".join(languages)))


@router.get(
    "/{practice_id}/history",
    summary="Read a practice's history",
    response_model=Page[Step],
    responses=responses("forbidden", "not-found", "gone"),
)
async def read_practice_history(
    request: Request, practice_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Every step since the record was made, the oldest first; for its owner and staff. Reviewers are not in it."""
    practice = await service.find(session, practice_id, caller)
    return await history_page(request, session, practice, parameters)


@router.get(
    "/{practice_id}/versions",
    summary="List a practice's publications",
    response_model=Page[Version],
    responses=responses("not-found", "gone"),
)
async def list_practice_versions(
    request: Request, practice_id: UUID, parameters: Annotated[Paging, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """Each publication with its number and date, the oldest first."""
    practice = await _readable(session, practice_id, caller)
    return await versions_page(request, session, practice, parameters)


@router.get(
    "/{practice_id}/versions/{number}",
    summary="Read one publication of a practice",
    response_model=schemas.PracticeVersion,
    responses=responses("not-found", "gone"),
)
async def read_practice_version(
    request: Request, practice_id: UUID, number: records.Number, caller: MaybeCaller, session: Session
) -> Response:
    """A publication as it was, in its original language with its translations."""
    practice = await _readable(session, practice_id, caller)
    publication = await records.publication(session, practice, number)
    return answer(request, service.version_of(practice, cast("PracticePublication", publication)))


async def _readable(session: Session, practice_id: UUID, caller: MaybeCaller) -> Practice:
    practice = await records.find(session, Practice, practice_id)
    if not practice.public and not service.sees_working(caller, practice):
        raise records.hidden(Practice.noun, practice.version)
    return practice


@router.put(
    "/{practice_id}/contact",
    summary="Change a practice's contact person",
    response_model=Contact,
    responses=responses("forbidden", "not-found", "gone"),
)
async def change_practice_contact(
    request: Request, practice_id: UUID, contact: Contact, caller: SignedIn, session: Session
) -> Response:
    """At any status and without a new version; for the owner and the secretariat."""
    practice = await service.find(session, practice_id, caller, lock=True)
    await service.change_contact(session, practice, contact, caller)
    return answer(request, contact.model_dump_json().encode(), tag=practice.tag)
