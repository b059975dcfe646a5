"""Every rule of a pledge and all its SQL; functions over a session."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import aliased
from starlette.responses import Response
from uuid_utils.compat import uuid7

from services.pledges import schemas
from services.pledges.attachments import files
from services.pledges.completeness import gaps, smart, warnings
from services.pledges.dimensions import DIMENSIONS
from services.pledges.lifecycle import EDITABLE, PLEDGE
from services.pledges.models import (
    REFERENCES,
    Attachment,
    Pledge,
    PledgePublication,
    ProgressReport,
    PublishedChange,
    PublishedPledge,
)
from shared import clock, lists, records, search
from shared.auth import Caller
from shared.conditional import answer
from shared.database import Database, Prepared
from shared.filters import conditions
from shared.lifecycle import owns
from shared.problems import Fault, Problem, faults
from shared.reference import regions_of
from shared.schemas import Contact


def is_staff(caller: Caller | None) -> bool:
    return caller is not None and caller.has("secretariat")


def sees_working(caller: Caller | None, pledge: Pledge) -> bool:
    return is_staff(caller) or owns(caller, pledge)


# ---------------------------------------------------------------- what is derived from the content


def derive(target: Pledge | PublishedPledge, content: dict[str, Any]) -> None:
    """Set the columns that lists, facets and searches read."""
    classify(target, content)
    entity = content.get("entity", {})
    target.search = search.vector(
        target.language, target.title, content.get("description", ""), entity.get("name") or ""
    )


def classify(target: Pledge | PublishedPledge, content: dict[str, Any]) -> None:
    """As `derive`, but for the words: whoever writes many rows gives them to one statement."""
    entity = content.get("entity", {})
    countries = sorted({*content.get("countries", []), *filter(None, [entity.get("country")])})
    target.approach = content.get("approach")
    target.entity_type = entity.get("type")
    target.language = content.get("language")
    target.scope = content.get("scope")
    target.forms = content.get("forms", [])
    target.objectives = content.get("objectives", [])
    target.principles = content.get("principles", [])
    target.countries = countries
    target.regions = sorted({region for country in countries for region in regions_of(country)})
    target.title = content.get("title", "")


def render(pledge: Pledge, content: dict[str, Any], beside: dict[str, Any]) -> schemas.Pledge:
    """A pledge as it is answered: its content and what stands beside it."""
    return schemas.Pledge.model_validate(
        {
            **content,
            "participants": _participants(pledge, content),
            "id": pledge.id,
            "reference": pledge.reference,
            "version": pledge.version,
            "created_at": pledge.created_at,
            "published_at": pledge.published_at,
            "sample": pledge.sample,
            "source": pledge.source,
            "complete": pledge.complete,
            "attachment": None,
            **beside,
        }
    )


def _participants(pledge: Pledge, content: dict[str, Any]) -> list[dict[str, Any]]:
    named = content.get("participants", [])
    return [{**participant, "confirmed": participant["name"] in pledge.confirmed} for participant in named]


async def working(session: AsyncSession, pledge: Pledge, caller: Caller) -> bytes:
    """The working record, as `caller` (its owner or staff) sees it."""
    last = await last_report(session, pledge.id)
    since = _fresh_since(pledge, last)
    content = pledge.content
    shown = render(
        pledge,
        content,
        {
            "status": pledge.status,
            "actions": PLEDGE.actions(pledge, caller),
            "updated_at": pledge.updated_at,
            "regions": pledge.regions,
            "matched_by": await matched_by(session, pledge),
            "implementation_status": last.implementation_status if last else None,
            "last_reported_on": last.reported_on if last else None,
            "freshness": freshness(since) if pledge.public and since else None,
            "attachment": files.shown(await files.of(session, pledge.id)),
            "owner": pledge.owner,
            "complete": not gaps(content),
            "smart": smart(content),
            "warnings": warnings(content),
        },
    )
    return shown.model_dump_json().encode()


PRIVATE = {"contact", "owner", "smart", "warnings"}


async def refresh(session: AsyncSession, pledge: Pledge) -> None:
    """Make the public's row anew from the current publication and what stands beside it."""
    # One at a time until the commit: the log's numbers are then in the order of commits, and no row is
    # rendered from what another transaction is about to change.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("published_pledges"))))
    if not pledge.public:
        removed = delete(PublishedPledge).where(PublishedPledge.id == pledge.id).returning(PublishedPledge.ordinal)
        session.add_all([PublishedChange(ordinal=ordinal) for ordinal in await session.scalars(removed)])
        return
    publication = await records.publication(session, pledge, pledge.version)
    last = await last_report(session, pledge.id)
    pledge.implementation_status = last.implementation_status if last else None
    matching = await matched_by(session, pledge)
    attachment = await files.of(session, pledge.id, pledge.version)
    made = published_row(pledge, publication.content, publication.published_at, last, matching, attachment)
    derive(made, publication.content)
    row = await session.merge(made)
    await session.flush()
    session.add(PublishedChange(ordinal=row.ordinal))


