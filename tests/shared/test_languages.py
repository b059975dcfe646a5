"""The header that says what a caller reads, and the tags that say what a text is written in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.languages import LANGUAGES, LanguageTag, best_language, canonical_tag, is_language_tag, preferred

tags = st.sampled_from(["en", "fr", "es", "EN-gb", "fr-CA", "es-MX", "es-419", "de", "pt-BR", "zh-Hant-TW", "*"])
weights = st.sampled_from(["", ";q=0", ";q=0.000", "; q=0.1", ";Q=0.9", ";q=1.000", ";q=2", ";q=", ";q=abc"])
headers = st.lists(st.builds(str.__add__, tags, weights), max_size=8).map(", ".join)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("*", "en"),
        ("es-MX", "es"),
        ("es-419,es;q=0.9", "es"),
        ("FR", "fr"),
        ("fr-CA;q=0.9, en;q=0.8", "fr"),
        ("en;q=0.8, fr-CA;q=0.9", "fr"),
        ("fr;q=0.5, es;q=0.5", "fr"),
        ("es;q=0.5, fr;q=0.5", "es"),
        ("de, pt-BR;q=0.9", "en"),
        ("de, es;q=0.1", "es"),
        ("zh-Hant-TW, fr-Latn-CA;q=0.3", "fr"),
        ("*, es;q=0.1", "es"),
        ("en;q=0, *", "fr"),
        ("en;q=0", "fr"),
        ("es;q=0, es-MX", "en"),
        ("en;q=0, fr;q=0, es;q=0", "en"),
        ("fr;q=2, es;q=0.2", "es"),
        ("fr;q=0.1234, es;q=0.2", "es"),
        ("fr;level=1, es;q=0.2", "es"),
        ("\tfr ; q=0.3 ,, ;,=,es;q=0.2", "fr"),
        ("english, espanol, frisian", "en"),
        ("esperanto-MX", "en"),
        ("\x00\xff💥, es", "es"),
    ],
)
def test_the_preferred_supported_language_is_found(header: str | None, language: str) -> None:
    assert best_language(header) == language


@given(st.text(max_size=2_000) | headers)
def test_any_header_gives_a_supported_language(header: str) -> None:
    assert best_language(header) in LANGUAGES


@given(headers, st.sampled_from(LANGUAGES))
def test_a_refused_language_is_never_given(header: str, refused: str) -> None:
    found = best_language(f"{header}, {refused};q=0" if header else f"{refused};q=0")
    refusals = {part.split(";")[0].strip() for part in header.split(",") if part.endswith((";q=0", ";q=0.000"))}
    if not set(LANGUAGES) <= refusals | {refused}:
        assert found != refused


@given(headers)
def test_case_does_not_matter(header: str) -> None:
    assert best_language(header.upper()) == best_language(header.lower())


def test_what_lies_beyond_the_longest_header_is_not_read() -> None:
    padding = ", ".join(["de"] * 400)
    assert best_language(f"fr;q=0.1, {padding}") == "fr"
    assert best_language(f"{padding}, fr") == "en"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en", "en"),
        ("PT-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("dag", "dag"),
        ("iw", "he"),
        ("de-1996", "de-1996"),
    ],
)
def test_a_tag_takes_its_canonical_form(text: str, tag: str) -> None:
    assert canonical_tag(text) == tag
    assert TypeAdapter(LanguageTag).validate_python(text) == tag


@pytest.mark.parametrize(
    "text",
    ["", " en", "en ", "en_US", "en--US", "english", "xx", "e", "fr-FRA", "en-ZZZZZ", "en\n", "é", "en-" + "a" * 40],
)
def test_what_is_no_tag_is_refused(text: str) -> None:
    assert not is_language_tag(text)
    with pytest.raises(ValidationError):
        TypeAdapter(LanguageTag).validate_python(text)


@given(st.text(max_size=60))
def test_a_tag_is_judged_without_failing_and_its_form_is_stable(text: str) -> None:
    if is_language_tag(text):
        assert canonical_tag(canonical_tag(text)) == canonical_tag(text)


@pytest.mark.parametrize(
    ("header", "available", "found"),
    [
        (None, ("es", "en"), "es"),
        ("de", ("es", "en"), "es"),
        ("en-GB", ("es", "en"), "en"),
        ("fr, en;q=0.5", ("es", "en"), "en"),
        ("en;q=0.4, es-PE;q=0.9", ("es", "en"), "es"),
        ("en;q=0", ("es", "en"), "es"),
        ("*", ("es", "en"), "es"),
        ("x" * 5000, ("es", "en"), "es"),
    ],
)
def test_a_text_is_read_in_a_language_that_it_has(header: str | None, available: tuple[Any, ...], found: str) -> None:
    assert preferred(header, available, available[0]) == found
