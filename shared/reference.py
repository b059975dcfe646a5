"""The reference lists of the Global Compact for Migration, read once from shared/data.

Each file holds `source`, `as_of` and `note` beside its `items`. The functions give typed, frozen records;
`answer` gives a list as the public API serves it, with texts in one language. A text that has no recorded
translation is given in English and says so: nothing is translated here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, Field, TypeAdapter, WithJsonSchema

from shared.languages import Language

T = TypeVar("T")

DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in English and, where one is recorded, in French and Spanish."""

    en: str
    fr: str | None = None
    es: str | None = None

    def in_language(self, language: Language) -> tuple[str, Language]:
        """The text in this language and that language, or the English and `en`."""
        text: str | None = getattr(self, language)
        return (text, language) if text is not None else (self.en, "en")


@dataclass(frozen=True, slots=True)
class Objective:
    """One of the 23 objectives; `label` is the Network's short form, `title` the Compact's heading."""

    number: int
    label: Text
    title: Text
    thematic_area: int
    round_table: int


@dataclass(frozen=True, slots=True)
class Principle:
    """One of the 10 guiding principles, in the Compact's order."""

    position: int
    code: str
    label: Text


@dataclass(frozen=True, slots=True)
class ThematicArea:
    """One of the Fund's five thematic areas; together they hold each objective once."""

    number: int
    label: Text
    objectives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RoundTable:
    """One of the Review Forum's four round tables; together they hold each objective once."""

    number: int
    objectives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sdg:
    """One of the 17 Sustainable Development Goals by its short title."""

    number: int
    label: Text


@dataclass(frozen=True, slots=True)
class Country:
    """A country or area of ISO 3166-1 with its UN name; `m49` and `region` are three digits."""

    iso3: str
    m49: str
    name: Text
    region: str | None
    sub_region: str | None
    review_regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """A region of M49 (`002`) or of the Compact's regional reviews (`eca`), with its countries' codes."""

    code: str
    label: Text
    kind: Literal["m49", "regional_review"]
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """An entity of the UN Network on Migration."""

    acronym: str
    slug: str
    name: Text
    name_as_printed: str
    aliases: tuple[str, ...]
    executive_committee: bool
    coordinator: bool
    secretariat: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class EntityType:
    """A kind of pledging entity."""

    code: str
    label: Text


@dataclass(frozen=True, slots=True)
class ChampionCountry:
    """A Champion country; `confirmed` is false where one press page alone names it."""

    iso3: str
    name: Text
    since: str | None
    source: str
    other_sources: tuple[str, ...]
    confirmed: bool


