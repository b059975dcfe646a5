"""Pages of what stands beside a note, whatever it is: endorsements, decisions, transfers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from services.mptf import schemas
from services.mptf.models import Decision
from shared import lists
from shared.conditional import answer
from shared.schemas import Model


async def page(
    request: Request,
    session: AsyncSession,
    table: Any,
    record_id: UUID,
    parameters: lists.Paging,
    shown: Callable[[Any], Model],
) -> Response:
    """A page of a note's rows in a table, the oldest first."""
    position = lists.decode(parameters, (UUID,))
    statement = select(table).where(table.record_id == record_id)
    after = statement.where(table.id > position[0]) if position else statement
    rows = (await session.scalars(after.order_by(table.id).limit(parameters.limit + 1))).all()
    rows, more = rows[: parameters.limit], len(rows) > parameters.limit
    following = lists.encode(parameters, rows[-1].id) if more else None
    total = await session.scalar(select(func.count()).select_from(statement.subquery())) if parameters.total else None
    found = lists.Found(rows, following, total)
    items = [shown(row).model_dump_json().encode() for row in rows]
    return answer(request, lists.body(items, found), headers=lists.link(request, following))


def decision(found: Decision) -> schemas.ConceptNoteDecision:
    """A decision as it is answered."""
    return schemas.ConceptNoteDecision.model_validate(
        {
            "id": found.id,
            "decision": found.decision,
            "meeting": found.meeting_id,
            "rationale": found.rationale,
            "reconsiders": found.reconsiders,
            "decided_at": found.decided_at,
        }
    )
