"""Every rule of a concept note and its SQL; functions over a session. Meetings, money and programmes stand beside."""

from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from services.mptf import endorsements, notices, policy, schemas
from services.mptf.completeness import gaps
from services.mptf.lifecycle import CONCEPT_NOTE, EDITABLE
from services.mptf.meetings import slots
from services.mptf.models import REFERENCES, ApprovedLine, ConceptNote, Decision
from services.mptf.programmes.projection import derive, refresh
from services.mptf.visibility import edits, is_staff, sees_working
from shared import clock, records
from shared.auth import Caller
from shared.database import Database
from shared.lifecycle import owns
from shared.problems import Fault, Problem, not_valid
from shared.schemas import Contact


async def find(session: AsyncSession, note_id: UUID, caller: Caller, *, lock: bool = False) -> ConceptNote:
    """The working record for one who sees it; 404 or 410 for who may not, 403 for who sees its publication."""
    note = await records.find(session, ConceptNote, note_id, lock=lock)
    if sees_working(caller, note):
        return note
    if note.public:
        raise Problem("forbidden", "This is for the note's owner, its Resident Coordinators, and staff.")
    raise records.hidden(ConceptNote.noun, note.version)


async def find_to_edit(session: AsyncSession, note_id: UUID, caller: Caller) -> ConceptNote:
    """The working record, held, for its owner and the Resident Coordinators of its countries; else 403."""
    note = await find(session, note_id, caller, lock=True)
    if not edits(caller, note):
        raise Problem("forbidden", "This is for the note's owner and the Resident Coordinators of its countries.")
    return note


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Content after a patch, as the draft model writes it; 422 with pointers where it does not hold."""
    try:
        return schemas.content_of(schemas.ConceptNoteDraft.model_validate(content))
    except ValidationError as error:
        raise not_valid("concept note", error) from None


async def create(session: AsyncSession, draft: schemas.NewConceptNote, caller: Caller) -> ConceptNote:
    """A draft of the caller's entity, or for staff of the one they name."""
    if (draft.owner not in (None, caller.entity) or draft.received) and not is_staff(caller):
        raise Problem("forbidden", "Only the secretariat and the Fund Management Unit enter notes for another entity.")
    owner = draft.owner or caller.entity
    if owner is None:
        raise Problem("forbidden", "Your token names no entity for which a note could be drafted.")
    note = ConceptNote(
        id=uuid7(),
        reference=await records.new_reference(session, "MPTF", REFERENCES),
        status="draft",
        owner=owner,
        created_by=caller.sub,
        content=schemas.content_of(draft),
    )
    derive(note, note.content)
    session.add(note)
    await session.flush()
    details = {"received": draft.received} if draft.received else {}
    session.add(records.note(note, caller, "create", left=None, details=details))
    await session.flush()
    return note


async def patch(session: AsyncSession, note: ConceptNote, changes: dict[str, Any], caller: Caller) -> None:
    """Merge changes into the content (RFC 7396); endorsements of what was otherwise lapse."""
    if note.status not in EDITABLE:
        raise Problem("conflict", f"A note is edited in {', '.join(sorted(EDITABLE))}; this one is {note.status}.")
    before, content = note.content, checked(records.merge(note.content, changes))
    if content == before:
        return
    note.content = content
    derive(note, content)
    note.touch()
    details: dict[str, Any] = {"fields": sorted(changes)}
    if lapsed := await endorsements.lapse(session, note, before):
        details["endorsements_lapsed"] = lapsed
    if lapsed or not owns(caller, note):
        session.add(records.note(note, caller, "edit", left=note.status, details=details))
    await session.flush()


async def discard_draft(session: AsyncSession, note: ConceptNote) -> None:
    """Delete a draft that was never submitted; nothing else is ever deleted."""
    if note.status != "draft" or note.submitted_at is not None:
        raise Problem("conflict", "Only a draft that was never submitted can be deleted; withdraw it instead.")
    await session.delete(note)
    await session.flush()


# ---------------------------------------------------------------- moves

