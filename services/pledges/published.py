"""What is read of a pledge: the working record for its own people, the current publication for everyone."""

from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.pledges import schemas
from services.pledges.attachments import files
from services.pledges.completeness import gaps, smart, warnings
from services.pledges.lifecycle import PLEDGE
from services.pledges.models import (
    Attachment,
    Pledge,
    PledgePublication,
    ProgressReport,
    PublishedChange,
    PublishedPledge,
)
from shared import clock, records, search
from shared.auth import Caller
from shared.database import Database, Prepared
from shared.reference import regions_of


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


async def matched(session: AsyncSession, named: str | None) -> Pledge | None:
    """The public pledge that `matches` names by id or reference."""
    if not named:
        return None
    key: ColumnElement[bool] = Pledge.reference == named
    with suppress(ValueError):
        key = Pledge.id == UUID(named)
    statement = select(Pledge).where(key, Pledge.public).execution_options(populate_existing=True)
    return (await session.scalars(statement)).first()


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
