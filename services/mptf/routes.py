"""The concept notes' operations: HTTP only."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.mptf import beside, endorsements, reading, schemas, service
from services.mptf.completeness import FORM
from services.mptf.meetings import slots
from services.mptf.models import ConceptNote, Decision, Endorsement
from services.mptf.programmes.projection import working
from services.mptf.visibility import edits, judges, participates, sees_working
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

router = APIRouter(prefix="/v1/mptf/concept-notes", tags=["mptf"], route_class=Operation)


@router.get(
    "", summary="List concept notes", response_model=Page[schemas.ConceptNote], responses=responses("forbidden")
)
async def list_concept_notes(
    request: Request,
    parameters: Annotated[schemas.ConceptNoteList, Query()],
    caller: MaybeCaller,
    reader: Reader,
    session: Session,
) -> Response:
    """Selected notes, or with `view` the working records that the caller may see."""
    if parameters.view is None:
        body, following = await reading.list_public(reader, parameters)
    elif caller is None:
        raise Problem("unauthorized", "A view needs a token.", headers={"www-authenticate": "Bearer"})
    else:
        body, following = await reading.list_working(session, parameters, caller)
    return answer(request, body, headers=link(request, following))


@router.post(
    "",
    summary="Draft a concept note",
    status_code=201,
    response_model=schemas.ConceptNote,
    responses=responses("forbidden"),
)
async def create_concept_note(
    request: Request, draft: schemas.NewConceptNote, caller: SignedIn, session: Session
) -> Response:
    """Save what is known; `submit` says what is missing. The draft belongs to the caller's entity."""
    note = await service.create(session, draft, caller)
    headers = {"location": f"/v1/mptf/concept-notes/{note.id}"}
    return answer(request, await working(session, note, caller), tag=note.tag, status=201, headers=headers)


@router.get("/form", summary="Describe the form of a concept note", response_model=dict[str, Any])
async def describe_concept_note_form(request: Request, caller: MaybeCaller) -> Response:
    """JSON Schema (2020-12) of a complete note, with labels and help in the caller's language.

    A front end draws the form from it; `submit` checks against it. `Accept-Language` picks en, fr or es.
    """
    language = best_language(request.headers.get("accept-language"))
    headers = {"content-language": language, "vary": "Accept-Language, Authorization"}
    return answer(request, FORM.schema(language), headers=headers)


@router.get(
    "/{note_id}",
    summary="Read a concept note",
    response_model=schemas.ConceptNote,
    responses=responses("not-found", "gone"),
)
async def read_concept_note(
    request: Request, note_id: UUID, caller: MaybeCaller, reader: Reader, session: Session
) -> Response:
    """The working record for its own and for staff; from selection on the joint programme for everyone else."""
    if caller is not None:
        note = await session.get(ConceptNote, note_id)
        if note is not None and sees_working(caller, note):
            return answer(request, await working(session, note, caller), tag=note.tag)
    body = await reading.public(reader, note_id)
    if body is None:
        raise await reading.hidden(reader, note_id)
    return answer(request, body)


