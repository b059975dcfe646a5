"""What the public reads: rows made anew from the current publication, one text for each of its languages."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from services.practices import markdown, schemas, searching
from services.practices.dimensions import DIMENSIONS, FACETS
from services.practices.models import Practice, PracticePublication, PublishedPractice, PublishedText, Word
from services.practices.texts import derive, in_language, languages_of, vocabulary
from shared import lists, records
from shared.filters import conditions, facet
from shared.languages import LANGUAGES, Language, preferred

PRIVATE = {"contact", "owner", "editorial", "warnings", "review", "html", "match"}


def render(
    practice: Practice,
    content: dict[str, Any],
    language: str | None,
    reviewed: Sequence[str] | None,
    beside: dict[str, Any],
) -> schemas.Practice:
    """A practice as it is answered in one of its languages; `reviewed` are its reviewed translations, if any were."""
    translations = content.get("translations", {})
    return schemas.Practice.model_validate(
        {
            **content,
            **in_language(content, language)[0],
            "text_language": language,
            "translations": {
                each: {**translations[each], "reviewed": None if reviewed is None else each in reviewed}
                if each in translations
                else None
                for each in LANGUAGES
            },
            "id": practice.id,
            "reference": practice.reference,
            "version": practice.version,
            "created_at": practice.created_at,
            "published_at": practice.published_at,
            "sample": practice.sample,
            "source": practice.source,
            "complete": practice.complete,
            "objectives": sorted({*content.get("primary_objectives", []), *content.get("secondary_objectives", [])}),
            **beside,
        }
    )


async def refresh(session: AsyncSession, practice: Practice) -> None:
    """Make the public's rows anew from the current publication."""
    await session.execute(delete(PublishedPractice).where(PublishedPractice.id == practice.id))
    if not practice.public:
        return
    publication = cast("PracticePublication", await records.publication(session, practice, practice.version))
    row, texts = rows(practice, publication)
    session.add(row)
    await session.flush()
    session.add_all(texts)
    if words := vocabulary(publication.content):
        await session.execute(upsert(Word).on_conflict_do_nothing(), [{"word": word} for word in words])
    await session.flush()


def rows(practice: Practice, publication: PracticePublication) -> tuple[PublishedPractice, list[PublishedText]]:
    """The public's rows of a publication."""
    content = publication.content
    row = PublishedPractice(
        id=practice.id,
        reference=practice.reference,
        published_at=practice.published_at or publication.published_at,
        updated_at=publication.published_at,
    )
    derive(row, content)
    return row, [_text(practice, publication, row, language) for language in languages_of(content)]


def _text(practice: Practice, publication: PracticePublication, row: PublishedPractice, language: str) -> PublishedText:
    content = publication.content
    texts, used = in_language(content, language)
    html = markdown.fields(texts)
    shown = render(
        practice,
        content,
        language,
        None if publication.peer_reviewed is None else publication.reviewed_translations,
        {
            "status": "published",
            "actions": [],
            "updated_at": row.updated_at,
            "regions": row.regions,
            "peer_reviewed": publication.peer_reviewed,
        },
    )
    return PublishedText(
        id=practice.id,
        language=language,
        languages=used,
        title=texts["title"] or "",
        body=shown.model_dump_json(exclude=PRIVATE).encode(),
        html=to_json(html),
        plain=markdown.plain(html),
    )


def pick(accept_language: str | None, own: str, available: Sequence[str]) -> Language:
    """Which of a practice's languages to answer in: what the caller prefers, else the original."""
    return preferred(accept_language, cast("tuple[Language, ...]", tuple(available)), cast("Language", own))


def extended(body: bytes, name: str, value: bytes) -> bytes:
    """The JSON object with one more member."""
    return body[:-1] + b',"' + name.encode() + b'":' + value + b"}"


async def read(reader: AsyncConnection, practice_id: UUID, accept_language: str | None) -> tuple[bytes, str] | None:
    """The current publication's bytes, and the languages they are in."""
    table = PublishedText
    statement = (
        select(table, PublishedPractice.language.label("own"))
        .join(PublishedPractice, PublishedPractice.id == table.id)
        .where(table.id == practice_id)
    )
    found = {row.language: row for row in await reader.execute(statement)}
    if not found:
        return None
    row = found[pick(accept_language, next(iter(found.values())).own, tuple(found))]
    return extended(row.body, "html", row.html), ", ".join(row.languages)


SORTS = {
    "published_at": lists.Sort(PublishedPractice.published_at),
    "updated_at": lists.Sort(PublishedPractice.updated_at),
    "title": lists.Sort(PublishedPractice.title, str),
}


