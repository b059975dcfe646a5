"""Every rule of a practice's working record; functions over a session."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from uuid_utils.compat import uuid7

from services.practices import markdown, notices, rounds, schemas
from services.practices.completeness import gaps, warnings
from services.practices.dimensions import DIMENSIONS
from services.practices.lifecycle import EDITABLE, OPEN, PRACTICE
from services.practices.models import REFERENCES, Assignment, Call, Practice, PracticePublication
from services.practices.published import refresh, render
from services.practices.texts import derive, in_language
from shared import clock, lists, records
from shared.auth import Caller
from shared.database import Database
from shared.filters import conditions
from shared.lifecycle import owns
from shared.problems import Fault, Problem, not_valid
from shared.schemas import Contact


def is_staff(caller: Caller | None) -> bool:
    return caller is not None and caller.has("secretariat")


def staff_only(caller: Caller) -> None:
    if not is_staff(caller):
        raise Problem("forbidden", "This is for the secretariat.")


def sees_working(caller: Caller | None, practice: Practice) -> bool:
    return is_staff(caller) or owns(caller, practice)


# ---------------------------------------------------------------- reading


async def working(
    session: AsyncSession, practice: Practice, caller: Caller, *, html: bool = True, loaded: bool = False
) -> bytes:
    """The working record, as `caller` (its owner or staff) sees it: as it was written, in no other language."""
    if not loaded:
        await rounds.load(session, [practice])
    content = practice.content
    shown = render(
        practice,
        content,
        practice.language,
        None,
        {
            "status": practice.status,
            "actions": PRACTICE.actions(practice, caller),
            "updated_at": practice.updated_at,
            "regions": practice.regions,
            "peer_reviewed": _reviewed(practice),
            "owner": practice.owner,
            "complete": not gaps(content),
            "editorial": practice.editorial,
            "warnings": warnings(content),
            "review": _round(practice) if practice.round and is_staff(caller) else None,
            "html": markdown.fields(in_language(content, practice.language)[0]) if html else None,
        },
    )
    absent = {"match"} | (set() if html else {"html"}) | (set() if is_staff(caller) else {"review"})
    return shown.model_dump_json(exclude=absent).encode()


def _round(practice: Practice) -> dict[str, Any]:
    panel = practice.panel
    lacks = panel.lacks_quorum() if practice.status == "submitted" else panel.forbids(panel.outcome or "accept")
    return {"round": practice.round, "state": panel.state, "outcome": panel.outcome, "lacks": lacks}


def _reviewed(practice: Practice) -> bool | None:
    """Whether this text was reviewed: what is being worked on was not, whatever stands published."""
    if practice.status == "published":
        return practice.peer_reviewed
    return None if practice.source and practice.round == 0 else False


def for_review(practice: Practice) -> bytes:
    """The working record as its reviewers read it: nobody's name or address, nothing to do here but judge."""
    content = {name: value for name, value in practice.content.items() if name != "contact"}
    shown = render(
        practice,
        content,
        practice.language,
        None,
        {
            "status": practice.status,
            "actions": [],
            "updated_at": practice.updated_at,
            "regions": practice.regions,
            "peer_reviewed": False,
            "html": markdown.fields(in_language(content, practice.language)[0]),
        },
    )
    return shown.model_dump_json(exclude={"contact", "owner", "editorial", "warnings", "review", "match"}).encode()


async def hidden(reader: AsyncConnection, practice_id: UUID) -> Problem:
    """Why the public reads nothing here: 410 or 404."""
    version = (await reader.execute(select(Practice.version).where(Practice.id == practice_id))).scalar_one_or_none()
    return records.hidden(Practice.noun, version or 0)


async def find(session: AsyncSession, practice_id: UUID, caller: Caller, *, lock: bool = False) -> Practice:
    """The working record for one of its own; 404 or 410 for who may not see it, 403 for who sees something of it."""
    practice = await records.find(session, Practice, practice_id, lock=lock)
    if sees_working(caller, practice):
        return practice
    if practice.public or await rounds.place_of(session, practice, caller):
        raise Problem("forbidden", "This is for the practice's owner and the secretariat.")
    raise records.hidden(Practice.noun, practice.version)


WORKING_SORTS = {"updated_at": lists.Sort(Practice.updated_at), "title": lists.Sort(Practice.title, str)}


