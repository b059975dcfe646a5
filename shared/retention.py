"""What is forgotten by itself: the contact of a record that ended long ago, and answers kept for repeated requests."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select

from shared import clock, records
from shared.auth import Caller
from shared.idempotency import KEPT, IdempotencyMixin
from shared.jobs import Job, Task
from shared.records import RecordMixin

# Two years after a withdrawal or a decline nobody needs to reach the contact person any more.
CONTACT_KEPT = timedelta(days=731)
AT_ONCE = 200
NIGHTLY = "41 3 * * *"
SYSTEM = Caller(sub="system", name="Retention")


def forgetting(record: Any, ended: Sequence[str], kept: type[IdempotencyMixin]) -> Task:
    """The nightly task of a service: `ended` are the statuses in which a record came to its end."""

    async def forget(job: Job) -> None:
        while await _contacts(job, record, ended):
            pass
        async with job.database.sessions() as session:
            await session.execute(delete(kept).where(kept.created_at < func.now() - KEPT))
            await session.commit()

    return forget


async def _contacts(job: Job, record: type[RecordMixin], ended: Sequence[str]) -> int:
    """Erase some contacts whose time is over; how many. History says that it happened."""
    statement = (
        select(record)
        .where(
            record.status.in_(ended),
            record.updated_at < clock.now() - CONTACT_KEPT,
            record.content.has_key("contact"),
        )
        .order_by(record.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    async with job.database.sessions() as session:
        found = (await session.scalars(statement)).all()
        for each in found:
            each.content = {name: value for name, value in each.content.items() if name != "contact"}
            each.revision += 1
            session.add(records.note(each, SYSTEM, "erase_contact", left=each.status))
        await session.commit()
    return len(found)
