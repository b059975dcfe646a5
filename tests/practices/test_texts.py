"""Three languages, Markdown that stays as written, and HTML that nothing gets out of."""

import json
import re
from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.practices import markdown
from services.practices.completeness import FORM, gaps
from shared.languages import LANGUAGES
from tests.clients import Api
from tests.practices.content import complete
from tests.practices.people import OWNER, Person, published

ATTACKS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[here](javascript:alert(1))",
    "[here](JaVaScRiPt:alert(1))",
    "[here](java\tscript:alert(1))",
    "[here](&#106;avascript:alert(1))",
    "[here](data:text/html;base64,PHNjcmlwdD4=)",
    "[here](vbscript:x)",
    "<javascript:alert(1)>",
    "![x](https://example.org/pixel.gif)",
    '[x](https://example.org "onclick=alert(1)")',
    "<svg/onload=alert(1)>",
    '<a href="https://example.org" onclick="alert(1)">x</a>',
    "<style>*{display:none}</style>",
    "<iframe src=//example.org></iframe>",
    "`<script>`",
    "[ref]\n\n[ref]: javascript:alert(1)",
)


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def assert_clean(rendered: str) -> None:
    read = Elements()
    read.feed(rendered)
    for tag, attributes in read.found:
        assert tag in markdown.TAGS
        assert set(attributes) <= {"href", "title", "rel", "start"}
        if href := attributes.get("href"):
            scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", href)
            assert scheme is None or scheme[1].lower() in markdown.SCHEMES


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_script_no_handler_no_other_scheme_gets_out(attack: str) -> None:
    for text in (attack, f"before {attack} after", f"> {attack}", f"| a |\n|---|\n| {attack} |"):
        assert_clean(markdown.html(text))


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from((*ATTACKS, "](", "<", "\n\n", "**", "`", " ")), max_size=8).map("".join)
)
def test_whatever_is_written_the_html_is_clean(text: str) -> None:
    rendered = markdown.html(text)
    assert_clean(rendered)
    assert (
        nh3.clean(
            rendered,
            tags=markdown.TAGS,
            attributes={"a": {"href", "title"}, "ol": {"start"}},
            link_rel="noopener noreferrer nofollow",
            url_schemes=markdown.SCHEMES,
        )
        == rendered
    )


async def test_text_is_given_as_written_and_as_html(api: Api, panel: list[Person]) -> None:
    written = (
        "Some **bold** words\n\n<script>alert(1)</script>\n\n[go](javascript:alert(1)) [ok](https://example.org/a)"
    )
    where = await published(api, panel, description=written, lessons="- one\n- two")
    record = (await api.get(where)).json()
    assert record["description"] == written
    html = record["html"]["description"]
    assert "<strong>bold</strong>" in html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert '<a href="https://example.org/a" rel="noopener noreferrer nofollow">ok</a>' in html
    assert record["html"]["lessons"] == "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"
    assert (await api.get(where, by=OWNER)).json()["html"]["description"] == html
    refused = await api.post(
        "/v1/practices", by=OWNER, json={"resources": [{"title": "x", "url": "javascript:alert(1)"}]}
    )
    assert refused.json()["errors"][0]["pointer"] == "/resources/0/url"


TRANSLATED = {
    "title": "Asesoría para trabajadoras del hogar",
    "language": "es",
    "summary": "Asesoría gratuita.",
    "description": "Abogadas responden.",
    "translations": {
        "en": {"title": "Counsel for domestic workers", "summary": "Free counsel.", "description": "Lawyers answer."},
        "fr": {"title": "Conseil aux travailleuses domestiques", "summary": "Conseil gratuit.", "machine": True},
    },
}