async def list_working(
    session: AsyncSession, parameters: schemas.PracticeList, caller: Caller
) -> tuple[bytes, str | None]:
    """A page of working records: those of the caller's entity, or for staff all."""
    where = conditions(Practice, DIMENSIONS, parameters)
    if parameters.view == "mine":
        where.append(Practice.owner == caller.entity)
    elif not is_staff(caller):
        raise Problem("forbidden", "view=all is for the secretariat.")
    sort = parameters.sort or "-updated_at"
    if sort.removeprefix("-") not in WORKING_SORTS:
        fault = Fault(pointer="?sort", detail="A view is sorted by updated_at or title.")
        raise Problem("invalid", "A working record need not have been published.", [fault])
    found = await lists.page(
        session, select(Practice), Practice, where, parameters, sorts=WORKING_SORTS, sort=sort, words=parameters.q
    )
    practices = [row[0] for row in found.rows]
    await rounds.load(session, practices)
    shown = [await working(session, practice, caller, html=False, loaded=True) for practice in practices]
    return lists.body(shown, found), found.next


def version_of(practice: Practice, publication: PracticePublication) -> bytes:
    return to_json(
        schemas.PracticeVersion.model_validate(
            {
                **publication.content,
                "id": practice.id,
                "reference": practice.reference,
                "version": publication.number,
                "published_at": publication.published_at,
                "current": practice.public and publication.number == practice.version,
                "peer_reviewed": publication.peer_reviewed,
            }
        )
    )


# ---------------------------------------------------------------- writing


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Content after a patch, as the draft model writes it; 422 with pointers where it does not hold."""
    try:
        return schemas.content_of(schemas.PracticeDraft.model_validate(content))
    except ValidationError as error:
        raise not_valid("practice", error) from None


async def create(session: AsyncSession, draft: schemas.NewPractice, caller: Caller) -> Practice:
    owner = records.owner_for(caller, draft.owner, "submit a practice")
    if draft.received and not is_staff(caller):
        raise Problem("forbidden", "`received` is the secretariat's note on how a practice reached it.")
    practice = await enter(session, schemas.content_of(draft), owner, caller)
    practice.editorial = bool(draft.editorial)
    details = {"received": draft.received} if draft.received else {}
    session.add(records.note(practice, caller, "create", left=None, details=details))
    await session.flush()
    return practice


async def enter(session: AsyncSession, content: dict[str, Any], owner: str, caller: Caller, **columns: Any) -> Practice:
    """A new draft, without its first step in the history."""
    practice = Practice(
        id=uuid7(),
        reference=await records.new_reference(session, "PRA", REFERENCES),
        status="draft",
        owner=owner,
        created_by=caller.sub,
        content=content,
        **columns,
    )
    derive(practice, content)
    session.add(practice)
    await session.flush()
    return practice


async def patch(session: AsyncSession, practice: Practice, changes: dict[str, Any], caller: Caller) -> None:
    """Merge changes into the content (RFC 7396)."""
    if practice.status not in EDITABLE:
        states = ", ".join(sorted(EDITABLE))
        raise Problem("conflict", f"A practice is edited in {states}; this one is {practice.status}.")
    editorial = bool(changes.pop("editorial", practice.editorial))
    content = checked(records.merge(practice.content, changes))
    if content == practice.content and editorial == practice.editorial:
        return
    practice.editorial = editorial
    _write(practice, content)
    practice.touch()
    if not owns(caller, practice):
        session.add(records.note(practice, caller, "edit", left=practice.status, details={"fields": sorted(changes)}))
    await session.flush()


def _write(practice: Practice, content: dict[str, Any]) -> None:
    practice.content = content
    derive(practice, content)


async def act(
    session: AsyncSession, practice: Practice, action: str, body: schemas.PracticeAction, caller: Caller
) -> None:
    """Carry out one row of the lifecycle and what follows from it."""
    await rounds.load(session, [practice])
    PRACTICE.find(practice, action, caller, body.comment)
    reviewed = practice.status == "in_review"
    seats = rounds.pending(await rounds.seated(session, practice)) if practice.status in OPEN else []
    details: dict[str, Any] = {}
    translations: list[str] = []
    match action:
        case "submit":
            await _require_complete(session, practice)
            practice.submitted_at = clock.now()
            practice.editorial = practice.editorial if body.editorial is None else body.editorial
            seats = await rounds.open_next(session, practice, caller)
        case "review":
            practice.review_started_at = clock.now()
        case "revise":
            practice.editorial = bool(body.editorial)
        case "transfer":
            if body.owner is None:
                raise Problem("invalid", "Name the new owner.", [Fault(pointer="/owner", detail="Field required")])
            details = {"from_owner": practice.owner, "owner": body.owner}
            practice.owner = body.owner
        case "publish":
            practice.complete = True
            translations = await _reviewed_translations(session, practice)
    records.move(session, PRACTICE, practice, action, caller, body.comment, details)
    match action:
        case "publish":
            publish(session, practice, reviewed or practice.peer_reviewed, translations)
        case "withdraw":
            practice.public = False
        case "discard" | "decline" if practice.public:
            published = await records.publication(session, practice, practice.version)
            kept = {name: practice.content[name] for name in ("contact",) if name in practice.content}
            _write(practice, {**published.content, **kept})
    if action in ("publish", "decline", "discard"):
        practice.decided_round = practice.round
        practice.editorial = False
    await session.flush()
    if action in ("publish", "withdraw"):
        await refresh(session, practice)
    await session.flush()
    await _tell(session, practice, action, seats, body.comment, caller)


async def _tell(
    session: AsyncSession,
    practice: Practice,
    action: str,
    seats: Sequence[Assignment],
    comment: str | None,
    caller: Caller,
) -> None:
    """Who hears of a step; `seats` are those who were waited for, or who are asked again."""
    match action:
        case "submit":
            await notices.owner(session, practice, "received")
            await notices.secretariat(session, practice, "submitted")
            await notices.reviewers(session, practice, seats, "assigned")
        case "review":
            await notices.reviewers(session, practice, seats, "opened", days=str(notices.REVIEW_DAYS))
        case "return" | "publish" | "decline" | "withdraw" | "recall":
            await notices.reviewers(session, practice, seats, "released")
            if action != "recall" and not owns(caller, practice):
                await notices.owner(session, practice, action, comment)


async def _reviewed_translations(session: AsyncSession, practice: Practice) -> list[str]:
    """Of the practice's translations those that were reviewed: in this round, or with the edition before."""
    if practice.status == "in_review":
        return rounds.reviewed_languages(await rounds.seated(session, practice), practice.content)
    before = await session.get(PracticePublication, {"record_id": practice.id, "number": practice.version})
    return before.reviewed_translations if before else []


