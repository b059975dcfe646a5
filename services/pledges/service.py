"""Every rule of a pledge and all its SQL; functions over a session."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Integer, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from uuid_utils.compat import uuid7

from services.pledges import schemas
from services.pledges.attachments import files
from services.pledges.completeness import gaps
from services.pledges.dimensions import DIMENSIONS
from services.pledges.index import Index
from services.pledges.lifecycle import EDITABLE, PLEDGE
from services.pledges.models import (
    REFERENCES,
    Pledge,
    PublishedPledge,
)
from services.pledges.published import (
    derive,
    matched,
    public_body,
    refresh,
    working,
)
from shared import clock, lists, records
from shared.auth import Caller
from shared.database import Database
from shared.filters import conditions
from shared.lifecycle import owns
from shared.problems import Fault, Problem, not_valid
from shared.schemas import Contact


def is_staff(caller: Caller | None) -> bool:
    return caller is not None and caller.has("secretariat")


def sees_working(caller: Caller | None, pledge: Pledge) -> bool:
    return is_staff(caller) or owns(caller, pledge)


async def find(session: AsyncSession, pledge_id: UUID, caller: Caller, *, lock: bool = False) -> Pledge:
    """The working record for one of its own; 404 or 410 for who may not see it, 403 for who sees its publication."""
    pledge = await records.find(session, Pledge, pledge_id, lock=lock)
    if sees_working(caller, pledge):
        return pledge
    if pledge.public:
        raise Problem("forbidden", "This is for the pledge's owner and the secretariat.")
    raise records.hidden(Pledge.noun, pledge.version)


SORTS = {
    "published_at": lists.Sort(PublishedPledge.published_at),
    "updated_at": lists.Sort(PublishedPledge.updated_at),
    "title": lists.Sort(PublishedPledge.title, str),
}
# More than a page holds: some may be withdrawn between the index and the table.
SPARE = 16
WORKING_SORTS = {"updated_at": lists.Sort(Pledge.updated_at), "title": lists.Sort(Pledge.title, str)}


async def list_public(
    reader: AsyncConnection, index: Index, parameters: schemas.PledgeList
) -> tuple[bytes, str | None]:
    """A page of current publications and the cursor of the next."""
    table = PublishedPledge
    sort = parameters.sort or "-published_at"
    where = conditions(table, DIMENSIONS, parameters)
    counted = None
    if parameters.q is None and sort.removeprefix("-") == "published_at":
        # What matches is known from the index: no sort of all that several filters leave.
        position = lists.decode(parameters, (datetime, UUID))
        since = position[0].astimezone(UTC).date() if position else None
        await index.follow()
        ordinals, counted = index.newest(
            parameters, parameters.limit + SPARE, descending=sort.startswith("-"), since=since
        )
        where = [table.ordinal == any_(literal(ordinals, ARRAY(Integer)))]
    found = await lists.page(
        reader,
        select(table.id, table.body, table.fresh_since),
        table,
        where,
        parameters,
        sorts=SORTS,
        sort=sort,
        words=parameters.q,
        order=table.ordinal,
        counted=counted,
    )
    return lists.body([public_body(row.body, row.fresh_since) for row in found.rows], found), found.next


async def list_working(
    session: AsyncSession, parameters: schemas.PledgeList, caller: Caller
) -> tuple[bytes, str | None]:
    """A page of working records: those of the caller's entity, or for staff all."""
    where = conditions(Pledge, DIMENSIONS, parameters)
    if parameters.view == "mine":
        where.append(Pledge.owner == caller.entity)
    elif not is_staff(caller):
        raise Problem("forbidden", "view=all is for the secretariat.")
    sort = parameters.sort or "-updated_at"
    if sort.removeprefix("-") not in WORKING_SORTS:
        fault = Fault(pointer="?sort", detail="A view is sorted by updated_at or title.")
        raise Problem("invalid", "A working record need not have been published.", [fault])
    found = await lists.page(
        session,
        select(Pledge),
        Pledge,
        where,
        parameters,
        sorts=WORKING_SORTS,
        sort=sort,
        words=parameters.q,
    )
    return lists.body([await working(session, row[0], caller) for row in found.rows], found), found.next


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Content after a patch, as the draft model writes it; 422 with pointers where it does not hold."""
    try:
        return schemas.content_of(schemas.PledgeDraft.model_validate(content))
    except ValidationError as error:
        raise not_valid("pledge", error) from None


async def create(session: AsyncSession, draft: schemas.NewPledge, caller: Caller) -> Pledge:
    """A draft of the caller's entity, or for the secretariat of the one it names."""
    owner = records.owner_for(caller, draft.owner, "pledge")
    if draft.received and not is_staff(caller):
        raise Problem("forbidden", "`received` is the secretariat's note on how a pledge reached it.")
    pledge = await enter(session, schemas.content_of(draft), owner, caller)
    details = {"received": draft.received} if draft.received else {}
    session.add(records.note(pledge, caller, "create", left=None, details=details))
    await session.flush()
    return pledge


async def enter(session: AsyncSession, content: dict[str, Any], owner: str, caller: Caller, **more: Any) -> Pledge:
    """A new working record with this content, in draft."""
    pledge = Pledge(
        id=uuid7(),
        reference=await records.new_reference(session, "PLG", REFERENCES),
        status="draft",
        owner=owner,
        created_by=caller.sub,
        content=content,
        **more,
    )
    derive(pledge, content)
    session.add(pledge)
    await session.flush()
    return pledge


