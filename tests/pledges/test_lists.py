"""Lists: filters, sorts, stable pages, cursors bound to what they were made for, views, languages of search."""

from typing import Any

import pytest

from tests.clients import Api, token
from tests.pledges.conftest import KENYA, NOBODY, PERU, SECRETARIAT
from tests.pledges.content import complete
from tests.pledges.journeys import act, brought_to


async def every(api: Api, by: str | None = None, **params: Any) -> list[dict[str, Any]]:
    items, cursor = [], None
    while True:
        page = await api.get("/v1/pledges", by=by, params={**params, **({"cursor": cursor} if cursor else {})})
        assert page.status_code == 200, page.text
        items += page.json()["items"]
        cursor = page.json()["next"]
        if cursor is None:
            assert "link" not in page.headers
            return items
        assert page.headers["link"].endswith('; rel="next"')
        assert page.headers["link"].startswith("</v1/pledges?")


@pytest.fixture(scope="module", autouse=True)
async def ten(api: Api) -> list[str]:
    """Ten pledges on objective 23, in two countries."""
    return [
        await brought_to(
            api,
            "published",
            title=f"Cooperation {n}",
            objectives=[23],
            countries=["NPL" if n % 2 else "PER"],
            entity={"name": "Kenya", "type": "member_state"},
        )
        for n in range(10)
    ]


@pytest.mark.parametrize("sort", ["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title"])
async def test_pages_in_every_order_hold_each_item_once(api: Api, sort: str) -> None:
    items = await every(api, objective=23, sort=sort, limit=3)
    assert len(items) == len({item["id"] for item in items}) >= 10
    key = sort.removeprefix("-")
    keys = [item[key] for item in items]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


async def test_pages_are_stable_while_others_publish_and_withdraw(api: Api) -> None:
    first = (await api.get("/v1/pledges", params={"objective": 23, "limit": 4})).json()
    await brought_to(api, "published", title="Meanwhile", objectives=[23])
    seen = [item["id"] for item in first["items"]]
    second = (await api.get("/v1/pledges", params={"objective": 23, "limit": 100, "cursor": first["next"]})).json()
    later = [item["id"] for item in second["items"]]
    assert not set(seen) & set(later)
    assert "Meanwhile" not in [item["title"] for item in second["items"]]


async def test_a_cursor_is_bound_to_its_sort_and_filters(api: Api) -> None:
    cursor = (await api.get("/v1/pledges", params={"objective": 23, "limit": 2})).json()["next"]
    for other in ({"objective": 22}, {"objective": 23, "sort": "title"}, {}, {"objective": 23, "q": "x"}):
        refused = await api.get("/v1/pledges", params={**other, "cursor": cursor})
        assert refused.status_code == 422, other
        assert refused.json()["errors"][0]["pointer"] == "?cursor"
    assert (await api.get("/v1/pledges", params={"objective": 23, "limit": 5, "cursor": cursor})).status_code == 200


async def test_filters_are_or_within_and_and_between(api: Api) -> None:
    nepal = await every(api, objective=23, country="NPL")
    peru = await every(api, objective=23, country="PER")
    both = await every(api, objective=23, country=["NPL", "PER"])
    assert len(nepal) == len(peru) == 5
    assert {item["id"] for item in both} == {item["id"] for item in [*nepal, *peru]}
    assert await every(api, objective=23, country="NPL", form="financial") == []
    asia = await every(api, objective=23, region="142")
    assert {item["id"] for item in asia} >= {item["id"] for item in nepal}
    assert all("142" in item["regions"] for item in asia)


async def test_total_is_there_when_asked_for(api: Api) -> None:
    with_total = (await api.get("/v1/pledges", params={"country": "NPL", "total": "true", "limit": 1})).json()
    assert with_total["total"] == len(await every(api, country="NPL"))
    assert "total" not in (await api.get("/v1/pledges")).json()


async def test_views_show_working_records_to_their_own(api: Api) -> None:
    draft = await brought_to(api, "draft", title="Unseen draft")
    mine = await every(api, KENYA, view="mine", limit=100)
    assert draft.rsplit("/", 1)[1] in [item["id"] for item in mine]
    assert all(item["owner"] == "gov-ken" for item in mine)
    assert draft.rsplit("/", 1)[1] not in [item["id"] for item in await every(api, PERU, view="mine")]
    assert draft.rsplit("/", 1)[1] in [item["id"] for item in await every(api, SECRETARIAT, view="all", limit=100)]
    assert draft.rsplit("/", 1)[1] not in [item["id"] for item in await every(api, limit=100)]
    assert (await api.get("/v1/pledges?view=mine")).status_code == 401
    assert (await api.get("/v1/pledges?view=all", by=KENYA)).status_code == 403
    assert (await api.get("/v1/pledges?view=mine", by=NOBODY)).json()["items"] == []


