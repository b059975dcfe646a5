"""Which of the platform's languages a caller reads, and what a valid language tag is."""

import re
from functools import lru_cache
from typing import Annotated, Final, Literal

import langcodes
from pydantic import AfterValidator, StringConstraints, WithJsonSchema

Language = Literal["en", "fr", "es"]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr", "es")
DEFAULT_LANGUAGE: Final[Language] = "en"

LONGEST_HEADER = 1_000
LONGEST_TAG = 35

_RANGE = re.compile(
    r"[ \t]*(?P<range>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"[ \t]*(?:;[ \t]*[Qq]=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"
)
_SUBTAGS = re.compile(r"[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*")


@lru_cache(maxsize=512)
def best_language(accept_language: str | None) -> Language:
    """The supported language that an Accept-Language header prefers, by the lookup of RFC 4647.

    `es-MX` finds `es`; a language with weight 0 is refused; `*`, no match or no header give the first
    language that is not refused, English first. A malformed part is passed over, and what lies beyond
    1,000 characters is not read: no header raises.
    """
    weights = _weights(accept_language or "")
    refused = {tag for tag, weight in weights if weight == 0}
    # sorted() is stable: equal weights keep the header's order.
    for tag, weight in sorted(weights, key=lambda pair: -pair[1]):
        if weight == 0 or tag == "*":
            continue
        # Every supported tag is one subtag long: cutting a range from its end stops at the first.
        for language in LANGUAGES:
            if tag.split("-")[0] == language and language not in refused:
                return language
    return next((language for language in LANGUAGES if language not in refused), DEFAULT_LANGUAGE)


@lru_cache(maxsize=512)
def preferred(accept_language: str | None, available: tuple[Language, ...], otherwise: Language) -> Language:
    """Which of a text's own languages an Accept-Language header prefers; `otherwise` where it names none of them."""
    # sorted() is stable: equal weights keep the header's order.
    for tag, weight in sorted(_weights(accept_language or ""), key=lambda pair: -pair[1]):
        for language in available:
            if weight > 0 and tag.split("-")[0] == language:
                return language
    return otherwise


def _weights(header: str) -> list[tuple[str, float]]:
    parts = header[:LONGEST_HEADER].split(",")
    if len(header) > LONGEST_HEADER:
        parts.pop()  # cut in its middle
    found = (_RANGE.fullmatch(part) for part in parts)
    return [(m["range"].lower(), float(m["weight"] or 1)) for m in found if m]


def canonical_tag(text: str) -> str:
    """The BCP 47 tag in its canonical form (`pt-br` gives `pt-BR`).

    Raises ValueError where the text is no tag, or a subtag is not registered.
    """
    if len(text) > LONGEST_TAG or not _SUBTAGS.fullmatch(text) or not langcodes.tag_is_valid(text):
        raise ValueError("not a BCP 47 language tag, such as en, pt-BR or zh-Hant")
    tag = langcodes.Language.get(text)
    # A registered extended language becomes a language of its own: one that is left stands where none may.
    if tag.extlangs:
        raise ValueError("not a BCP 47 language tag: an extended language without its language")
    return tag.to_tag()


def is_language_tag(text: str) -> bool:
    """Whether the text is a BCP 47 language tag of registered subtags, in any case."""
    try:
        canonical_tag(text)
    except ValueError:
        return False
    return True


LanguageTag = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_TAG),
    AfterValidator(canonical_tag),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_TAG,
            "pattern": "^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*$",
            "description": "BCP 47 language tag",
            "examples": ["en", "pt-BR"],
        }
    ),
]