@cache
def _file(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    return content


def _load(kind: type[T], file: str, /, **joined: Callable[[dict[str, Any]], Any]) -> tuple[T, ...]:
    """The file's items as records; `joined` computes what a record takes from another list."""
    rows = [row | {field: value(row) for field, value in joined.items()} for row in _file(file)["items"]]
    return TypeAdapter(tuple[kind, ...]).validate_python(rows)  # type: ignore[valid-type]


@cache
def objectives() -> tuple[Objective, ...]:
    """The 23 objectives by number."""
    return _load(Objective, "objectives")


@cache
def principles() -> tuple[Principle, ...]:
    """The 10 guiding principles by position."""
    return _load(Principle, "principles")


@cache
def thematic_areas() -> tuple[ThematicArea, ...]:
    """The Fund's 5 thematic areas, each with the objectives that name it."""
    return _load(
        ThematicArea,
        "thematic_areas",
        objectives=lambda area: [o.number for o in objectives() if o.thematic_area == area["number"]],
    )


@cache
def round_tables() -> tuple[RoundTable, ...]:
    """The Review Forum's 4 round tables, each with the objectives that name it."""
    return tuple(
        RoundTable(number, tuple(o.number for o in objectives() if o.round_table == number))
        for number in sorted({o.round_table for o in objectives()})
    )


@cache
def sdgs() -> tuple[Sdg, ...]:
    """The 17 Sustainable Development Goals by number."""
    return _load(Sdg, "sdgs")


@cache
def countries() -> tuple[Country, ...]:
    """The countries and areas by alpha-3 code."""
    return _load(Country, "countries")


@cache
def regions() -> tuple[Region, ...]:
    """The five regions of M49, then the five of the regional reviews."""
    return _load(
        Region,
        "regions",
        countries=lambda region: [c.iso3 for c in countries() if region["code"] in (c.region, *c.review_regions)],
    )


@cache
def members() -> tuple[Member, ...]:
    """The Network's members in the source's order."""
    return _load(Member, "members")


@cache
def entity_types() -> tuple[EntityType, ...]:
    """The kinds of entity that pledge."""
    return _load(EntityType, "entity_types")


@cache
def champion_countries() -> tuple[ChampionCountry, ...]:
    """The Champion countries that could be named, by alpha-3 code."""
    names = {c.iso3: c.name for c in countries()}
    return _load(ChampionCountry, "champion_countries", name=lambda row: names[row["iso3"]])


OBJECTIVE_NUMBERS: Final = frozenset(o.number for o in objectives())
PRINCIPLE_CODES: Final = tuple(p.code for p in principles())
SDG_NUMBERS: Final = frozenset(s.number for s in sdgs())
ENTITY_TYPES: Final = tuple(e.code for e in entity_types())
COUNTRY_CODES: Final = frozenset(c.iso3 for c in countries())
REGION_CODES: Final = tuple(r.code for r in regions())


@cache
def _regions_by_country() -> dict[str, tuple[str, ...]]:
    return {c.iso3: ((c.region,) if c.region else ()) + c.review_regions for c in countries()}


def regions_of(country: str) -> tuple[str, ...]:
    """The region of M49 and the review regions of a country by its alpha-3 code; KeyError if unknown."""
    return _regions_by_country()[country]


@cache
def _countries_by_region() -> dict[str, tuple[str, ...]]:
    return {r.code: r.countries for r in regions()}


def countries_of(region: str) -> tuple[str, ...]:
    """The alpha-3 codes of a region's countries, sorted; KeyError if the region is unknown."""
    return _countries_by_region()[region]


@cache
def _members_by_name() -> dict[str, Member]:
    return {name.casefold(): member for member in members() for name in (member.acronym, member.slug, *member.aliases)}


def member_by(name: str) -> Member | None:
    """The member with this acronym, alias or slug (`UNDESA`, `un-iom`), in any case."""
    return _members_by_name().get(name.strip().casefold())


def thematic_area_of(objective: int) -> int:
    """The number of the thematic area that holds an objective; KeyError if there is no such objective."""
    return _areas_by_objective()[objective]


@cache
def _areas_by_objective() -> dict[int, int]:
    return {o.number: o.thematic_area for o in objectives()}


_LISTS: Final[dict[str, Callable[[], tuple[Any, ...]]]] = {
    "objectives": objectives,
    "principles": principles,
    "thematic-areas": thematic_areas,
    "sdgs": sdgs,
    "countries": countries,
    "regions": regions,
    "members": members,
    "entity-types": entity_types,
    "champion-countries": champion_countries,
}
LIST_NAMES: Final = tuple(_LISTS)


def listing(name: str, language: Language) -> list[dict[str, Any]]:
    """The rows of a list of `LIST_NAMES`; beside each text stands the language it is in (`label_language`).

    KeyError if there is no such list.
    """
    return [_row(item, language) for item in _LISTS[name]()]


def answer(name: str, language: Language) -> dict[str, Any]:
    """A whole list as the API answers it: `items`, then `source`, `as_of`, `note` and what else the file says.

    KeyError if there is no such list.
    """
    return {"items": listing(name, language)} | {
        key: value for key, value in _file(name.replace("-", "_")).items() if key != "items"
    }


def _row(item: Any, language: Language) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        if isinstance(value, Text):
            row[field.name], row[f"{field.name}_language"] = value.in_language(language)
        else:
            row[field.name] = list(value) if isinstance(value, tuple) else value
    return row


def _one_of(known: frozenset[str] | tuple[str, ...], what: str) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"not {what}")
        return value

    return AfterValidator(check)


# Types for the services' schemas: checked against the lists, and listed in the contract where short.
CountryCode = Annotated[
    str,
    _one_of(COUNTRY_CODES, "a country code of the list (ISO 3166-1 alpha-3)"),
    WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 3166-1 alpha-3 code"}),
]
RegionCode = Annotated[
    str,
    _one_of(REGION_CODES, "a region of M49 or of the regional reviews"),
    WithJsonSchema({"type": "string", "enum": list(REGION_CODES)}),
]
PrincipleCode = Annotated[
    str,
    _one_of(PRINCIPLE_CODES, "a guiding principle's code"),
    WithJsonSchema({"type": "string", "enum": list(PRINCIPLE_CODES)}),
]
EntityTypeCode = Annotated[
    str,
    _one_of(ENTITY_TYPES, "an entity type"),
    WithJsonSchema({"type": "string", "enum": list(ENTITY_TYPES)}),
]
ObjectiveNumber = Annotated[int, Field(ge=1, le=len(OBJECTIVE_NUMBERS))]
SdgNumber = Annotated[int, Field(ge=1, le=len(SDG_NUMBERS))]
