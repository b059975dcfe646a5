"""Finding practices: words in any language, titles first, highlights, misspellings, facets, similar ones, calls."""

from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from tests.clients import Api
from tests.practices.people import OWNER, SECRETARIAT, Person, act, published, submitted


@pytest.fixture(scope="module")
async def corpus(api: Api, panel: list[Person]) -> dict[str, str]:
    """Published practices that only these tests look for: name -> id."""
    made: dict[str, dict[str, Any]] = {
        "title": {"title": "Cardamom cooperatives", "summary": "Growers sell together.", "countries": ["BTN"]},
        "summary": {"title": "Selling spices", "summary": "Cardamom and ginger find buyers.", "countries": ["NPL"]},
        "text": {
            "title": "Village trade",
            "summary": "Fairs.",
            "description": "Last year **cardamom** was sold; <b>cardamom</b> & more.",
            "countries": ["IND"],
            "primary_objectives": [19],
            "secondary_objectives": [],
        },
        "french": {
            "language": "en",
            "title": "Saffron fields",
            "summary": "Fields of saffron.",
            "translations": {"fr": {"title": "Champs de safran", "summary": "Les récoltes des coopératives."}},
        },
    }
    # Who reads English and Spanish sits in the panel.
    return {name: (await published(api, panel, **content)).rsplit("/", 1)[1] for name, content in made.items()}


async def search(api: Api, q: str, **more: Any) -> list[dict[str, Any]]:
    answer = await api.get("/v1/practices", params={"q": q, "limit": 100, **more})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_words_in_the_title_come_first(api: Api, corpus: dict[str, str]) -> None:
    found = [item["id"] for item in await search(api, "cardamom")]
    assert found[0] == corpus["title"]
    assert set(found) == {corpus["title"], corpus["summary"], corpus["text"]}


@pytest.mark.parametrize("q", ["récolte", "recoltes", "RÉCOLTES", "coopérative", "champs safran", "saffron field"])
async def test_every_language_is_searched_with_its_own_stems_and_without_accents(
    api: Api, corpus: dict[str, str], q: str
) -> None:
    assert corpus["french"] in {item["id"] for item in await search(api, q)}


async def test_matches_are_marked_and_nothing_else_is_markup(api: Api, corpus: dict[str, str]) -> None:
    found = {item["id"]: item["match"] for item in await search(api, "cardamom")}
    assert found[corpus["title"]]["title"] == "<mark>Cardamom</mark> cooperatives"
    text = found[corpus["text"]]["text"]
    assert text.count("<mark>cardamom</mark>") == 2
    assert "&amp; more" in text
    assert "<" not in text.replace("<mark>", "").replace("</mark>", "")
    assert found[corpus["text"]]["title"] == "Village trade"


@pytest.mark.parametrize("q", ["cardamon", "Cardmom", "cardamum cooperatives"])
async def test_a_misspelt_word_finds_what_was_meant(api: Api, corpus: dict[str, str], q: str) -> None:
    answer = (await api.get("/v1/practices", params={"q": q})).json()
    assert "cardamom" in answer["near"]
    assert answer["items"][0]["id"] == corpus["title"]
    summary = (await api.get("/v1/practices/summary", params={"q": q})).json()
    assert (summary["near"], summary["total"]) == (answer["near"], len(answer["items"]))
    assert "near" not in (await api.get("/v1/practices", params={"q": "cardamom"})).json()
    nothing = (await api.get("/v1/practices", params={"q": "xqzwvk"})).json()
    assert (nothing["items"], nothing["next"]) == ([], None)


async def test_pages_of_a_search_continue_where_the_last_one_ended(api: Api, corpus: dict[str, str]) -> None:
    for q in ("cardamom", "cardamon"):
        whole = [item["id"] for item in await search(api, q)]
        seen: list[str] = []
        cursor = None
        while True:
            params = {"q": q, "limit": 1, "total": "true"} | ({"cursor": cursor} if cursor else {})
            page = (await api.get("/v1/practices", params=params)).json()
            seen += [item["id"] for item in page["items"]]
            assert page["total"] == len(whole)
            cursor = page["next"]
            if cursor is None:
                break
        assert seen == whole
    assert (await api.get("/v1/practices", params={"q": "ginger", "cursor": "x"})).status_code == 422


@pytest.mark.parametrize("q", ["'", "a & | !", ":*", "-cardamom", '"', "((", "<script>", "%", "\\", "cardamom or"])
async def test_any_words_may_be_asked(api: Api, corpus: dict[str, str], q: str) -> None:
    assert (await api.get("/v1/practices", params={"q": q})).status_code == 200
    assert (await api.get("/v1/practices/summary", params={"q": q})).status_code == 200


