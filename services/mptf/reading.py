"""Lists and single reads of notes and programmes."""

from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.mptf import schemas
from services.mptf.completeness import budget_total
from services.mptf.lifecycle import PUBLIC
from services.mptf.models import ConceptNote, Programme
from services.mptf.organisations import canonical
from services.mptf.programmes.projection import OF_SOURCES, money, working_all
from services.mptf.visibility import is_staff, judged, mine
from shared import lists, records
from shared.auth import Caller
from shared.filters import Dimension, conditions
from shared.problems import Fault, Problem
from shared.reference import OBJECTIVE_NUMBERS, REGION_CODES, SDG_NUMBERS

DIMENSIONS = (
    Dimension("status", "status", values=PUBLIC),
    Dimension("thematic_area", "thematic_area", values=(1, 2, 3, 4, 5)),
    Dimension("objective", "objectives", many=True, values=tuple(sorted(OBJECTIVE_NUMBERS))),
    Dimension("region", "regions", many=True, values=tuple(REGION_CODES)),
    Dimension("country", "countries", many=True),
    Dimension("organisation", "organisations", many=True),
    Dimension("sdg", "sdgs", many=True, values=tuple(sorted(SDG_NUMBERS))),
    Dimension("scope", "scope", values=("country", "cross_border", "multi_country", "regional", "global")),
)
SORTS = {
    "published_at": lists.Sort(Programme.published_at),
    "updated_at": lists.Sort(Programme.updated_at),
    "title": lists.Sort(Programme.title, str),
}
WORKING_SORTS = {"updated_at": lists.Sort(ConceptNote.updated_at), "title": lists.Sort(ConceptNote.title, str)}


def known_as(filters: schemas.ProgrammeFilters) -> None:
    """Organisations by the name that lists know them by: `UNDESA` and `un-desa` are DESA."""
    filters.organisation = [canonical(name) for name in filters.organisation]


async def public(reader: AsyncConnection | AsyncSession, note_id: UUID) -> bytes | None:
    """The bytes that the public reads, or None where there are none."""
    found = await reader.execute(select(Programme.body).where(Programme.id == note_id))
    body: bytes | None = found.scalar_one_or_none()
    return body


async def hidden(reader: AsyncConnection, note_id: UUID) -> Problem:
    """Why the public reads nothing here: 410 or 404."""
    version = (await reader.execute(select(ConceptNote.version).where(ConceptNote.id == note_id))).scalar_one_or_none()
    return records.hidden(ConceptNote.noun, version or 0)


async def list_public(
    reader: AsyncConnection, parameters: schemas.ProgrammeList | schemas.ConceptNoteList
) -> tuple[bytes, str | None]:
    """A page of what everybody may read, and the cursor of the next."""
    known_as(parameters)
    found = await lists.page(
        reader,
        select(Programme.id, Programme.body),
        Programme,
        conditions(Programme, DIMENSIONS, parameters),
        parameters,
        sorts=SORTS,
        sort=parameters.sort or "-published_at",
        words=parameters.q,
    )
    return lists.body([row.body for row in found.rows], found), found.next


async def list_working(
    session: AsyncSession, parameters: schemas.ConceptNoteList, caller: Caller
) -> tuple[bytes, str | None]:
    """A page of working records: the caller's own, or all that their staff role sees."""
    known_as(parameters)
    where = conditions(ConceptNote, DIMENSIONS, parameters)
    if parameters.view == "mine":
        where.append(mine(caller))
    elif is_staff(caller) or caller.has("steering_committee"):
        where.append(judged(caller))
    else:
        raise Problem("forbidden", "view=all is for the Fund Management Unit, the committee and the secretariat.")
    sort = parameters.sort or "-updated_at"
    if sort.removeprefix("-") not in WORKING_SORTS:
        fault = Fault(pointer="?sort", detail="A view is sorted by updated_at or title.")
        raise Problem("invalid", "A working record need not have been published.", [fault])
    found = await lists.page(
        session,
        select(ConceptNote),
        ConceptNote,
        where,
        parameters,
        sorts=WORKING_SORTS,
        sort=sort,
        words=parameters.q,
    )
    return lists.body(await working_all(session, [row[0] for row in found.rows], caller), found), found.next


def version_of(note: ConceptNote, publication: records.PublicationMixin) -> bytes:
    """A publication as it was, without what was private in it."""
    content: dict[str, Any] = {
        name: value for name, value in publication.content.items() if name not in (*OF_SOURCES, "contact")
    }
    return to_json(
        schemas.ConceptNoteVersion.model_validate(
            {
                **content,
                "id": note.id,
                "reference": note.reference,
                "version": publication.number,
                "published_at": publication.published_at,
                "current": note.public and publication.number == note.version,
                "budget_total": money(budget_total(publication.content)),
            }
        )
    )
