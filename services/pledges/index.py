"""The summary's index: one bitmap of published pledges for each value of each dimension, kept in memory.

Counts of the whole and under one value are kept up with every change, so they cost the same at a thousand and
at a million pledges; any other filter is an intersection of bitmaps. Nothing here is a source: the index is
built from `published_pledges` and follows `published_changes`, which publishing transactions write.
"""

import asyncio
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date
from typing import Any, NamedTuple

from pydantic_core import to_json
from pyroaring import BitMap
from sqlalchemy import Date, bindparam, cast, func, select

from services.pledges.dimensions import DIMENSIONS, FACETS
from services.pledges.models import PublishedChange, PublishedPledge
from services.pledges.schemas import PledgeFilters
from shared import search
from shared.database import Database, Prepared
from shared.filters import ranked
from shared.lists import newest

Key = tuple[str, Any]
MONTH = "month"
# Amounts have four decimals: they are kept as whole numbers of a ten-thousandth.
SCALE = 10_000
KEPT_ANSWERS = 256
# Under words the summary covers so many matches, the newest.
COUNTED = 2000


class Sums(NamedTuple):
    """Money in one currency."""

    amount: int
    pledges: int


class Entry(NamedTuple):
    """What the index needs of one published pledge."""

    ordinal: int
    keys: tuple[Key, ...]
    day: int
    currency: str | None
    amount: int


COLUMNS = (
    PublishedPledge.ordinal,
    PublishedPledge.published_at,
    PublishedPledge.currency,
    PublishedPledge.amount,
    *(getattr(PublishedPledge, dimension.column) for dimension in DIMENSIONS),
)


def entry(row: Sequence[Any]) -> Entry:
    """An entry of a row of `COLUMNS`."""
    ordinal, published_at, currency, amount, *values = row
    published = published_at.astimezone(UTC)
    keys: list[Key] = [(MONTH, f"{published:%Y-%m}")]
    for dimension, value in zip(DIMENSIONS, values, strict=True):
        if dimension.many:
            keys += [(dimension.name, each) for each in value]
        elif value is not None:
            keys.append((dimension.name, value))
    return Entry(ordinal, tuple(keys), published.toordinal(), currency, int(amount * SCALE) if currency else 0)


_CHANGED = Prepared(
    select(PublishedChange.number, PublishedChange.ordinal)
    .where(PublishedChange.number > bindparam("followed"))
    .order_by(PublishedChange.number)
)