async def test_facets_ignore_the_filter_on_their_own_dimension(api: Api, corpus: dict[str, str]) -> None:
    base = {"q": "cardamom"}
    summary = (await api.get("/v1/practices/summary", params={**base, "country": "BTN", "objective": 6})).json()
    assert summary["total"] == 1
    countries = {each["country"]: each["count"] for each in summary["by_country"]}
    assert countries == {"BTN": 1, "NPL": 1}
    objectives = {each["objective"]: each["count"] for each in summary["by_objective"]}
    assert len(objectives) == 23
    assert (objectives[6], objectives[19]) == (1, 0)
    assert {each["scope"] for each in summary["by_scope"]} == {"local", "national", "regional", "global"}
    assert sum(each["count"] for each in summary["by_language"]) == 1


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"country": ["BTN", "NPL"]}, {"title", "summary"}),
        ({"objective": 19}, {"text"}),
        ({"objective": 15}, {"title", "summary", "french"}),
        ({"region": "escap", "principle": "human_rights"}, {"title", "summary", "text"}),
        ({"sdg": 8, "entity_type": "civil_society", "scope": "national"}, {"title", "summary", "text", "french"}),
        ({"language": "fr"}, set()),
        ({"published_from": "9999-12-31"}, set()),
    ],
)
async def test_filters_are_or_within_and_and_between(
    api: Api, corpus: dict[str, str], filters: dict[str, Any], names: set[str]
) -> None:
    found = (await api.get("/v1/practices", params={"limit": 100, **filters})).json()["items"]
    assert {item["id"] for item in found} & set(corpus.values()) == {corpus[name] for name in names}


async def test_similar_practices_say_what_they_share(api: Api, corpus: dict[str, str]) -> None:
    found = (await api.get(f"/v1/practices/{corpus['title']}/similar", params={"limit": 20})).json()["items"]
    ids = [item["id"] for item in found]
    assert corpus["title"] not in ids
    first = found[ids.index(corpus["summary"])]
    assert first["objectives"] == [6, 7, 15]
    assert first["regions"] == ["142", "escap"]
    assert first["countries"] == []
    if corpus["text"] in ids:
        assert ids.index(corpus["summary"]) < ids.index(corpus["text"])


async def test_a_withdrawn_practice_is_found_nowhere(api: Api, panel: list[Person]) -> None:
    async def counted() -> int:
        total: int = (await api.get("/v1/practices/summary")).json()["total"]
        return total

    before = await counted()
    where = await published(api, panel, title="Vetiver hedges", summary="Hedges.")
    assert await counted() == before + 1
    assert len(await search(api, "vetiver")) == 1
    await act(api, where, "withdraw", OWNER, comment="Over.")
    assert await counted() == before
    assert await search(api, "vetiver") == []
    assert await search(api, "vetiverr") == []
    for path in ("", "/versions", "/versions/1", "/similar"):
        assert (await api.get(f"{where}{path}")).status_code == 410
    assert (await api.get(where, by=OWNER)).json()["status"] == "withdrawn"


async def test_a_call_gathers_practices_until_its_deadline(api: Api, panel: list[Person]) -> None:
    today = clock.today()
    call = {"title": "Spices", "text": "**Spices** only.", "objectives": [2], "deadline": today.isoformat()}
    assert (await api.post("/v1/practices/calls", by=OWNER, json=call)).status_code == 403
    made = await api.post("/v1/practices/calls", by=SECRETARIAT, json=call)
    assert made.status_code == 201, made.text
    where, number = made.headers["location"], made.json()["id"]
    public = (await api.get(where)).json()
    assert (public["open"], public["html"]) == (True, "<p><strong>Spices</strong> only.</p>")
    practice = await published(api, panel, call=number)
    found = (await api.get("/v1/practices", params={"call": number})).json()["items"]
    assert [item["id"] for item in found] == [practice.rsplit("/", 1)[1]]

    returned = await submitted(api, call=number)
    await act(api, returned, "return", SECRETARIAT, comment="More, please.")
    past = {"deadline": (today - timedelta(days=1)).isoformat()}
    closed = await api.patch(where, by=SECRETARIAT, json=past, headers={"if-match": made.headers["etag"]})
    assert closed.json()["open"] is False
    late = await api.post("/v1/practices", by=OWNER, json={"call": number})
    refused = await api.post(f"{late.headers['location']}/actions/submit", by=OWNER)
    assert "/call" in {error["pointer"] for error in refused.json()["errors"]}
    # Who was in time and was asked for changes is not late.
    await act(api, returned, "submit", OWNER)
    opened = (await api.get("/v1/practices/calls", params={"open": "true", "objective": 2})).json()["items"]
    shut = (await api.get("/v1/practices/calls", params={"open": "false", "objective": 2})).json()["items"]
    assert (number in {c["id"] for c in opened}, number in {c["id"] for c in shut}) == (False, True)