def published_row(
    pledge: Pledge,
    content: dict[str, Any],
    published_at: datetime,
    last: ProgressReport | None,
    matching: list[dict[str, Any]],
    attachment: Attachment | None = None,
) -> PublishedPledge:
    """What the public reads, but for its words: the publication without what is private, and what stands beside it."""
    content = {name: value for name, value in content.items() if name not in pledge.private}
    content["participants"] = [p for p in content.get("participants", []) if p["name"] in pledge.confirmed]
    row = PublishedPledge(id=pledge.id, reference=pledge.reference, published_at=pledge.published_at or published_at)
    classify(row, content)
    row.updated_at = max(published_at, last.created_at) if last else published_at
    row.implementation_status = pledge.implementation_status
    row.fresh_since = _fresh_since(pledge, last)
    financial = content.get("financial", {})
    row.currency = financial.get("currency") if financial.get("amount") else None
    row.amount = Decimal(financial["amount"]) if row.currency else None
    shown = render(
        pledge,
        content,
        {
            "status": "published",
            "actions": [],
            "updated_at": row.updated_at,
            "regions": row.regions,
            "matched_by": matching,
            "attachment": files.shown(attachment) if attachment and attachment.public else None,
            "implementation_status": row.implementation_status,
            "last_reported_on": last.reported_on if last else None,
            "freshness": None,
        },
    )
    row.body = shown.model_dump_json(exclude={*PRIVATE, "freshness"}).encode()
    return row


def _fresh_since(pledge: Pledge, last: ProgressReport | None) -> datetime | None:
    if last is None:
        return pledge.published_at
    return last.created_at if last.implementation_status in ("planned", "in_progress") else None


def freshness(since: datetime) -> str:
    """Green under one year, yellow under two, red after, as the UN's partnerships platform counts."""
    days = (clock.now() - since).days
    return "green" if days < 365 else "yellow" if days < 730 else "red"


def public_body(body: bytes, fresh_since: datetime | None) -> bytes:
    """The stored bytes with today's freshness, the one thing in them that time alone changes."""
    value = b"null" if fresh_since is None else b'"' + freshness(fresh_since).encode() + b'"'
    return body[:-1] + b',"freshness":' + value + b"}"


async def last_report(session: AsyncSession, pledge_id: UUID) -> ProgressReport | None:
    """The latest report that no other puts right."""
    correction = select(ProgressReport.corrects).where(ProgressReport.corrects.is_not(None))
    statement = (
        select(ProgressReport)
        .where(ProgressReport.record_id == pledge_id, ProgressReport.id.not_in(correction))
        .order_by(ProgressReport.reported_on.desc(), ProgressReport.id.desc())
        .limit(1)
    )
    return (await session.scalars(statement)).first()


# ---------------------------------------------------------------- matching


async def matched_by(session: AsyncSession, pledge: Pledge) -> list[dict[str, Any]]:
    """Published pledges that match this one."""
    statement = (
        select(Pledge.id, Pledge.reference, PledgePublication.content["title"].astext)
        .join(
            PledgePublication, (PledgePublication.record_id == Pledge.id) & (PledgePublication.number == Pledge.version)
        )
        .where(Pledge.public, PledgePublication.content["matches"].astext.in_([pledge.reference, str(pledge.id)]))
        .order_by(Pledge.id)
        .limit(200)
    )
    rows = await session.execute(statement)
    return [{"id": row[0], "reference": row[1], "title": row[2]} for row in rows]