# What each decision of the committee leaves behind in the record of decisions.
DECISIONS = frozenset({"select", "not_select", "defer", "reconsider", "approve", "cancel"})
AT_A_MEETING = frozenset({"select", "not_select", "defer"})
# With these a note leaves the agenda it may be on.
OFF_AGENDA = frozenset({"recall", "return", "find_ineligible", "withdraw", "reopen"})


async def act(
    session: AsyncSession, note: ConceptNote, action: str, body: schemas.ConceptNoteAction, caller: Caller
) -> None:
    """Carry out one row of the lifecycle and what follows from it. The caller of this holds the slots' lock."""
    CONCEPT_NOTE.find(note, action, caller, body.comment)
    details: dict[str, Any] = {}
    if body.keep_date and action != "screen":
        raise _invalid("/keep_date", "The earlier date is kept with `screen`.")
    if body.decision and action != "reconsider":
        raise _invalid("/decision", "A decision is named with `reconsider`.")
    match action:
        case "submit":
            details = await _submit(session, note, caller)
        case "screen" if body.keep_date:
            details = _keep_date(note)
        case "find_eligible" | "find_ineligible":
            _require_assessment(note)
    if action in DECISIONS:
        details = await _decide(session, note, action, body, caller)
    records.move(session, CONCEPT_NOTE, note, action, caller, body.comment, details)
    if action in OFF_AGENDA and note.meeting_id is not None:
        slots.place(session, note, None, caller, f"{action} takes the note off the agenda")
    match action:
        case "select":
            records.publish(session, note)
        case "approve":
            records.publish(session, note)
            await open_lines(session, note)
        case "defer":
            note.deferred_after = note.meeting_on
        case "reconsider":
            note.public = False
    await session.flush()
    await slots.reslot(session, caller, f"{action} of this note")
    await notices.acted(session, note, action, body.comment)
    await refresh(session, note)
    await session.flush()


async def _submit(session: AsyncSession, note: ConceptNote, caller: Caller) -> dict[str, Any]:
    """Check that the note is complete and endorsed; from today on the six weeks count."""
    found = gaps(note.content, policy.in_force())
    found += await endorsements.gaps(session, note, caller)
    if found:
        raise Problem("incomplete", f"{len(found)} thing(s) are missing before this can be submitted.", found)
    spoken_for = sorted(caller.countries & set(note.countries)) if caller.has("resident_coordinator") else []
    await endorsements.by_submission(session, note, spoken_for, caller)
    note.submitted_for = spoken_for
    note.counted_before, note.counted_from = note.counted_from, clock.today()
    note.submitted_at = clock.now()
    note.assessment = None
    return {"counted_from": note.counted_from.isoformat(), "countries": spoken_for}


def _keep_date(note: ConceptNote) -> dict[str, Any]:
    if note.counted_before is None:
        raise Problem("conflict", "The note was submitted once: there is no earlier date to keep.")
    left = note.counted_from
    note.counted_from, note.counted_before = note.counted_before, None
    return {"counted_from": note.counted_from.isoformat(), "instead_of": left.isoformat() if left else None}


def _require_assessment(note: ConceptNote) -> None:
    assessed = (note.assessment or {}).get("criteria", {})
    missing = [code for code in policy.in_force(note.counted_from).codes if code not in assessed]
    if missing:
        found = [Fault(pointer=f"/assessment/criteria/{code}", detail="Not assessed yet.") for code in missing]
        raise Problem("incomplete", f"{len(missing)} criteria are not assessed yet.", found)


