"""The two lists that every record has: its history and its publications."""

from uuid import UUID

from fastapi import Request
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from shared import records
from shared.conditional import answer
from shared.lists import Page, Paging, decode, encode, link
from shared.schemas import Step, Version


async def history_page(
    request: Request, session: AsyncSession, record: records.RecordMixin, parameters: Paging
) -> Response:
    """A page of a record's steps, the oldest first."""
    position = decode(parameters, (UUID,))
    steps = await records.history(session, record, position[0] if position else None, parameters.limit + 1)
    shown = [Step.model_validate(step, from_attributes=True, extra="ignore") for step in steps[: parameters.limit]]
    following = encode(parameters, shown[-1].id) if len(steps) > parameters.limit else None
    total = await _count(session, record.History, record, parameters)
    return _answer(request, Page[Step](items=shown, next=following, total=total))


async def versions_page(
    request: Request, session: AsyncSession, record: records.RecordMixin, parameters: Paging
) -> Response:
    """A page of a record's publications, the oldest first."""
    position = decode(parameters, (int,))
    found = await records.versions(session, record, position[0] if position else 0, parameters.limit + 1)
    shown = [
        Version(
            version=each.number,
            published_at=each.published_at,
            current=record.public and each.number == record.version,
        )
        for each in found[: parameters.limit]
    ]
    following = encode(parameters, shown[-1].version) if len(found) > parameters.limit else None
    total = await _count(session, record.Publication, record, parameters)
    return _answer(request, Page[Version](items=shown, next=following, total=total))


async def _count(
    session: AsyncSession,
    table: type[records.HistoryMixin | records.PublicationMixin],
    record: records.RecordMixin,
    parameters: Paging,
) -> int | None:
    if not parameters.total:
        return None
    return await session.scalar(select(func.count()).select_from(table).where(table.record_id == record.id))


def _answer(request: Request, page: Page[Step] | Page[Version]) -> Response:
    without = {"total"} if page.total is None else None
    return answer(request, page.model_dump_json(exclude=without).encode(), headers=link(request, page.next))