@pytest.mark.parametrize(
    ("language", "title", "query"),
    [
        ("fr", "Régularisation des travailleuses étrangères", "travailleuse etrangere"),
        ("es", "Protección de niños migrantes", "proteccion nino"),
        ("en", "Recognising the skills of returning migrants", "recognise skill"),
        ("ru", "Защита прав трудящихся-мигрантов", "трудящиеся мигранты"),
        ("pt", "Regularização de trabalhadores", "regularizacao trabalhador"),
        ("sw", "Ulinzi wa wafanyakazi wahamiaji", "wafanyakazi"),
        ("zh", "移民 工人 保护", "工人"),
    ],
)
async def test_words_are_found_in_the_records_own_language_accents_ignored(
    api: Api, language: str, title: str, query: str
) -> None:
    where = await brought_to(api, "published", title=title, language=language)
    found = await every(api, q=query)
    assert where.rsplit("/", 1)[1] in [item["id"] for item in found]
    assert found[0]["title"] == title


@pytest.mark.parametrize("query", ["'", "\\", '"unclosed', "!!!", "a & | b", "-", "<->", "%", "\u202e", "🦄", "OR"])
async def test_no_query_is_a_fault(api: Api, query: str) -> None:
    assert (await api.get("/v1/pledges", params={"q": query})).status_code == 200
    assert (await api.get("/v1/pledges/summary", params={"q": query})).status_code == 200


async def test_relevance_pages_without_repeats(api: Api) -> None:
    items = await every(api, q="cooperation", limit=3)
    assert len(items) == len({item["id"] for item in items}) >= 10


async def test_summary_and_list_agree_under_the_same_filters(api: Api) -> None:
    for params in (
        {"objective": 23},
        {"country": ["NPL", "PER"]},
        {"q": "cooperation"},
        {"region": "escap", "objective": 23},
    ):
        summary = (await api.get("/v1/pledges/summary", params=params)).json()
        assert summary["total"] == len(await every(api, limit=100, **params)), params


async def test_conditional_reads_and_caching(api: Api) -> None:
    where = await brought_to(api, "published")
    for path in (where, "/v1/pledges", "/v1/pledges/summary"):
        first = await api.get(path)
        assert first.headers["cache-control"].startswith("public, max-age=")
        same = await api.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["etag"] == first.headers["etag"]
    owner = await api.get(where, by=KENYA)
    assert owner.headers["cache-control"] == "private, no-store"
    same = await api.get(where, by=KENYA, headers={"if-none-match": owner.headers["etag"]})
    assert same.status_code == 304
    assert (await api.get("/v1/pledges/none")).headers["cache-control"] == "no-store"


async def test_matching_is_shown_both_ways(api: Api) -> None:
    where = await brought_to(api, "published", title="Matched")
    matched = (await api.get(where)).json()
    bad = await api.post("/v1/pledges", by=KENYA, json=complete(approach="matching", matches="PLG-1999-0001"))
    refused = await act(api, bad.headers["location"], "submit", KENYA)
    assert [e["pointer"] for e in refused.json()["errors"]] == ["/matches"]
    other = await brought_to(api, "published", title="Answer", approach="matching", matches=matched["reference"])
    answer = (await api.get(other)).json()
    assert answer["matches"] == matched["reference"]
    assert [m["id"] for m in (await api.get(where)).json()["matched_by"]] == [answer["id"]]
    await act(api, other, "withdraw", KENYA)
    assert (await api.get(where)).json()["matched_by"] == []


async def test_joint_pledges_show_participants_once_confirmed(api: Api) -> None:
    parties = [{"name": "Peru", "entity": "gov-per"}, {"name": "UCLG"}]
    where = await brought_to(api, "published", approach="partnership", participants=parties)
    assert (await api.get(where)).json()["participants"] == []
    confirmations = f"{where}/confirmations"
    assert (await api.post(confirmations, by=KENYA, json={"name": "Peru"})).status_code == 403
    assert (await api.post(confirmations, by=token("x", entity="gov-fra"), json={"name": "Peru"})).status_code == 403
    assert (await api.post(confirmations, by=PERU, json={"name": "Peru"})).status_code == 200
    assert [p["name"] for p in (await api.get(where)).json()["participants"]] == ["Peru"]
    assert (await api.post(confirmations, by=PERU, json={"name": "UCLG"})).status_code == 403
    assert (await api.post(confirmations, by=SECRETARIAT, json={"name": "UCLG"})).status_code == 200
    assert (await api.post(confirmations, by=SECRETARIAT, json={"name": "Nobody"})).status_code == 422
    assert len((await api.get(where)).json()["participants"]) == 2
    history = (await api.get(f"{where}/history", by=KENYA)).json()["items"]
    assert [step["details"]["participant"] for step in history if step["action"] == "confirm"] == ["Peru", "UCLG"]