async def _decide(
    session: AsyncSession, note: ConceptNote, action: str, body: schemas.ConceptNoteAction, caller: Caller
) -> dict[str, Any]:
    """Write the decision down; it stands beside the history, final but for `reconsider`."""
    last = (
        await session.scalars(
            select(Decision)
            .where(Decision.record_id == note.id, Decision.decision.in_(("select", "not_select")))
            .order_by(Decision.id.desc())
            .limit(1)
        )
    ).first()
    if body.decision and (last is None or last.id != body.decision):
        raise _invalid("/decision", "This is not the decision that stands.")
    if action == "reconsider" and last is None:
        raise Problem("conflict", "No decision on this note is on record here.")
    made = Decision(
        id=uuid7(),
        record_id=note.id,
        meeting_id=note.meeting_id if action in AT_A_MEETING else None,
        decision=action,
        rationale=body.comment,
        reconsiders=last.id if action == "reconsider" and last else None,
        sub=caller.sub,
        actor=caller.name or caller.sub,
    )
    session.add(made)
    details: dict[str, Any] = {"decision": str(made.id)}
    if made.meeting_id:
        details["meeting"] = slots.slot(note)
    if made.reconsiders:
        details["reconsiders"] = str(made.reconsiders)
    return details


async def open_lines(session: AsyncSession, note: ConceptNote) -> None:
    """Open a line for each organisation of the approved budget, against which transfers are recorded."""
    for organisation, amount in zip(note.organisations, note.amounts, strict=True):
        if amount is not None:
            session.add(ApprovedLine(record_id=note.id, organisation=organisation, approved=amount))


def _invalid(pointer: str, detail: str) -> Problem:
    return Problem("invalid", detail, [Fault(pointer=pointer, detail=detail)])


# ---------------------------------------------------------------- beside the record


async def assess(session: AsyncSession, note: ConceptNote, new: schemas.NewAssessment, caller: Caller) -> None:
    """Replace the assessment of a note in screening."""
    if not caller.has("fund_management_unit"):
        raise Problem("forbidden", "The Fund Management Unit assesses.")
    if note.status != "screening":
        raise Problem("conflict", f"A note is assessed in screening; this one is {note.status}.")
    rules = policy.in_force(note.counted_from)
    found = [
        Fault(pointer=f"/criteria/{code}", detail="The policy has no such criterion.")
        for code in new.criteria
        if code not in rules.codes
    ]
    found += [
        Fault(pointer=f"/criteria/{code}/comment", detail="Say why it is not met.")
        for code, each in new.criteria.items()
        if not each.met and not each.comment
    ]
    if found:
        raise Problem("invalid", "The assessment does not hold.", found)
    note.assessment = {
        "policy": rules.holds_from.isoformat(),
        "criteria": new.model_dump(mode="json", exclude_none=True)["criteria"],
        "assessed_at": clock.now().isoformat(),
    }
    note.touch()
    details = {
        "met": sorted(code for code, each in new.criteria.items() if each.met),
        "not_met": sorted(code for code, each in new.criteria.items() if not each.met),
    }
    session.add(records.note(note, caller, "assess", left=note.status, details=details))
    await session.flush()


def assessment(note: ConceptNote, caller: Caller) -> schemas.Assessment:
    """The assessment: for those who judge, and once the screening has ended for those whose note it is."""
    judging = is_staff(caller) or caller.has("steering_committee")
    if note.assessment is None or (note.status in ("submitted", "screening") and not judging):
        raise Problem("not-found", "There is no assessment to read yet.")
    criteria = note.assessment["criteria"]
    return schemas.Assessment.model_validate(
        {**note.assessment, "missing": [c for c in policy.in_force(note.counted_from).codes if c not in criteria]}
    )


async def change_contact(session: AsyncSession, note: ConceptNote, contact: Contact, caller: Caller) -> None:
    """Replace the contact person; the history says that it happened, not who it was or is."""
    if not (edits(caller, note) or is_staff(caller)):
        raise Problem("forbidden", "The contact person is changed by the note's owner and by staff.")
    note.content = {**note.content, "contact": contact.model_dump(mode="json", exclude_none=True)}
    note.touch()
    session.add(records.note(note, caller, "change_contact", left=note.status))
    await session.flush()


async def refuse_samples(database: Database) -> None:
    """Outside development nobody is to take a demonstration record for a real one."""
    async with database.reader.connect() as reader:
        statement = select(ConceptNote.reference).where(ConceptNote.sample).limit(1)
        if found := (await reader.execute(statement)).scalar_one_or_none():
            raise RuntimeError(f"{found} is a demonstration record: this database is not for production")
