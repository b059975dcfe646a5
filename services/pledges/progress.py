"""Progress of a published pledge, as its owner reports it."""

from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from starlette.responses import Response

from services.pledges import schemas
from services.pledges.models import (
    Pledge,
    ProgressReport,
)
from services.pledges.published import refresh
from shared import clock, lists
from shared.auth import Caller
from shared.conditional import answer
from shared.lifecycle import owns
from shared.problems import Fault, Problem


async def report(session: AsyncSession, pledge: Pledge, new: schemas.NewProgress, caller: Caller) -> ProgressReport:
    """Record the owner's report on a pledge that the public reads."""
    if not owns(caller, pledge):
        raise Problem("forbidden", "Progress is reported by the pledge's owner.")
    if not pledge.public:
        raise Problem("conflict", "Progress is reported while a publication stands.")
    if new.corrects is not None:
        corrected = await session.get(ProgressReport, new.corrects)
        if corrected is None or corrected.record_id != pledge.id:
            fault = Fault(pointer="/corrects", detail="No report of this pledge has this id.")
            raise Problem("invalid", "The report to correct is not there.", [fault])
    made = ProgressReport(
        record_id=pledge.id,
        created_by=caller.sub,
        implementation_status=new.implementation_status,
        reported_on=new.reported_on or clock.today().isoformat(),
        content=new.model_dump(mode="json", include={"narrative", "indicator_values"}),
        corrects=new.corrects,
    )
    session.add(made)
    await session.flush()
    pledge.touch()
    await refresh(session, pledge)
    await session.flush()
    return made


async def progress_page(request: Request, session: AsyncSession, pledge: Pledge, parameters: lists.Paging) -> Response:
    """A page of a pledge's reports, the newest first, each with the one that corrects it."""
    correction = aliased(ProgressReport)
    table = ProgressReport
    position = lists.decode(parameters, (UUID,))
    statement = (
        select(table, correction.id)
        .outerjoin(correction, correction.corrects == table.id)
        .where(table.record_id == pledge.id)
    )
    page = statement.where(table.id < position[0]) if position else statement
    rows = (await session.execute(page.order_by(table.id.desc()).limit(parameters.limit + 1))).all()
    shown = [schemas.Progress.model_validate(progress(row[0], row[1])) for row in rows[: parameters.limit]]
    following = lists.encode(parameters, shown[-1].id) if len(rows) > parameters.limit else None
    total = await session.scalar(select(func.count()).select_from(statement.subquery())) if parameters.total else None
    found = lists.Found(rows, following, total)
    body = lists.body([report.model_dump_json().encode() for report in shown], found)
    return answer(request, body, headers=lists.link(request, following))


def progress(report: ProgressReport, corrected_by: UUID | None = None) -> dict[str, Any]:
    return {
        "id": report.id,
        "created_at": report.created_at,
        "implementation_status": report.implementation_status,
        "reported_on": report.reported_on,
        "corrects": report.corrects,
        **report.content,
        "self_reported": True,
        "corrected_by": corrected_by,
    }
