"""Search over published practices: titles first, at a cost that does not grow with what there is."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import CTE, ColumnElement, Select, Text, func, select, tuple_, union
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.expression import case, cast

from services.practices import schemas
from services.practices.dimensions import DIMENSIONS
from services.practices.markdown import MARK, UNMARK, marked
from services.practices.models import SHELF, PublishedPractice, PublishedText, Word
from services.practices.texts import WORD, words_of
from shared import lists, search
from shared.filters import conditions

# Relevance is computed over so many matches in titles and so many in texts, the newest.
RANKED = 500
# How many of the last shelves are asked, one step after the other, before all are.
SHELVES = (2, 16)
# Characters of a text in which a passage is looked for.
READ = 20000
TITLE = f"StartSel={MARK}, StopSel={UNMARK}, HighlightAll=true"
PASSAGE = f'StartSel={MARK}, StopSel={UNMARK}, MaxFragments=2, MaxWords=30, MinWords=10, FragmentDelimiter=" … "'

Statement = Select[*tuple[Any, ...]]


class Query(NamedTuple):
    """The words as one value, which the planner knows, and the newest shelf."""

    words: ColumnElement[Any]
    shelf: int

    @property
    def held(self) -> ColumnElement[bool]:
        """Whether a publication's text holds them."""
        found: ColumnElement[bool] = PublishedPractice.search.op("@@")(self.words)
        return found


async def page(
    reader: AsyncConnection, statement: Statement, parameters: schemas.PracticeList
) -> tuple[lists.Found, Query, str | None]:
    """A page of what `q` finds, the query, and the words searched instead where nothing held those of `q`."""
    words = parameters.q or ""
    query = await parsed(reader, words)
    found = await _ranked(reader, statement, parameters, query)
    near = None if found.rows else await corrected(reader, words)
    if near is None:
        return found, query, None
    query = await parsed(reader, near)
    found = await _ranked(reader, statement, parameters, query)
    return found, query, near if found.rows else None


async def parsed(reader: AsyncConnection, words: str) -> Query:
    last = select(func.max(PublishedPractice.ordinal)).scalar_subquery()
    said, ordinal = (await reader.execute(select(search.query(words).cast(Text), last))).one()
    return Query(cast(said, TSQUERY), (ordinal or 0) // SHELF)


async def _ranked(
    reader: AsyncConnection, statement: Statement, parameters: schemas.PracticeList, query: Query
) -> lists.Found:
    position = lists.decode(parameters, (int,))
    offset = position[0] if position else 0
    table = PublishedPractice
    where = conditions(table, DIMENSIONS, parameters.model_copy(update={"q": None}))
    titled, held = table.title_search.op("@@")(query.words), query.held
    newest = [*_newest("titled", where, titled, query.shelf), *_newest("held", where, held, query.shelf)]
    considered = union(*(select(each.c.id) for each in newest)).subquery()
    listed = (
        statement.join(considered, considered.c.id == table.id)
        .order_by(titled.desc(), func.ts_rank(table.head, query.words).desc(), table.ordinal.desc())
        .offset(offset)
        .limit(parameters.limit + 1)
    )
    rows = (await reader.execute(listed)).all()
    reached = offset + parameters.limit
    following = lists.encode(parameters, reached) if len(rows) > parameters.limit and reached < lists.DEEP else None
    total = None
    if parameters.total:
        total = (await reader.execute(select(func.count()).select_from(table).where(*where, held))).scalar_one()
    return lists.Found(rows[: min(parameters.limit, lists.DEEP - offset)], following, total)


def _newest(
    name: str, where: Sequence[ColumnElement[bool]], matches: ColumnElement[bool], newest_shelf: int
) -> list[CTE]:
    """The newest matches: of the last shelves, then of more of them and of all, as long as there are too few."""
    table = PublishedPractice
    steps: list[CTE] = []
    for shelves in (*SHELVES, None):
        asked = [*where, matches]
        if shelves is not None:
            asked.append(table.shelf.in_(range(newest_shelf, newest_shelf - shelves, -1)))
        asked += [select(func.count()).select_from(step).scalar_subquery() < RANKED for step in steps]
        # Sorted after they are found: the planner would else walk the newest rows and read each text for the words.
        every = select(table.id, table.ordinal).where(*asked).cte(f"every_{name}_{len(steps)}")
        every = every.prefix_with("MATERIALIZED")
        steps.append(select(every.c.id).order_by(every.c.ordinal.desc()).limit(RANKED).cte(f"{name}_{len(steps)}"))
    return steps


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


async def texts(
    reader: AsyncConnection, wanted: Sequence[tuple[UUID, str]], query: Query | None
) -> dict[tuple[UUID, str], Any]:
    """The rendered texts and, under a query, `title_marked` and `passage`: where its words stand."""
    table = PublishedText
    statement = select(table.id, table.language, table.languages, table.title, table.body)
    if query is not None:
        names = {"en": "gcm_english", "fr": "gcm_french", "es": "gcm_spanish"}
        configuration = cast(case(names, value=table.language, else_=search.WORD_FOR_WORD), REGCONFIG)
        statement = statement.add_columns(
            func.ts_headline(configuration, table.title, query.words, TITLE).label("title_marked"),
            func.ts_headline(configuration, func.left(table.plain, READ), query.words, PASSAGE).label("passage"),
        )
    found = await reader.execute(statement.where(tuple_(table.id, table.language).in_(wanted)))
    return {(row.id, row.language): row for row in found}


def match(row: Any) -> bytes:
    """Where the words stand, as safe HTML with `mark` around them."""
    passage = marked(row.passage) if MARK in row.passage else ""
    return to_json({"title": marked(row.title_marked), "text": passage})