@router.patch(
    "/{note_id}",
    summary="Edit a concept note",
    response_model=schemas.ConceptNote,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def edit_concept_note(
    request: Request, note_id: UUID, changes: schemas.ConceptNoteDraft, caller: SignedIn, session: Session
) -> Response:
    """Merge changes (RFC 7396) into a draft or returned note; endorsements of what was otherwise lapse."""
    note = await service.find_to_edit(session, note_id, caller)
    require_match(request, note.tag)
    await service.patch(session, note, changes.model_dump(mode="json", exclude_unset=True), caller)
    return answer(request, await working(session, note, caller), tag=note.tag)


@router.delete(
    "/{note_id}",
    summary="Delete a draft that was never submitted",
    status_code=204,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def delete_concept_note(request: Request, note_id: UUID, caller: SignedIn, session: Session) -> Response:
    """Only a draft that was never submitted; all else is withdrawn instead."""
    note = await service.find_to_edit(session, note_id, caller)
    require_match(request, note.tag)
    await service.discard_draft(session, note)
    return Response(status_code=204)


@router.post(
    "/{note_id}/actions/{action}",
    summary="Move a concept note through its life",
    response_model=schemas.ConceptNote,
    responses=responses("forbidden", "not-found", "conflict", "gone", "stale", "incomplete"),
)
async def act_on_concept_note(
    request: Request,
    note_id: UUID,
    action: schemas.ConceptNoteActionName,
    caller: SignedIn,
    session: Session,
    body: schemas.ConceptNoteAction | None = None,
) -> Response:
    """One of the record's `actions`; answers the record as the caller now sees it."""
    # First the lock, then the row: whoever holds the lock waits for nobody who waits for it.
    await slots.lock(session)
    note = await service.find(session, note_id, caller, lock=True)
    check_match(request, note.tag)
    await service.act(session, note, action, body or schemas.ConceptNoteAction(), caller)
    if sees_working(caller, note):
        return answer(request, await working(session, note, caller), tag=note.tag)
    return answer(request, await reading.public(session, note.id) or b"{}")


@router.get(
    "/{note_id}/history",
    summary="Read a concept note's history",
    response_model=Page[Step],
    responses=responses("forbidden", "not-found", "gone"),
)
async def read_concept_note_history(
    request: Request, note_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Every step, and every change of meeting with its cause; not for organisations that only take part."""
    note = await service.find(session, note_id, caller)
    if participates(caller, note) and not edits(caller, note) and not judges(caller, note):
        raise Problem("forbidden", "The history is for the note's owner, its Resident Coordinators, and staff.")
    return await history_page(request, session, note, parameters)


@router.get(
    "/{note_id}/versions",
    summary="List a concept note's publications",
    response_model=Page[Version],
    responses=responses("not-found", "gone"),
)
async def list_concept_note_versions(
    request: Request, note_id: UUID, parameters: Annotated[Paging, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """What was published: the note as it was selected, the programme as it was approved."""
    note = await _readable(session, note_id, caller)
    return await versions_page(request, session, note, parameters)


@router.get(
    "/{note_id}/versions/{number}",
    summary="Read one publication of a concept note",
    response_model=schemas.ConceptNoteVersion,
    responses=responses("not-found", "gone"),
)
async def read_concept_note_version(
    request: Request, note_id: UUID, number: records.Number, caller: MaybeCaller, session: Session
) -> Response:
    """A publication as it was."""
    note = await _readable(session, note_id, caller)
    return answer(request, reading.version_of(note, await records.publication(session, note, number)))


async def _readable(session: Session, note_id: UUID, caller: MaybeCaller) -> ConceptNote:
    note = await records.find(session, ConceptNote, note_id)
    if not note.public and not sees_working(caller, note):
        raise records.hidden(ConceptNote.noun, note.version)
    return note


@router.put(
    "/{note_id}/contact",
    summary="Change a concept note's contact person",
    response_model=Contact,
    responses=responses("forbidden", "not-found", "gone"),
)
async def change_concept_note_contact(
    request: Request, note_id: UUID, contact: Contact, caller: SignedIn, session: Session
) -> Response:
    """At any status and without a new version; for the owner, its Resident Coordinators, and staff."""
    note = await service.find(session, note_id, caller, lock=True)
    await service.change_contact(session, note, contact, caller)
    return answer(request, contact.model_dump_json().encode(), tag=note.tag)


@router.get(
    "/{note_id}/endorsements",
    summary="List a concept note's endorsements",
    response_model=Page[schemas.Endorsement],
    responses=responses("forbidden", "not-found", "gone"),
)
async def list_endorsements(
    request: Request, note_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Those that stand and those that ended, the oldest first."""
    note = await service.find(session, note_id, caller)
    return await beside.page(request, session, Endorsement, note.id, parameters, endorsements.shown)


@router.post(
    "/{note_id}/endorsements",
    summary="Endorse a concept note of several countries",
    status_code=201,
    response_model=schemas.Endorsement,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def endorse_concept_note(
    request: Request, note_id: UUID, new: schemas.NewEndorsement, caller: SignedIn, session: Session
) -> Response:
    """By the Resident Coordinator of the country, before submission; it lapses when what was endorsed changes."""
    note = await service.find(session, note_id, caller, lock=True)
    made = await endorsements.endorse(session, note, new.country, caller)
    headers = {"location": f"/v1/mptf/concept-notes/{note.id}/endorsements"}
    return answer(request, endorsements.shown(made).model_dump_json().encode(), status=201, headers=headers)


@router.post(
    "/{note_id}/endorsements/{endorsement_id}/actions/withdraw",
    summary="Withdraw an endorsement",
    response_model=schemas.Endorsement,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def withdraw_endorsement(
    request: Request, note_id: UUID, endorsement_id: UUID, caller: SignedIn, session: Session
) -> Response:
    """By the Resident Coordinator of its country, before the note is submitted."""
    note = await service.find(session, note_id, caller, lock=True)
    ended = await endorsements.withdraw(session, note, endorsement_id, caller)
    return answer(request, endorsements.shown(ended).model_dump_json().encode())


@router.get(
    "/{note_id}/assessment",
    summary="Read a concept note's assessment",
    response_model=schemas.Assessment,
    responses=responses("forbidden", "not-found", "gone"),
)
async def read_assessment(request: Request, note_id: UUID, caller: SignedIn, session: Session) -> Response:
    """For those who judge, and once the screening has ended for those whose note it is."""
    note = await service.find(session, note_id, caller)
    return answer(request, service.assessment(note, caller).model_dump_json().encode())


@router.put(
    "/{note_id}/assessment",
    summary="Assess a concept note against the Fund's criteria",
    response_model=schemas.Assessment,
    responses=responses("forbidden", "not-found", "conflict", "gone"),
)
async def assess_concept_note(
    request: Request, note_id: UUID, new: schemas.NewAssessment, caller: SignedIn, session: Session
) -> Response:
    """By the Fund Management Unit, in screening; `find_eligible` and `find_ineligible` need every criterion."""
    note = await service.find(session, note_id, caller, lock=True)
    await service.assess(session, note, new, caller)
    return answer(request, service.assessment(note, caller).model_dump_json().encode())


@router.get(
    "/{note_id}/decisions",
    summary="List the Steering Committee's decisions on a concept note",
    response_model=Page[schemas.ConceptNoteDecision],
    responses=responses("forbidden", "not-found", "gone"),
)
async def list_concept_note_decisions(
    request: Request, note_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Each with its meeting and its rationale, the oldest first; a reconsidered one names what it takes up again."""
    note = await service.find(session, note_id, caller)
    return await beside.page(request, session, Decision, note.id, parameters, beside.decision)