async def _matched(session: AsyncSession, named: str | None) -> Pledge | None:
    """The public pledge that `matches` names by id or reference."""
    if not named:
        return None
    key: ColumnElement[bool] = Pledge.reference == named
    with suppress(ValueError):
        key = Pledge.id == UUID(named)
    statement = select(Pledge).where(key, Pledge.public).execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


# ---------------------------------------------------------------- reading


_PUBLIC = Prepared(
    select(PublishedPledge.body, PublishedPledge.fresh_since).where(PublishedPledge.id == bindparam("pledge_id"))
)
_VERSION = Prepared(select(Pledge.version).where(Pledge.id == bindparam("pledge_id")))


async def public(database: Database, pledge_id: UUID) -> bytes:
    """The current publication's bytes; 410 or 404 where the public reads nothing."""
    row = await _PUBLIC.first(database, pledge_id=pledge_id)
    if row is None:
        version = await _VERSION.first(database, pledge_id=pledge_id)
        raise records.hidden(Pledge.noun, version[0] if version else 0)
    return public_body(*row)


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
WORKING_SORTS = {"updated_at": lists.Sort(Pledge.updated_at), "title": lists.Sort(Pledge.title, str)}


async def list_public(reader: AsyncConnection, parameters: schemas.PledgeList) -> tuple[bytes, str | None]:
    """A page of current publications and the cursor of the next."""
    table = PublishedPledge
    found = await lists.page(
        reader,
        select(table.id, table.body, table.fresh_since),
        table,
        conditions(table, DIMENSIONS, parameters),
        parameters,
        sorts=SORTS,
        sort=parameters.sort or "-published_at",
        words=parameters.q,
        order=table.ordinal,
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


# ---------------------------------------------------------------- writing


def checked(content: dict[str, Any]) -> dict[str, Any]:
    """Content after a patch, as the draft model writes it; 422 with pointers where it does not hold."""
    try:
        return schemas.content_of(schemas.PledgeDraft.model_validate(content))
    except ValidationError as error:
        raise Problem("invalid", "The pledge would not be valid.", faults(_in_body(error))) from None


def _in_body(error: ValidationError) -> list[dict[str, Any]]:
    return [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]


def owner_for(caller: Caller, wanted: str | None) -> str:
    """Whose a new record is: the caller's entity, or for the secretariat the one it names."""
    if wanted is not None and wanted != caller.entity and not is_staff(caller):
        raise Problem("forbidden", "Only the secretariat enters records for another entity.")
    owner = wanted or caller.entity
    if owner is None:
        raise Problem("forbidden", "Your token names no entity to pledge for.")
    return owner


async def create(session: AsyncSession, draft: schemas.NewPledge, caller: Caller) -> Pledge:
    """A draft of the caller's entity, or for the secretariat of the one it names."""
    owner = owner_for(caller, draft.owner)
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
        if matched := await _matched(session, pledge.content.get("matches")):
            await refresh(session, matched)
    await session.flush()


async def _require_complete(session: AsyncSession, pledge: Pledge) -> None:
    found = gaps(pledge.content)
    named = pledge.content.get("matches")
    if pledge.content.get("approach") == "matching" and named:
        matched = await _matched(session, named)
        if matched is None or matched.id == pledge.id:
            found.append(Fault(pointer="/matches", detail="No published pledge has this id or reference."))
    if found:
        raise Problem("incomplete", f"{len(found)} thing(s) are missing before this can be submitted.", found)


async def discard_draft(session: AsyncSession, pledge: Pledge) -> None:
    """Delete a draft that was never submitted; nothing else is ever deleted."""
    if pledge.status != "draft" or pledge.submitted_at is not None:
        raise Problem("conflict", "Only a draft that was never submitted can be deleted; withdraw it instead.")
    await session.delete(pledge)
    await session.flush()


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


def version_of(pledge: Pledge, publication: records.PublicationMixin) -> bytes:
    content = {name: value for name, value in publication.content.items() if name != "participants"}
    participants = [p for p in publication.content.get("participants", []) if p["name"] in pledge.confirmed]
    return to_json(
        schemas.PledgeVersion.model_validate(
            {
                **content,
                "participants": participants,
                "id": pledge.id,
                "reference": pledge.reference,
                "version": publication.number,
                "published_at": publication.published_at,
                "current": pledge.public and publication.number == pledge.version,
            }
        )
    )
