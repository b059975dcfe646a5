"""The calendar's operations: HTTP only."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.calendar import policy, published, schemas, service
from services.calendar.jsonld import jsonld
from services.calendar.models import Event
from services.calendar.policy import CalendarPolicy
from shared import records
from shared.auth import MaybeCaller, SignedIn
from shared.conditional import answer, check_match, require_match
from shared.database import Reader, Session
from shared.lists import Page, Paging, link
from shared.operation import Operation
from shared.pages import history_page, versions_page
from shared.problems import Problem, responses
from shared.schemas import Step, Version

CALENDAR = "text/calendar"
JSON_LD = "application/ld+json"
ICS: dict[int | str, dict[str, Any]] = {
    200: {"description": "A calendar (RFC 5545).", "content": {CALENDAR: {"schema": {"type": "string"}}}}
}

router = APIRouter(prefix="/v1/calendar", tags=["calendar"], route_class=Operation)


@router.get(
    "/occurrences",
    summary="List what takes place between two days",
    response_model=Page[schemas.Occurrence],
)
async def list_occurrences(
    request: Request, parameters: Annotated[schemas.OccurrenceList, Query()], caller: MaybeCaller, reader: Reader
) -> Response:
    """Every occurrence that touches the days from `from` to `to`, in their order; what recurs is expanded.

    Where an edition of a series is known by its day it stands instead of the month, or of that year's occurrence.
    """
    body, following = await published.occurrences(reader, parameters)
    return answer(request, body, headers=link(request, following))


@router.get("/feed.ics", summary="Subscribe to the calendar", response_class=Response, responses=ICS)
async def read_calendar_feed(
    request: Request, parameters: Annotated[schemas.Feed, Query()], caller: MaybeCaller, reader: Reader
) -> Response:
    """Everything that the filters leave, for calendar programs; with `from` and `to` what touches those days."""
    return answer(request, await published.feed(reader, parameters), media_type=CALENDAR)


@router.get("/policy", summary="Read the terms in force", response_model=CalendarPolicy)
async def read_calendar_policy(request: Request, caller: MaybeCaller) -> Response:
    """By when statements are due, and when their leads are reminded."""
    return answer(request, policy.in_force().model_dump_json().encode())


@router.get("/events", summary="List events", response_model=Page[schemas.Event], responses=responses("forbidden"))
async def list_events(
    request: Request,
    parameters: Annotated[schemas.EventList, Query()],
    caller: MaybeCaller,
    reader: Reader,
    session: Session,
) -> Response:
    """Published events, or with `view` the working records that the caller may see."""
    if parameters.view is None:
        body, following = await published.page(reader, parameters)
    elif caller is None:
        raise Problem("unauthorized", "A view needs a token.", headers={"www-authenticate": "Bearer"})
    else:
        body, following = await service.list_working(session, parameters, caller)
    return answer(request, body, headers=link(request, following))


@router.post(
    "/events",
    summary="Suggest an event",
    status_code=201,
    response_model=schemas.Event,
    responses=responses("forbidden", "incomplete"),
)
async def create_event(request: Request, draft: schemas.NewEvent, caller: SignedIn, session: Session) -> Response:
    """Anyone signed in suggests; the secretariat may `publish` at once. Events much like it are pointed out."""
    event = await service.create(session, draft, caller)
    body = await service.working(session, event, caller)
    headers = {"location": f"/v1/calendar/events/{event.id}"}
    return answer(request, body, tag=event.tag, status=201, headers=headers)


@router.get(
    "/events/{event_id}.ics",
    summary="Read an event as a calendar file",
    response_class=Response,
    responses={**ICS, **responses("not-found")},
)
async def read_event_ics(request: Request, event_id: UUID, caller: MaybeCaller, reader: Reader) -> Response:
    """The published event alone, to be saved or subscribed to."""
    body = await published.single(reader, event_id)
    if body is None:
        raise records.hidden(Event.noun, 0)
    headers = {"content-disposition": f'attachment; filename="{event_id}.ics"'}
    return answer(request, body, media_type=CALENDAR, headers=headers)


@router.get(
    "/events/{event_id}",
    summary="Read an event",
    response_model=schemas.Event,
    responses={
        200: {"content": {JSON_LD: {"schema": {"type": "object"}}}, "description": "The event."},
        **responses("not-found"),
    },
)
async def read_event(
    request: Request, event_id: UUID, caller: MaybeCaller, reader: Reader, session: Session
) -> Response:
    """The working record for its suggester and staff, the current publication for everyone else.

    With `Accept: application/ld+json` the publication as a schema.org Event.
    """
    accept = {"vary": "Authorization, Accept"}
    wanted = request.headers.get("accept", "").lower()
    linked = JSON_LD in wanted and "application/json" not in wanted
    if caller is not None and not linked:
        event = await session.get(Event, event_id)
        if event is not None and service.sees_working(caller, event):
            return answer(request, await service.working(session, event, caller), tag=event.tag, headers=accept)
    body = await published.read(reader, event_id)
    if body is None:
        raise records.hidden(Event.noun, 0)
    if linked:
        public_url: str = request.app.state.settings.public_url
        return answer(request, jsonld(body, public_url), media_type=JSON_LD, headers=accept)
    return answer(request, body, headers=accept)


@router.patch(
    "/events/{event_id}",
    summary="Edit an event",
    response_model=schemas.Event,
    responses=responses("forbidden", "not-found", "conflict", "incomplete"),
)
async def edit_event(
    request: Request, event_id: UUID, changes: schemas.EventDraft, caller: SignedIn, session: Session
) -> Response:
    """Merge changes (RFC 7396); null removes a value.

    A suggestion is edited by its suggester and the secretariat; a published event by the secretariat, which
    publishes the next version at once. Its dates change by `reschedule`.
    """
    event = await service.find(session, event_id, caller, lock=True)
    require_match(request, event.tag)
    await service.patch(session, event, changes.model_dump(mode="json", exclude_unset=True), caller)
    return answer(request, await service.working(session, event, caller), tag=event.tag)


@router.post(
    "/events/{event_id}/actions/{action}",
    summary="Move an event through its life",
    response_model=schemas.Event,
    responses=responses("forbidden", "not-found", "conflict", "stale", "incomplete"),
)
async def act_on_event(
    request: Request,
    event_id: UUID,
    action: schemas.EventActionName,
    caller: SignedIn,
    session: Session,
    body: schemas.EventAction | None = None,
) -> Response:
    """One of the record's `actions`; answers the record as the caller now sees it."""
    event = await service.find(session, event_id, caller, lock=True)
    check_match(request, event.tag)
    await service.act(session, event, action, body or schemas.EventAction(), caller)
    return answer(request, await service.working(session, event, caller), tag=event.tag)