class Index:
    """Bitmaps over ordinals, and the counts that are kept up with them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.following = asyncio.Lock()
        self.clear()

    def clear(self) -> None:
        self.all = BitMap()
        self.values: defaultdict[Key, BitMap] = defaultdict(BitMap)
        self.days: defaultdict[int, BitMap] = defaultdict(BitMap)
        self.by_dimension: defaultdict[str, set[Key]] = defaultdict(set)
        # Bit-sliced amounts: bit n of every amount in a currency is one bitmap, so sums are cardinalities.
        self.money: defaultdict[str, list[BitMap]] = defaultdict(list)
        self.paid: defaultdict[str, BitMap] = defaultdict(BitMap)
        self.pairs: defaultdict[Key, Counter[Key]] = defaultdict(Counter)
        self.pair_sums: defaultdict[Key | None, dict[str, Sums]] = defaultdict(dict)
        self.followed = 0
        self.answers: OrderedDict[str, bytes] = OrderedDict()

    # ------------------------------------------------------------ changes

    def add(self, new: Entry) -> None:
        """Take in a pledge that is not in the index."""
        self._set(new)
        self._count(new, 1)

    def remove(self, ordinal: int) -> None:
        """Forget a pledge, if it is in the index; what it counted for is read back from the bitmaps."""
        if ordinal not in self.all:
            return
        keys = tuple(key for key, bitmap in self.values.items() if ordinal in bitmap)
        day = next(day for day, bitmap in self.days.items() if ordinal in bitmap)
        currency = next((name for name, bitmap in self.paid.items() if ordinal in bitmap), None)
        slices = self.money[currency] if currency else []
        amount = sum(1 << bit for bit, bitmap in enumerate(slices) if ordinal in bitmap)
        self._count(Entry(ordinal, keys, day, currency, amount), -1)
        for bitmap in (self.all, self.days[day], *(self.values[key] for key in keys), *slices):
            bitmap.discard(ordinal)
        if currency:
            self.paid[currency].discard(ordinal)
        for key in keys:
            if not self.values[key]:
                del self.values[key]
                self.by_dimension[key[0]].discard(key)

    def _set(self, new: Entry) -> None:
        self.all.add(new.ordinal)
        self.days[new.day].add(new.ordinal)
        for key in new.keys:
            self._value(key).add(new.ordinal)
        if new.currency is not None:
            self._pay(new.ordinal, new.currency, new.amount)

    def _value(self, key: Key) -> BitMap:
        self.by_dimension[key[0]].add(key)
        return self.values[key]

    def _pay(self, ordinal: int, currency: str, amount: int) -> None:
        self.paid[currency].add(ordinal)
        slices = self.money[currency]
        slices.extend(BitMap() for _ in range(amount.bit_length() - len(slices)))
        for bit in range(amount.bit_length()):
            if amount >> bit & 1:
                slices[bit].add(ordinal)

    def _count(self, changed: Entry, by: int) -> None:
        for key in changed.keys:
            counted = self.pairs[key]
            for other in changed.keys:
                counted[other] += by
        if changed.currency is not None:
            for where in (None, *changed.keys):
                sums = self.pair_sums[where]
                old = sums.get(changed.currency, Sums(0, 0))
                sums[changed.currency] = Sums(old.amount + by * changed.amount, old.pledges + by)

    def recount(self) -> None:
        """Take every kept count from the bitmaps: faster than counting one pledge after the other."""
        for key, bitmap in self.values.items():
            self.pairs[key] = Counter(
                {other: n for other, each in self.values.items() if (n := bitmap.intersection_cardinality(each))}
            )
            self.pair_sums[key] = dict(self._money(bitmap))
        self.pair_sums[None] = dict(self._money(None))

    # ------------------------------------------------------------ questions

    def summary(self, filters: PledgeFilters, matching: BitMap | None = None) -> dict[str, Any]:
        """The answer of `summarize_pledges`; `matching` holds the ordinals that the words of `q` match."""
        asked = {d.name: list(wanted) for d in DIMENSIONS if (wanted := getattr(filters, d.name))}
        always = [bitmap for bitmap in (self._published(filters), matching) if bitmap is not None]
        if not always and sum(map(len, asked.values())) <= 1:
            return self._kept_up(next(((name, values[0]) for name, values in asked.items()), None))
        chosen = {name: self._any_of(name, values) for name, values in asked.items()}

        def base(without: str | None) -> BitMap | None:
            parts = [*always, *(bitmap for name, bitmap in chosen.items() if name != without)]
            return BitMap.intersection(*parts) if parts else None

        everywhere = base(None)
        facets = {}
        for dimension in FACETS:
            where = base(dimension.name) if dimension.name in chosen else everywhere
            facets[dimension.name] = dict(self._counts(dimension.name, where))
        months = dict(self._counts(MONTH, everywhere))
        total = len(self.all if everywhere is None else everywhere)
        return self._answer(total, facets, months, dict(self._money(everywhere)))

    def newest(
        self, filters: PledgeFilters, wanted: int, *, descending: bool, since: date | None
    ) -> tuple[list[int], int]:
        """Ordinals that hold the next `wanted` matches by day of publication, and how many match in all.

        They are whole days, from the day `since` on, which itself does not count: the caller has read some of it.
        """
        parts = [self._any_of(d.name, values) for d in DIMENSIONS if (values := getattr(filters, d.name))]
        parts += [bitmap for bitmap in (self._published(filters),) if bitmap is not None]
        matching = BitMap.intersection(*parts) if parts else self.all
        found = BitMap()
        counted = 0
        start = since.toordinal() if since else None
        for day in sorted(self.days, reverse=descending):
            if start is not None and (day > start if descending else day < start):
                continue
            members = self.days[day] & matching
            found |= members
            counted += 0 if day == start else len(members)
            if counted >= wanted:
                break
        return list(found), len(matching)

    def _any_of(self, name: str, values: Iterable[Any]) -> BitMap:
        return BitMap.union(BitMap(), *(self.values[key] for value in values if (key := (name, value)) in self.values))

    def _kept_up(self, only: Key | None) -> dict[str, Any]:
        """Without a filter, or under one value: from counts alone."""
        everything = {name: {key[1]: len(self.values[key]) for key in keys} for name, keys in self.by_dimension.items()}
        if only is None:
            facets, total = everything, len(self.all)
        else:
            counted = self.pairs.get(only, Counter())
            facets = {
                name: {key[1]: n for key in keys if (n := counted[key])} for name, keys in self.by_dimension.items()
            }
            # A facet ignores the filter on its own dimension.
            facets[only[0]] = everything.get(only[0], {})
            total = counted[only]
        return self._answer(total, facets, facets.get(MONTH, {}), self.pair_sums.get(only, {}))

    def _answer(
        self, total: int, facets: dict[str, dict[Any, int]], months: dict[str, int], money: dict[str, Sums]
    ) -> dict[str, Any]:
        by_month, cumulative = [], 0
        for month in sorted(months):
            cumulative += months[month]
            by_month.append({"month": month, "count": months[month], "cumulative": cumulative})
        return {
            "total": total,
            **{f"by_{dimension.name}": ranked(dimension, facets.get(dimension.name, {})) for dimension in FACETS},
            "by_month": by_month,
            "financial": [
                {"currency": name, "amount": _written(sums.amount), "count": sums.pledges}
                for name, sums in sorted(money.items())
                if sums.pledges
            ],
        }

    def _counts(self, name: str, where: BitMap | None) -> Iterator[tuple[Any, int]]:
        for key in self.by_dimension[name]:
            bitmap = self.values[key]
            count = len(bitmap) if where is None else bitmap.intersection_cardinality(where)
            if count:
                yield key[1], count

    def _money(self, where: BitMap | None) -> Iterator[tuple[str, Sums]]:
        for currency, paid in self.paid.items():
            count = len(paid) if where is None else paid.intersection_cardinality(where)
            if count:
                amount = sum(
                    (len(bitmap) if where is None else bitmap.intersection_cardinality(where)) << bit
                    for bit, bitmap in enumerate(self.money[currency])
                )
                yield currency, Sums(amount, count)

    def _published(self, filters: PledgeFilters) -> BitMap | None:
        if filters.published_from is None and filters.published_to is None:
            return None
        first = (filters.published_from or date.min).toordinal()
        last = (filters.published_to or date.max).toordinal()
        return BitMap.union(BitMap(), *(bitmap for day, bitmap in self.days.items() if first <= day <= last))

    # ------------------------------------------------------------ the database

    async def build(self) -> None:
        """Read every published pledge, value by value; what changes meanwhile is in the log after `followed`."""
        table = PublishedPledge
        ordinals = func.array_agg(table.ordinal)
        day = cast(func.timezone("UTC", table.published_at), Date)
        last = select(func.coalesce(func.max(PublishedChange.number), 0))
        self.clear()
        async with self.database.engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            self.followed = (await connection.execute(last)).scalar_one()
            # Row by row: all the values of a dimension at once would be most of the memory that is ever needed.
            days = select(day, ordinals).group_by(day).execution_options(yield_per=1)
            async for published, members in await connection.stream(days):
                self.days[published.toordinal()].update(members)
                self.all.update(members)
                self._value((MONTH, f"{published:%Y-%m}")).update(members)
            for dimension in DIMENSIONS:
                column = getattr(table, dimension.column)
                value = (func.unnest(column) if dimension.many else column).label("value")
                values = select(value, table.ordinal).subquery()
                grouped = select(values.c.value, func.array_agg(values.c.ordinal)).group_by(values.c.value)
                grouped = grouped.where(values.c.value.is_not(None)).execution_options(yield_per=1)
                async for found, members in await connection.stream(grouped):
                    self._value((dimension.name, found)).update(members)
            paid = select(table.ordinal, table.currency, table.amount).where(table.currency.is_not(None))
            async for ordinal, currency, amount in await connection.stream(paid.execution_options(yield_per=2000)):
                self._pay(ordinal, str(currency), int((amount or 0) * SCALE))
        self.recount()

    async def follow(self) -> None:
        """Take in what was committed since: after this the index says what the table says."""
        if not await _CHANGED.first(self.database, followed=self.followed):
            return
        # One at a time: a row that was read earlier must not be taken in later.
        async with self.following:
            changed = await _CHANGED.all(self.database, followed=self.followed)
            if not changed:
                return
            ordinals = {ordinal for _, ordinal in changed}
            async with self.database.reader.connect() as reader:
                found = await reader.execute(select(*COLUMNS).where(PublishedPledge.ordinal.in_(ordinals)))
            current = {row.ordinal: entry(row) for row in found}
            for ordinal in ordinals:
                self.remove(ordinal)
                if ordinal in current:
                    self.add(current[ordinal])
            self.followed = changed[-1][0]
            self.answers.clear()

    async def answer(self, filters: PledgeFilters) -> bytes:
        """The summary under `filters`, as of the last commit: the answer's JSON."""
        await self.follow()
        asked = filters.model_dump_json(exclude_defaults=True)
        kept = self.answers.get(asked)
        if kept is None:
            matching = await self._matching(filters.q) if filters.q else None
            kept = self.answers[asked] = to_json(self.summary(filters, matching))
            if len(self.answers) > KEPT_ANSWERS:
                self.answers.popitem(last=False)
        return kept

    async def _matching(self, words: str) -> BitMap:
        """The newest pledges that the words match."""
        table = PublishedPledge
        async with self.database.reader.connect() as reader:
            matching = [search.matches(table.search, words)]
            return BitMap(await newest(reader, table.ordinal, matching, table.ordinal, COUNTED))


def _written(amount: int) -> str:
    """The exact decimal, with two places or as many as it needs."""
    whole, rest = divmod(amount, SCALE)
    digits = f"{rest:04d}"
    return f"{whole}.{digits[:2]}{digits[2:].rstrip('0')}"
