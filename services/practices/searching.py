"""Search over published practices: titles first, at a cost that does not grow with what there is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import Select, func, select, tuple_, union
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.expression import case, cast

from services.practices import schemas
from services.practices.dimensions import DIMENSIONS
from services.practices.markdown import MARK, UNMARK, marked
from services.practices.models import PublishedPractice, PublishedText, Word
from services.practices.texts import WORD, words_of
from shared import lists, search
from shared.filters import conditions

# Relevance is computed over so many matches in titles and so many in texts, the newest.
RANKED = 1000
# Characters of a text in which a passage is looked for.
READ = 20000
TITLE = f"StartSel={MARK}, StopSel={UNMARK}, HighlightAll=true"
PASSAGE = f'StartSel={MARK}, StopSel={UNMARK}, MaxFragments=2, MaxWords=30, MinWords=10, FragmentDelimiter=" … "'


async def page(
    reader: AsyncConnection, statement: Select[*tuple[Any, ...]], parameters: schemas.PracticeList
) -> tuple[lists.Found, str | None]:
    """A page of what `q` finds, and the words searched instead where nothing held those of `q`."""
    found = await _ranked(reader, statement, parameters, parameters.q or "")
    if found.rows:
        return found, None
    near = await corrected(reader, parameters.q or "")
    if near is None:
        return found, None
    found = await _ranked(reader, statement, parameters, near)
    return found, near if found.rows else None


async def _ranked(
    reader: AsyncConnection, statement: Select[*tuple[Any, ...]], parameters: schemas.PracticeList, words: str
) -> lists.Found:
    position = lists.decode(parameters, (int,))
    offset = position[0] if position else 0
    table = PublishedPractice
    where = conditions(table, DIMENSIONS, parameters.model_copy(update={"q": words}))
    newest = [
        select(table.id).where(*where, *more).order_by(table.id.desc()).limit(RANKED).subquery()
        for more in ([search.matches(table.title_search, words)], [])
    ]
    considered = union(*(select(each.c.id) for each in newest)).subquery()
    relevance = search.rank(table.search, words)
    listed = (
        statement.join(considered, considered.c.id == table.id)
        .order_by(search.matches(table.title_search, words).desc(), relevance.desc(), table.id.desc())
        .offset(offset)
        .limit(parameters.limit + 1)
    )
    rows = (await reader.execute(listed)).all()
    reached = offset + parameters.limit
    following = lists.encode(parameters, reached) if len(rows) > parameters.limit and reached < lists.DEEP else None
    total = None
    if parameters.total:
        total = (await reader.execute(select(func.count()).select_from(table).where(*where))).scalar_one()
    return lists.Found(rows[: min(parameters.limit, lists.DEEP - offset)], following, total)


async def corrected(reader: AsyncConnection, words: str) -> str | None:
    """The query with each unknown word replaced by the nearest one that a title or summary holds."""
    asked = words_of(words)[:10]
    known = set(await _column(reader, select(Word.word).where(Word.word.in_(asked))))
    nearest = {}
    for word in asked:
        if word not in known:
            alike = func.similarity(Word.word, word)
            statement = select(Word.word).where(Word.word.op("%")(word)).order_by(alike.desc(), Word.word).limit(1)
            nearest[word] = next(iter(await _column(reader, statement)), None)
    if not any(nearest.values()):
        return None

    def better(found: Any) -> str:
        said: str = found.group()
        folded = words_of(said)
        return (nearest.get(folded[0]) if folded else None) or said

    return WORD.sub(better, words)


async def _column(reader: AsyncConnection, statement: Select[str]) -> Sequence[str]:
    return (await reader.execute(statement)).scalars().all()


async def highlights(
    reader: AsyncConnection, wanted: Sequence[tuple[UUID, str]], words: str
) -> dict[tuple[UUID, str], bytes]:
    """Where the words stand in each text: safe HTML with `mark` around them."""
    table = PublishedText
    names = {"en": "gcm_english", "fr": "gcm_french", "es": "gcm_spanish"}
    configuration = cast(case(names, value=table.language, else_=search.WORD_FOR_WORD), REGCONFIG)
    query = search.query(words)
    statement = select(
        table.id,
        table.language,
        func.ts_headline(configuration, table.title, query, TITLE).label("title"),
        func.ts_headline(configuration, func.left(table.plain, READ), query, PASSAGE).label("passage"),
    ).where(tuple_(table.id, table.language).in_(wanted))
    return {
        (row.id, row.language): to_json(
            {"title": marked(row.title), "text": marked(row.passage) if MARK in row.passage else ""}
        )
        for row in await reader.execute(statement)
    }
