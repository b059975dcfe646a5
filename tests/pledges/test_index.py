"""The bitmaps against a brute-force count, over random pledges, random changes and random filters."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import sentinel

from hypothesis import given, settings
from hypothesis import strategies as st

from services.pledges.dimensions import DIMENSIONS, FACETS
from services.pledges.index import Index, entry
from services.pledges.schemas import PledgeFilters
from shared.filters import Dimension

COUNTRIES = ("KEN", "PER", "FRA", "DEU", "NPL")
FIRST = datetime(2021, 12, 17, tzinfo=UTC)


def values(dimension: Dimension) -> Any:
    known = dimension.values or {"country": COUNTRIES, "language": ("en", "fr", "pt-BR")}[dimension.name]
    one = st.sampled_from(known[:6])
    return st.lists(one, unique=True, max_size=3) if dimension.many else st.none() | one


amounts = st.decimals(min_value=0, max_value=10**16, places=4, allow_nan=False)
pledges = st.fixed_dictionaries(
    {
        "published_at": st.integers(0, 400).map(lambda hours: FIRST + timedelta(hours=hours * 30)),
        "money": st.none() | st.tuples(st.sampled_from(("USD", "EUR")), amounts),
        **{dimension.name: values(dimension) for dimension in DIMENSIONS},
    }
)
changes = st.lists(st.tuples(st.integers(0, 15), st.none() | pledges), max_size=40)
filters = st.fixed_dictionaries(
    {},
    optional={
        **{d.name: values(Dimension(d.name, "", True, d.values)).filter(len) for d in DIMENSIONS},
        "published_from": st.dates(date(2021, 12, 1), date(2023, 6, 1)),
        "published_to": st.dates(date(2021, 12, 1), date(2023, 6, 1)),
    },
)


def row(ordinal: int, pledge: dict[str, Any]) -> list[Any]:
    currency, amount = pledge["money"] or (None, None)
    return [ordinal, pledge["published_at"], currency, amount, *(pledge[d.name] for d in DIMENSIONS)]


def of(pledge: dict[str, Any], dimension: Dimension) -> list[Any]:
    value = pledge[dimension.name]
    return value if dimension.many else [] if value is None else [value]


def holds(pledge: dict[str, Any], asked: PledgeFilters, without: str | None = None) -> bool:
    for dimension in DIMENSIONS:
        wanted = getattr(asked, dimension.name)
        if dimension.name != without and wanted and not set(wanted) & set(of(pledge, dimension)):
            return False
    day = pledge["published_at"].date()
    return (asked.published_from or date.min) <= day <= (asked.published_to or date.max)


def brute_force(held: list[dict[str, Any]], asked: PledgeFilters) -> dict[str, Any]:
    found = [pledge for pledge in held if holds(pledge, asked)]
    answer: dict[str, Any] = {"total": len(found)}
    for dimension in FACETS:
        counts = Counter(v for p in held if holds(p, asked, dimension.name) for v in of(p, dimension))
        order = dimension.values or sorted(counts, key=lambda value: (-counts[value], str(value)))
        answer[f"by_{dimension.name}"] = [{dimension.name: value, "count": counts[value]} for value in order]
    months = Counter(f"{pledge['published_at']:%Y-%m}" for pledge in found)
    answer["by_month"], cumulative = [], 0
    for month in sorted(months):
        cumulative += months[month]
        answer["by_month"].append({"month": month, "count": months[month], "cumulative": cumulative})
    money: defaultdict[str, list[Decimal]] = defaultdict(list)
    for pledge in found:
        if pledge["money"]:
            money[pledge["money"][0]].append(pledge["money"][1])
    answer["financial"] = [(name, sum(amounts), len(amounts)) for name, amounts in sorted(money.items())]
    return answer


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    sums = [(each["currency"], Decimal(each["amount"]), each["count"]) for each in answer["financial"]]
    return {**answer, "financial": sums}


@settings(max_examples=200, deadline=None)
@given(changes=changes, asked=filters)
def test_the_summary_counts_what_a_count_would(changes: Any, asked: Any) -> None:
    index = Index(sentinel.database)
    held: dict[int, dict[str, Any]] = {}
    for ordinal, pledge in changes:
        index.remove(ordinal)
        held.pop(ordinal, None)
        if pledge is not None:
            index.add(entry(row(ordinal, pledge)))
            held[ordinal] = pledge
    wanted = PledgeFilters.model_validate(asked)
    expected = brute_force(list(held.values()), wanted)
    assert comparable(index.summary(wanted)) == expected

    # Counting anew from the bitmaps gives the same: what is kept up has not drifted.
    index.recount()
    assert comparable(index.summary(wanted)) == expected
    assert comparable(index.summary(PledgeFilters())) == brute_force(list(held.values()), PledgeFilters())


@settings(max_examples=200, deadline=None)
@given(
    changes=changes,
    asked=filters,
    wanted=st.integers(1, 6),
    descending=st.booleans(),
    since=st.none() | st.dates(date(2021, 12, 1), date(2023, 6, 1)),
)
def test_a_list_is_given_enough_of_the_right_pledges(
    changes: Any, asked: Any, wanted: int, descending: bool, since: date | None
) -> None:
    index = Index(sentinel.database)
    held: dict[int, dict[str, Any]] = {}
    for ordinal, pledge in changes:
        index.remove(ordinal)
        held.pop(ordinal, None)
        if pledge is not None:
            index.add(entry(row(ordinal, pledge)))
            held[ordinal] = pledge
    filtered = PledgeFilters.model_validate(asked)
    ordinals, total = index.newest(filtered, wanted, descending=descending, since=since)
    matching = {o: p["published_at"] for o, p in held.items() if holds(p, filtered)}
    assert total == len(matching)
    assert set(ordinals) <= set(matching)
    ahead = [
        o for o, at in matching.items() if since is None or (at.date() < since if descending else at.date() > since)
    ]
    ahead.sort(key=lambda ordinal: matching[ordinal], reverse=descending)
    assert set(ahead[:wanted]) <= set(ordinals)
    same_day = {o for o, at in matching.items() if at.date() == since}
    assert same_day <= set(ordinals)
