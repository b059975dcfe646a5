"""Focal points: whom an entity has named to be reminded of its statements. For the secretariat alone."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from services.calendar.models import FocalPoint as Row
from shared.auth import Caller, with_role
from shared.conditional import answer, digest, require_match
from shared.database import Session
from shared.lists import Found, Page, Paging, body, decode, encode, link
from shared.operation import Operation
from shared.problems import Problem, responses
from shared.schemas import Email, Line, Model, Slug

router = APIRouter(prefix="/v1/calendar/focal-points", tags=["calendar"], route_class=Operation)

Secretariat = Annotated[Caller, with_role("secretariat")]
EntityPath = Annotated[Slug, Path(description="Slug of the entity.")]


class NewFocalPoint(Model):
    """Who is told, and where."""

    name: Line
    email: Email


class FocalPoint(NewFocalPoint):
    """The focal point of an entity."""

    entity: Slug


def _body(row: Row) -> bytes:
    return FocalPoint(entity=row.entity, name=row.name, email=row.email).model_dump_json().encode()


async def _find(session: Session, entity: str) -> Row:
    row = await session.get(Row, entity, with_for_update=True)
    if row is None:
        raise Problem("not-found", "This entity has named no focal point.")
    return row


@router.get("", summary="List focal points", response_model=Page[FocalPoint], responses=responses("forbidden"))
async def list_focal_points(
    request: Request, parameters: Annotated[Paging, Query()], caller: Secretariat, session: Session
) -> Response:
    """By entity."""
    position = decode(parameters, (str,))
    statement = select(Row).order_by(Row.entity).limit(parameters.limit + 1)
    if position:
        statement = statement.where(Row.entity > position[0])
    rows = (await session.scalars(statement)).all()
    shown = rows[: parameters.limit]
    following = encode(parameters, shown[-1].entity) if len(rows) > parameters.limit else None
    total = len((await session.scalars(select(Row.entity))).all()) if parameters.total else None
    items = [_body(row) for row in shown]
    return answer(request, body(items, Found(rows, following, total)), headers=link(request, following))


@router.get(
    "/{entity}",
    summary="Read a focal point",
    response_model=FocalPoint,
    responses=responses("forbidden", "not-found"),
)
async def read_focal_point(request: Request, entity: EntityPath, caller: Secretariat, session: Session) -> Response:
    """Who is reminded for an entity."""
    return answer(request, _body(await _find(session, entity)))


@router.put("/{entity}", summary="Name a focal point", response_model=FocalPoint, responses=responses("forbidden"))
async def name_focal_point(
    request: Request, entity: EntityPath, new: NewFocalPoint, caller: Secretariat, session: Session
) -> Response:
    """Who is reminded for an entity from now on, in place of whoever was."""
    row = await session.merge(Row(entity=entity, name=new.name, email=new.email))
    await session.flush()
    return answer(request, _body(row))


@router.delete(
    "/{entity}",
    summary="Remove a focal point",
    status_code=204,
    responses=responses("forbidden", "not-found"),
)
async def remove_focal_point(request: Request, entity: EntityPath, caller: Secretariat, session: Session) -> Response:
    """Nobody is reminded for the entity any more."""
    row = await _find(session, entity)
    require_match(request, digest(_body(row)))
    await session.delete(row)
    return Response(status_code=204)
