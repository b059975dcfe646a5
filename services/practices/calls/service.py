"""Calls for practices: kept by the secretariat, read by anyone."""

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.practices import markdown
from services.practices.calls import schemas
from services.practices.models import Call
from shared import clock, lists
from shared.auth import Caller
from shared.problems import Problem

SORTS = {"created_at": lists.Sort(Call.created_at)}


def shown(call: Any) -> bytes:
    text = call.content.get("text")
    made = schemas.PracticeCall.model_validate(
        {
            **call.content,
            "id": call.id,
            "deadline": call.deadline,
            "html": markdown.html(text) if text else None,
            "open": call.deadline >= clock.today(),
            "created_at": call.created_at,
            "sample": call.sample,
        }
    )
    return made.model_dump_json().encode()


async def listed(reader: AsyncConnection, parameters: schemas.PracticeCallList) -> tuple[bytes, str | None]:
    """A page of calls, the newest first."""
    where = []
    if parameters.open is not None:
        today = clock.today()
        where.append(Call.deadline >= today if parameters.open else Call.deadline < today)
    if parameters.objective:
        where.append(or_(*(Call.content["objectives"].contains([number]) for number in parameters.objective)))
    found = await lists.page(reader, select(Call), Call, where, parameters, sorts=SORTS, sort="-created_at")
    return lists.body([shown(row) for row in found.rows], found), found.next


async def find(session: AsyncSession, call_id: UUID, *, lock: bool = False) -> Call:
    found = await session.get(Call, call_id, with_for_update=lock or None)
    if found is None:
        raise Problem("not-found", "There is no such call.")
    return found


async def create(session: AsyncSession, new: schemas.NewPracticeCall, caller: Caller) -> Call:
    content = new.model_dump(mode="json", exclude={"deadline"})
    made = Call(deadline=new.deadline, content=content, created_by=caller.sub)
    session.add(made)
    await session.flush()
    return made


async def change(session: AsyncSession, call: Call, changes: schemas.PracticeCallChanges) -> None:
    if "deadline" in changes.model_fields_set:
        call.deadline = changes.deadline
    call.content = {**call.content, **changes.model_dump(mode="json", exclude_unset=True, exclude={"deadline"})}
    call.revision += 1
    await session.flush()
