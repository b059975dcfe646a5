"""Who sees what of a concept note: confidential until it is selected."""

from sqlalchemy import ColumnElement, and_, or_

from services.mptf import organisations
from services.mptf.lifecycle import COMMITTEE_SEES, coordinates
from services.mptf.models import ConceptNote
from shared.auth import Caller
from shared.lifecycle import owns

STAFF = ("fund_management_unit", "secretariat")


def is_staff(caller: Caller | None) -> bool:
    return caller is not None and caller.has(*STAFF)


def participates(caller: Caller, note: ConceptNote) -> bool:
    """Whether the caller's entity is one of the note's organisations."""
    return caller.entity is not None and organisations.slug_of_entity(caller.entity) in note.participants


def edits(caller: Caller, note: ConceptNote) -> bool:
    """The owner, the Resident Coordinators of its countries, and the staff who entered it for another."""
    return owns(caller, note) or coordinates(caller, note) or _entered(caller, note)


def _entered(caller: Caller, note: ConceptNote) -> bool:
    return is_staff(caller) and caller.sub == note.created_by


def judges(caller: Caller, note: ConceptNote) -> bool:
    """Staff from submission on, the committee from the day a note is found eligible."""
    staff = is_staff(caller) and note.status != "draft" and note.submitted_at is not None
    return staff or (caller.has("steering_committee") and note.status in COMMITTEE_SEES)


def sees_working(caller: Caller | None, note: ConceptNote) -> bool:
    return caller is not None and (edits(caller, note) or judges(caller, note) or participates(caller, note))


def mine(caller: Caller) -> ColumnElement[bool]:
    """Notes of the caller's entity, those it takes part in, and those of a Resident Coordinator's countries."""
    where: list[ColumnElement[bool]] = []
    if caller.entity:
        where.append(ConceptNote.owner == caller.entity)
        where.append(ConceptNote.participants.contains([organisations.slug_of_entity(caller.entity)]))
    if caller.has("resident_coordinator") and caller.countries:
        where.append(ConceptNote.countries.overlap(sorted(caller.countries)))
    return or_(*where) if where else ConceptNote.id.is_(None)


def judged(caller: Caller) -> ColumnElement[bool]:
    """As `judges`, for lists."""
    where: list[ColumnElement[bool]] = []
    if is_staff(caller):
        where.append(and_(ConceptNote.status != "draft", ConceptNote.submitted_at.is_not(None)))
        where.append(ConceptNote.created_by == caller.sub)
    if caller.has("steering_committee"):
        where.append(ConceptNote.status.in_(COMMITTEE_SEES))
    return or_(*where) if where else ConceptNote.id.is_(None)


def visible(caller: Caller | None) -> ColumnElement[bool]:
    """Every note that a caller sees in one form or another."""
    if caller is None:
        return ConceptNote.public.is_(True)
    return or_(ConceptNote.public.is_(True), mine(caller), judged(caller))