@pytest.mark.parametrize(
    ("accepted", "title", "languages"),
    [
        (None, "Asesoría", "es"),
        ("de", "Asesoría", "es"),
        ("es-PE, en;q=0.8", "Asesoría", "es"),
        ("en-GB", "Counsel", "en, es"),
        ("de, fr;q=0.5, en;q=0.4", "Conseil", "fr, es"),
        ("en;q=0, fr;q=0.1", "Conseil", "fr, es"),
        ("*", "Asesoría", "es"),
    ],
)
async def test_accept_language_picks_and_content_language_says(
    api: Api, panel: list[Person], accepted: str | None, title: str, languages: str
) -> None:
    where = await published(api, panel, **TRANSLATED)
    headers = {"accept-language": accepted} if accepted else {}
    answer = await api.get(where, headers=headers)
    record = answer.json()
    assert record["title"].startswith(title)
    assert record["language"] == "es"
    assert record["text_language"] == languages[:2]
    # Benefits are not translated: they stand in the original, and the field says so.
    assert answer.headers["content-language"] == languages
    assert "Accept-Language" in answer.headers["vary"]
    assert record["translations"]["fr"]["machine"] is True
    # Nobody of the panel reads French: that translation was published unreviewed, and says so.
    assert (record["translations"]["en"]["reviewed"], record["translations"]["fr"]["reviewed"]) == (True, False)
    assert record["translations"]["es"] is None
    listed = await api.get("/v1/practices", params={"limit": 100}, headers=headers)
    assert next(i for i in listed.json()["items"] if i["id"] == record["id"])["title"] == record["title"]
    own = await api.get(where, by=OWNER, headers=headers)
    assert own.json()["title"].startswith("Asesoría")


async def test_a_translation_into_the_original_language_is_refused(api: Api) -> None:
    made = await api.post("/v1/practices", by=OWNER, json={"language": "en", "translations": {"fr": {"title": "T"}}})
    assert made.status_code == 201
    at, tag = made.headers["location"], {"if-match": made.headers["etag"]}
    assert (await api.patch(at, by=OWNER, json={"language": "fr"}, headers=tag)).status_code == 422
    gone = await api.patch(at, by=OWNER, json={"translations": {"fr": None}}, headers=tag)
    assert gone.json()["translations"] == {"en": None, "fr": None, "es": None}


async def test_the_form_is_in_the_callers_language_and_is_what_validates(api: Api) -> None:
    titles = {}
    for language in LANGUAGES:
        answer = await api.get("/v1/practices/form", headers={"accept-language": language})
        assert answer.headers["content-language"] == language
        drawn = answer.json()
        Draft202012Validator.check_schema(drawn)
        validator = Draft202012Validator(drawn)
        assert list(validator.iter_errors(complete())) == []
        assert gaps(complete()) == []
        steps = {step["name"] for step in drawn["x-steps"]}
        assert {value["x-step"] for value in drawn["properties"].values()} == steps
        assert all(value["title"] and value["description"] for value in drawn["properties"].values())
        titles[language] = json.dumps([value["title"] for value in drawn["properties"].values()])
    assert len(set(titles.values())) == 3
    objectives = FORM.schema("fr")["properties"]["primary_objectives"]["items"]["oneOf"]
    assert [each["const"] for each in objectives] == list(range(1, 24))


FIELDS = sorted(complete())


@given(st.sets(st.sampled_from(FIELDS)))
def test_what_the_form_misses_is_what_submit_asks_for(absent: set[str]) -> None:
    content = {k: v for k, v in complete().items() if k not in absent}
    valid = Draft202012Validator(FORM.schema("es")).is_valid(content)
    assert valid == (gaps(content) == [])
    pointers = {gap.pointer for gap in gaps(content)}
    for name in FIELDS:
        asked = name in ("title", "language", "summary", "description", "organisations", "primary_objectives")
        assert (f"/{name}" in pointers) == (asked and name in absent), name


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"organisations": [{"name": "Puente"}]}, "/organisations/0/type"),
        ({"translations": {"fr": {"title": "T"}}}, "/translations/fr/summary"),
        ({"starts_on": "2022", "ends_on": "2021-12", "ongoing": None}, "/ends_on"),
        ({"title": " "}, "/title"),
        ({"primary_objectives": []}, "/primary_objectives"),
        ({"contact": {"name": "Lucía"}}, "/contact/email"),
        ({"call": "019a0000-0000-7000-8000-000000000000"}, "/call"),
    ],
)
async def test_submit_points_to_each_gap(api: Api, change: dict[str, object], pointer: str) -> None:
    made = await api.post("/v1/practices", by=OWNER, json=complete(**change))
    assert made.status_code == 201, made.text
    refused = await api.post(f"{made.headers['location']}/actions/submit", by=OWNER)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