def publish(session: AsyncSession, practice: Practice, peer_reviewed: bool | None, translations: Sequence[str]) -> None:
    """Write the publication with what is to be said of its review; the contact person is no part of it."""
    practice.peer_reviewed = peer_reviewed
    made = cast("PracticePublication", records.publish(session, practice))
    made.content = {name: value for name, value in practice.content.items() if name != "contact"}
    made.peer_reviewed = peer_reviewed
    made.reviewed_translations = list(translations)


async def _require_complete(session: AsyncSession, practice: Practice) -> None:
    found = gaps(practice.content)
    if practice.call is not None:
        call = await session.get(Call, practice.call)
        if call is None:
            found.append(Fault(pointer="/call", detail="There is no such call."))
        elif call.deadline < clock.today() and practice.submitted_at is None:
            found.append(Fault(pointer="/call", detail=f"This call closed on {call.deadline.isoformat()}."))
    if found:
        raise Problem("incomplete", f"{len(found)} thing(s) are missing before this can be submitted.", found)


async def delete_draft(session: AsyncSession, practice: Practice) -> None:
    """Delete a draft that was never submitted; nothing else is ever deleted."""
    if practice.status != "draft" or practice.submitted_at is not None:
        raise Problem("conflict", "Only a draft that was never submitted can be deleted; withdraw it instead.")
    await session.delete(practice)
    await session.flush()


async def change_contact(session: AsyncSession, practice: Practice, contact: Contact, caller: Caller) -> None:
    """Replace the contact person; the history says that it happened, not who it was or is."""
    practice.content = {**practice.content, "contact": contact.model_dump(mode="json", exclude_none=True)}
    practice.touch()
    session.add(records.note(practice, caller, "change_contact", left=practice.status))
    await session.flush()


async def refuse_samples(database: Database) -> None:
    """Outside development nobody is to take a demonstration record for a practice."""
    async with database.reader.connect() as reader:
        statement = select(Practice.reference).where(Practice.sample).limit(1)
        found = (await reader.execute(statement)).scalar_one_or_none()
    if found:
        raise RuntimeError(f"{found} is a demonstration record: this database is not for production")