async def patch(session: AsyncSession, pledge: Pledge, changes: dict[str, Any], caller: Caller) -> None:
    """Merge changes into the content (RFC 7396)."""
    if pledge.status not in EDITABLE:
        raise Problem("conflict", f"A pledge is edited in {', '.join(sorted(EDITABLE))}; this one is {pledge.status}.")
    content = checked(records.merge(pledge.content, changes))
    if content == pledge.content:
        return
    pledge.content = content
    derive(pledge, content)
    pledge.touch()
    if not owns(caller, pledge):
        session.add(records.note(pledge, caller, "edit", left=pledge.status, details={"fields": sorted(changes)}))
    await session.flush()


async def act(session: AsyncSession, pledge: Pledge, action: str, body: schemas.PledgeAction, caller: Caller) -> None:
    """Carry out one row of the lifecycle and what follows from it."""
    PLEDGE.find(pledge, action, caller, body.comment)
    details: dict[str, Any] = {}
    match action:
        case "submit":
            await _require_complete(session, pledge)
            pledge.submitted_at = clock.now()
        case "transfer":
            if body.owner is None:
                raise Problem("invalid", "Name the new owner.", [Fault(pointer="/owner", detail="Field required")])
            details = {"from_owner": pledge.owner, "owner": body.owner}
            pledge.owner = body.owner
        case "publish":
            await _require_complete(session, pledge)
            pledge.complete = True
    records.move(session, PLEDGE, pledge, action, caller, body.comment, details)
    match action:
        case "publish":
            records.publish(session, pledge)
            await files.publish(session, pledge)
        case "withdraw":
            pledge.public = False
        case "discard" | "decline" if pledge.public:
            published = await records.publication(session, pledge, pledge.version)
            pledge.content = records.restored(pledge, published)
            derive(pledge, pledge.content)
            await files.restore(session, pledge)
    await session.flush()
    if action in ("publish", "withdraw"):
        await refresh(session, pledge)
        await session.flush()
        # Read after refresh's lock: what another publishing transaction has just changed is seen.
        if answered := await matched(session, pledge.content.get("matches")):
            await refresh(session, answered)
    await session.flush()


async def _require_complete(session: AsyncSession, pledge: Pledge) -> None:
    found = gaps(pledge.content)
    named = pledge.content.get("matches")
    if pledge.content.get("approach") == "matching" and named:
        other = await matched(session, named)
        if other is None or other.id == pledge.id:
            found.append(Fault(pointer="/matches", detail="No published pledge has this id or reference."))
    if found:
        raise Problem("incomplete", f"{len(found)} thing(s) are missing before this can be submitted.", found)


async def discard_draft(session: AsyncSession, pledge: Pledge) -> None:
    """Delete a draft that was never submitted; nothing else is ever deleted."""
    if pledge.status != "draft" or pledge.submitted_at is not None:
        raise Problem("conflict", "Only a draft that was never submitted can be deleted; withdraw it instead.")
    await session.delete(pledge)
    await session.flush()


async def confirm(session: AsyncSession, pledge: Pledge, name: str, caller: Caller) -> dict[str, Any]:
    """Confirm a participant of a joint pledge, for their own entity or as the secretariat who vouches."""
    named = {each["name"]: each for content in await _contents(session, pledge) for each in content}
    own = {each["name"] for each in named.values() if caller.entity and each.get("entity") == caller.entity}
    if not (own or sees_working(caller, pledge) or pledge.public):
        raise records.hidden(Pledge.noun, pledge.version)
    if name not in own and not is_staff(caller):
        raise Problem("forbidden", "A participant is confirmed by their own entity or the secretariat.")
    if name not in named:
        raise Problem("invalid", "The pledge has no such participant.", [Fault(pointer="/name", detail="Not found")])
    if pledge.status in ("declined", "withdrawn"):
        raise Problem("conflict", f"The pledge is {pledge.status}.")
    if name not in pledge.confirmed:
        pledge.confirmed = [*pledge.confirmed, name]
        pledge.touch()
        session.add(records.note(pledge, caller, "confirm", left=pledge.status, details={"participant": name}))
        await session.flush()
        await refresh(session, pledge)
        await session.flush()
    return {
        "pledge_id": pledge.id,
        "reference": pledge.reference,
        "title": pledge.title,
        "name": name,
        "confirmed": True,
    }


async def _contents(session: AsyncSession, pledge: Pledge) -> list[list[dict[str, Any]]]:
    """Participants of the working record and of the current publication."""
    found = [pledge.content.get("participants", [])]
    if pledge.public:
        found.append((await records.publication(session, pledge, pledge.version)).content.get("participants", []))
    return found


async def change_contact(session: AsyncSession, pledge: Pledge, contact: Contact, caller: Caller) -> None:
    """Replace the contact person; the history says that it happened, not who it was or is."""
    pledge.content = {**pledge.content, "contact": contact.model_dump(mode="json", exclude_none=True)}
    pledge.touch()
    session.add(records.note(pledge, caller, "change_contact", left=pledge.status))
    await session.flush()


async def refuse_samples(database: Database) -> None:
    """Outside development nobody is to take a demonstration record for a commitment."""
    async with database.reader.connect() as reader:
        found = (await reader.execute(select(Pledge.reference).where(Pledge.sample).limit(1))).scalar_one_or_none()
    if found:
        raise RuntimeError(f"{found} is a demonstration record: this database is not for production")
