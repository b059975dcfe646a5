"""Full text in the language of each record, accents ignored; a query is tried in every language at once."""

from typing import Any

from sqlalchemy import ColumnElement, func, text
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.sql.expression import cast

# Primary language subtag -> stem dictionary of PostgreSQL. Other languages are found word for word.
STEMMERS = {
    "en": "english",
    "fr": "french",
    "es": "spanish",
    "ar": "arabic",
    "ru": "russian",
    "pt": "portuguese",
}
WORD_FOR_WORD = "gcm_simple"
CONFIGURATIONS = (*(f"gcm_{stemmer}" for stemmer in STEMMERS.values()), WORD_FOR_WORD)


def configurations() -> list[str]:
    """The statements that make the configurations in a service's own schema, for its first migration."""
    statements = []
    for name in CONFIGURATIONS:
        stemmer = name.removeprefix("gcm_")
        dictionary = "simple" if stemmer == "simple" else f"{stemmer}_stem"
        statements += [
            f"CREATE TEXT SEARCH CONFIGURATION {name} (COPY = pg_catalog.{stemmer})",
            # unaccent() is not immutable and cannot stand in an index; as a dictionary it may.
            f"ALTER TEXT SEARCH CONFIGURATION {name} ALTER MAPPING FOR hword, hword_part, word, asciiword, "
            f"asciihword, hword_asciipart WITH extensions.unaccent, {dictionary}",
        ]
    return statements


def drop_configurations() -> list[str]:
    return [f"DROP TEXT SEARCH CONFIGURATION {name}" for name in reversed(CONFIGURATIONS)]


def _configuration(name: str) -> ColumnElement[Any]:
    return cast(name, REGCONFIG)


def vector(language: str | None, title: Any, *bodies: Any) -> ColumnElement[Any]:
    """The text as words of its language and as they stand; a match in the title weighs more.

    Texts, or one bound parameter each for title and body where many rows are written with one statement.
    """
    stemmer = STEMMERS.get((language or "").partition("-")[0].lower())
    names = [f"gcm_{stemmer}", WORD_FOR_WORD] if stemmer else [WORD_FOR_WORD]
    body = "\n".join(part for part in bodies if part) if isinstance(title, str) else bodies[0]
    parts = [
        func.setweight(func.to_tsvector(_configuration(name), words), text(f"'{weight}'"))
        for name in names
        for words, weight in ((title, "A"), (body, "C"))
    ]
    whole: ColumnElement[Any] = parts[0]
    for part in parts[1:]:
        whole = whole.op("||")(part)
    return whole


def query(words: str) -> ColumnElement[Any]:
    """The words as a query under every configuration, any of which may match."""
    parts = [func.websearch_to_tsquery(_configuration(name), words) for name in CONFIGURATIONS]
    whole: ColumnElement[Any] = parts[0]
    for part in parts[1:]:
        whole = whole.op("||")(part)
    return whole


def matches(column: Any, words: str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = column.op("@@")(query(words))
    return found


def rank(column: Any, words: str) -> ColumnElement[Any]:
    return func.ts_rank(column, query(words))