@router.get(
    "/events/{event_id}/history",
    summary="Read an event's history",
    response_model=Page[Step],
    responses=responses("forbidden", "not-found"),
)
async def read_event_history(
    request: Request, event_id: UUID, parameters: Annotated[Paging, Query()], caller: SignedIn, session: Session
) -> Response:
    """Every step since the event was suggested, the oldest first; for its suggester and staff."""
    event = await service.find(session, event_id, caller)
    return await history_page(request, session, event, parameters)


@router.get(
    "/events/{event_id}/versions",
    summary="List an event's publications",
    response_model=Page[Version],
    responses=responses("not-found"),
)
async def list_event_versions(
    request: Request, event_id: UUID, parameters: Annotated[Paging, Query()], caller: MaybeCaller, session: Session
) -> Response:
    """Each publication with its number and date, the oldest first."""
    event = await _readable(session, event_id, caller)
    return await versions_page(request, session, event, parameters)


@router.get(
    "/events/{event_id}/versions/{number}",
    summary="Read one publication of an event",
    response_model=schemas.EventVersion,
    responses=responses("not-found"),
)
async def read_event_version(
    request: Request, event_id: UUID, number: records.Number, caller: MaybeCaller, session: Session
) -> Response:
    """A publication as it was."""
    event = await _readable(session, event_id, caller)
    publication = await records.publication(session, event, number)
    return answer(request, service.version_of(event, publication))


async def _readable(session: Session, event_id: UUID, caller: MaybeCaller) -> Event:
    event = await records.find(session, Event, event_id)
    if not event.public and not service.sees_working(caller, event):
        raise records.hidden(Event.noun, event.version)
    return event