async def listed(
    reader: AsyncConnection, parameters: schemas.PracticeList, accept_language: str | None
) -> tuple[bytes, str | None, str]:
    """A page of current publications, the cursor of the next, and the languages on it."""
    table = PublishedPractice
    statement = select(table.id, table.language, table.languages)
    near = query = None
    if parameters.q is None:
        where = conditions(table, DIMENSIONS, parameters)
        sort = parameters.sort or "-published_at"
        found = await lists.page(reader, statement, table, where, parameters, sorts=SORTS, sort=sort)
    else:
        found, query, near = await searching.page(reader, statement, parameters)
    wanted = [(row.id, pick(accept_language, row.language, row.languages)) for row in found.rows]
    texts = await searching.texts(reader, wanted, query)
    items = [texts[key].body for key in wanted]
    if query is not None:
        items = [extended(texts[key].body, "match", searching.match(texts[key])) for key in wanted]
    body = lists.body(items, found)
    if near:
        body = extended(body, "near", to_json(near))
    languages = sorted({language for key in wanted for language in texts[key].languages})
    return body, found.next, ", ".join(languages)


# Summaries of the publications as they stood, by filters: (their number and the sum of their ordinals, the answer).
Memory = OrderedDict[str, tuple[tuple[Any, ...], dict[str, Any]]]
KEPT = 256


async def summary(reader: AsyncConnection, filters: schemas.PracticeFilters, memory: Memory) -> dict[str, Any]:
    """Counts over the publications that the filters leave, from memory as long as nothing was published since.

    A publication's ordinal is higher than all before it: where as many stand with the same sum, they are the same.
    """
    ordinals = select(func.count(), func.coalesce(func.sum(PublishedPractice.ordinal), 0))
    state = tuple((await reader.execute(ordinals)).one())
    key = filters.model_dump_json()
    kept = memory.get(key)
    if kept is None or kept[0] != state:
        memory[key] = kept = (state, await _mended(reader, filters))
        if len(memory) > KEPT:
            memory.popitem(last=False)
    return kept[1]


async def _mended(reader: AsyncConnection, filters: schemas.PracticeFilters) -> dict[str, Any]:
    """The counts; misspelt words are mended as the list mends them."""
    if filters.q is None:
        return await _counts(reader, filters, [])
    rest = filters.model_copy(update={"q": None})
    counted = await _counts(reader, rest, [(await searching.parsed(reader, filters.q)).held])
    if counted["total"] == 0 and (near := await searching.corrected(reader, filters.q)):
        mended = await _counts(reader, rest, [(await searching.parsed(reader, near)).held])
        if mended["total"]:
            return {**mended, "near": near}
    return counted


async def _counts(
    reader: AsyncConnection, filters: schemas.PracticeFilters, held: list[ColumnElement[bool]]
) -> dict[str, Any]:
    table = PublishedPractice
    where = [*conditions(table, DIMENSIONS, filters), *held]
    return {
        "total": (await reader.execute(select(func.count()).select_from(table).where(*where))).scalar_one(),
        "near": None,
        **{
            f"by_{shown.name}": await facet(
                reader, table, shown, [*conditions(table, DIMENSIONS, filters, without=shown.name), *held]
            )
            for shown in FACETS
        },
    }


# How much it says about two practices that they share a value of a dimension.
WEIGHTS = {"objectives": 3, "principles": 1, "sdgs": 1, "countries": 3, "regions": 1}
CONSIDERED = 200


async def similar(
    reader: AsyncConnection, practice_id: UUID, accept_language: str | None, limit: int
) -> dict[str, Any] | None:
    """Published practices that have most in common with this one; None where the public reads none of this id."""
    table = PublishedPractice
    columns = (table.id, table.reference, table.language, table.languages, *(getattr(table, n) for n in WEIGHTS))
    this = (await reader.execute(select(*columns).where(table.id == practice_id))).first()
    if this is None:
        return None
    near = table.objectives.overlap(list(this.objectives)) | table.countries.overlap(list(this.countries))
    statement = select(*columns).where(near, table.id != practice_id).order_by(table.id.desc()).limit(CONSIDERED)
    scored = []
    for row in await reader.execute(statement):
        shared = {name: sorted(set(getattr(this, name)) & set(getattr(row, name))) for name in WEIGHTS}
        scored.append((sum(len(shared[name]) * weight for name, weight in WEIGHTS.items()), row, shared))
    best = sorted(scored, key=lambda each: (each[0], each[1].id), reverse=True)[:limit]
    wanted = [(row.id, pick(accept_language, row.language, row.languages)) for _, row, _ in best]
    texts = await searching.texts(reader, wanted, None)
    return {
        "items": [
            {"id": row.id, "reference": row.reference, "title": texts[key].title, "text_language": key[1], **shared}
            for (_, row, shared), key in zip(best, wanted, strict=True)
        ]
    }
