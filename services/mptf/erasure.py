"""The contact person of a note that came to nothing is forgotten after two years."""

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.mptf.models import ConceptNote, ConceptNoteHistory
from shared import clock, jobs

ENDED = ("withdrawn", "not_eligible", "not_selected", "cancelled")
# 24 months, and a day where one of the years has it.
KEPT = timedelta(days=731)


async def erase(session: AsyncSession, before: datetime) -> int:
    """Erase the contacts of notes that ended before this moment and were not taken up again; how many."""
    history = ConceptNoteHistory
    ended = (
        select(func.max(history.at))
        .where(history.record_id == ConceptNote.id, history.to_status == ConceptNote.status)
        .where(history.from_status != history.to_status)
        .correlate(ConceptNote)
        .scalar_subquery()
    )
    erased = await session.execute(
        update(ConceptNote)
        .where(ConceptNote.status.in_(ENDED), ConceptNote.content.has_key("contact"), ended < before)
        .values(content=ConceptNote.content.op("-")("contact"), revision=ConceptNote.revision + 1)
        .returning(ConceptNote.id)
        .execution_options(synchronize_session=False)
    )
    return len(erased.all())


async def erase_contacts(job: jobs.Job) -> None:
    """Every night."""
    async with job.database.sessions() as session:
        await erase(session, clock.now() - KEPT)
        await session.commit()
