"""The meetings' operations: HTTP only."""

import re
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from services.mptf.meetings import schemas, service, slots
from services.mptf.models import Meeting
from shared.auth import Caller, MaybeCaller, SignedIn
from shared.conditional import answer, check_match, digest, require_match
from shared.database import Session
from shared.lists import Page, Paging, body, link
from shared.operation import Operation
from shared.problems import responses

router = APIRouter(prefix="/v1/mptf/meetings", tags=["mptf"], route_class=Operation)


async def _answer(
    request: Request, session: AsyncSession, meeting: Meeting, caller: Caller | None, **rest: Any
) -> Response:
    """A meeting with its tag: the meeting's own revision, and a digest for what others change in its agenda."""
    shown = (await service.shown(session, meeting, caller)).model_dump_json().encode()
    return answer(request, shown, tag=f"{meeting.revision}-{digest(shown)}", **rest)


def _tag_sent(request: Request, meeting: Meeting) -> str:
    """The tag in If-Match that names the meeting's revision, whatever its agenda was: nobody edits that here."""
    sent = re.findall(r'"([^"]*)"', request.headers.get("if-match", ""))
    return next((tag for tag in sent if tag.partition("-")[0] == meeting.tag), meeting.tag)


@router.get("", summary="List the Steering Committee's meetings", response_model=Page[schemas.Meeting])
async def list_meetings(
    request: Request, parameters: Annotated[schemas.MeetingList, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """By date, with the day by which a note must be submitted to be in time."""
    found, following = await service.page(session, parameters, caller)
    return answer(request, found, headers=link(request, following))


@router.post(
    "", summary="Plan a meeting", status_code=201, response_model=schemas.Meeting, responses=responses("forbidden")
)
async def plan_meeting(request: Request, new: schemas.NewMeeting, caller: SignedIn, session: Session) -> Response:
    """By the Fund Management Unit; notes that it may consider earlier than their meeting are pulled forward."""
    meeting = await service.plan(session, new, caller)
    headers = {"location": f"/v1/mptf/meetings/{meeting.id}"}
    return await _answer(request, session, meeting, caller, status=201, headers=headers)


@router.get("/{meeting_id}", summary="Read a meeting", response_model=schemas.Meeting, responses=responses("not-found"))
async def read_meeting(request: Request, meeting_id: UUID, caller: MaybeCaller, session: Session) -> Response:
    """With its agenda and decisions, as far as the caller may see the notes."""
    meeting = await service.find(session, meeting_id)
    return await _answer(request, session, meeting, caller)


@router.patch(
    "/{meeting_id}",
    summary="Change a planned meeting",
    response_model=schemas.Meeting,
    responses=responses("forbidden", "not-found", "conflict"),
)
async def change_meeting(
    request: Request, meeting_id: UUID, changes: schemas.MeetingChanges, caller: SignedIn, session: Session
) -> Response:
    """By the Fund Management Unit, until something was decided there; a new date gives notes new slots."""
    service.require_keeper(caller)
    await slots.lock(session)
    meeting = await service.find(session, meeting_id, lock=True)
    require_match(request, _tag_sent(request, meeting))
    await service.change(session, meeting, changes, caller)
    return await _answer(request, session, meeting, caller)


@router.post(
    "/{meeting_id}/actions/{action}",
    summary="Hold or cancel a meeting",
    response_model=schemas.Meeting,
    responses=responses("forbidden", "not-found", "conflict", "stale"),
)
async def act_on_meeting(
    request: Request,
    meeting_id: UUID,
    action: schemas.MeetingActionName,
    caller: SignedIn,
    session: Session,
    given: schemas.MeetingAction | None = None,
) -> Response:
    """`hold` when every eligible note on the agenda is decided; notes that are not yet eligible roll on."""
    await slots.lock(session)
    meeting = await service.find(session, meeting_id, lock=True)
    check_match(request, _tag_sent(request, meeting))
    await service.act(session, meeting, action, given or schemas.MeetingAction(), caller)
    return await _answer(request, session, meeting, caller)


@router.get(
    "/{meeting_id}/minutes",
    summary="Read a meeting's minutes",
    response_model=Page[schemas.Minutes],
    responses=responses("forbidden", "not-found"),
)
async def read_minutes(
    request: Request, meeting_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Every text that was recorded, the oldest first; for the committee and staff."""
    meeting = await service.find(session, meeting_id)
    items, page = await service.minutes_page(session, meeting, parameters, caller)
    return answer(request, body(items, page), headers=link(request, page.next))


@router.post(
    "/{meeting_id}/minutes",
    summary="Record a meeting's minutes",
    status_code=201,
    response_model=schemas.Minutes,
    responses=responses("forbidden", "not-found", "conflict"),
)
async def record_minutes(
    request: Request, meeting_id: UUID, new: schemas.NewMinutes, caller: SignedIn, session: Session
) -> Response:
    """By the Fund Management Unit, on or after the day; a later text stands beside the earlier ones."""
    service.require_keeper(caller)
    meeting = await service.find(session, meeting_id, lock=True)
    made = await service.record_minutes(session, meeting, new, caller)
    headers = {"location": f"/v1/mptf/meetings/{meeting.id}/minutes"}
    return answer(request, made.model_dump_json().encode(), status=201, headers=headers)
