"""A practice's texts in its languages: which there are, what each says, and what of it is searched."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement

from services.practices.models import Practice, PublishedPractice
from services.practices.schemas import TEXTS
from shared import search
from shared.languages import LANGUAGES
from shared.reference import regions_of

# Shorter words are common to all texts and near to each other.
WORD = re.compile(r"[^\W\d_]{4,40}")


def languages_of(content: dict[str, Any]) -> list[str]:
    """The languages that a practice can be read in, its own first."""
    own = content.get("language")
    translations = content.get("translations", {})
    return [*filter(None, [own]), *(language for language in LANGUAGES if language in translations)]


def in_language(content: dict[str, Any], language: str | None) -> tuple[dict[str, Any], list[str]]:
    """The texts in one language, and the languages they are in: what is not translated stands in the original."""
    own = content.get("language")
    translation = content.get("translations", {}).get(language, {}) if language != own else {}
    texts = {name: translation.get(name) or content.get(name) for name in TEXTS}
    held = [name for name in TEXTS if texts[name]]
    used = {language if translation.get(name) else own for name in held} or {own}
    return texts, [each for each in (language, own) if each in used and each][: len(used)]


def derive(target: Practice | PublishedPractice, content: dict[str, Any]) -> None:
    """Set the columns that lists, facets and searches read."""
    primary, secondary = content.get("primary_objectives", []), content.get("secondary_objectives", [])
    target.language = content.get("language")
    target.languages = languages_of(content)
    target.scope = content.get("scope")
    target.call = UUID(content["call"]) if content.get("call") else None
    target.objectives = sorted({*primary, *secondary})
    target.principles = content.get("principles", [])
    target.sdgs = content.get("sdgs", [])
    target.entity_types = sorted({each["type"] for each in content.get("organisations", []) if each.get("type")})
    target.countries = content.get("countries", [])
    target.regions = sorted({region for country in target.countries for region in regions_of(country)})
    target.title = content.get("title", "")
    target.title_search = _joined(
        search.vector(language, texts["title"] or "") for language, texts in _by_language(content)
    )
    target.head = _joined(
        search.vector(language, texts["title"] or "", texts["summary"] or "")
        for language, texts in _by_language(content)
    )
    target.search = _joined(
        search.vector(
            language,
            texts["title"] or "",
            *(texts[name] or "" for name in TEXTS[1:]),
            *(each["name"] for each in content.get("organisations", [])),
        )
        for language, texts in _by_language(content)
    )


def _by_language(content: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(language, in_language(content, language)[0]) for language in languages_of(content) or [""]]


def _joined(vectors: Iterable[ColumnElement[Any]]) -> ColumnElement[Any]:
    whole, *rest = vectors
    for each in rest:
        whole = whole.op("||")(each)
    return whole


def words_of(text: str) -> list[str]:
    """The text's words without accents and case, each once, sorted."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return sorted(set(WORD.findall(bare)))


def vocabulary(content: dict[str, Any]) -> list[str]:
    """The words of the titles and summaries in every language."""
    said = [texts[name] or "" for _, texts in _by_language(content) for name in ("title", "summary")]
    return words_of("\n".join(said))
