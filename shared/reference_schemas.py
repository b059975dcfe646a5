"""What the reference lists look like in an answer: one model for a row, one for each list.

The language beside a text is the language it is in: English where no translation is recorded.
"""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.languages import Language

Label = Annotated[str, Field(description="In the language named beside it")]
TextLanguage = Annotated[Language, Field(description="`en` where no translation is recorded")]

Row = TypeVar("Row", bound=BaseModel)


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Objective(_Schema):
    """One of the 23 objectives of the Global Compact for Migration."""

    number: int
    label: Label
    label_language: TextLanguage
    title: Annotated[str, Field(description="The objective's heading in the Compact")]
    title_language: TextLanguage
    thematic_area: Annotated[int, Field(description="The Fund's thematic area, 1 to 5")]
    round_table: Annotated[int, Field(description="The Review Forum's round table, 1 to 4")]


class Principle(_Schema):
    """One of the ten guiding principles, in the Compact's order."""

    position: int
    code: str
    label: Label
    label_language: TextLanguage


class ThematicArea(_Schema):
    """One of the five thematic areas of the Migration Multi-Partner Trust Fund."""

    number: int
    label: Label
    label_language: TextLanguage
    objectives: list[int]


class Sdg(_Schema):
    """One of the 17 Sustainable Development Goals by its short title."""

    number: int
    label: Label
    label_language: TextLanguage


class Country(_Schema):
    """A country or area with the name the United Nations Statistics Division gives it."""

    iso3: Annotated[str, Field(description="ISO 3166-1 alpha-3")]
    m49: Annotated[str, Field(description="UN M49, three digits")]
    name: Label
    name_language: TextLanguage
    region: Annotated[str | None, Field(description="Region of M49; null for Antarctica")]
    sub_region: Annotated[str | None, Field(description="Sub-region of M49")]
    review_regions: Annotated[list[str], Field(description="Regions of the Compact's regional reviews")]


class Region(_Schema):
    """A region that filters take: of M49, or of the Compact's regional reviews."""

    code: str
    label: Label
    label_language: TextLanguage
    kind: Literal["m49", "regional_review"]
    countries: Annotated[list[str], Field(description="ISO 3166-1 alpha-3, sorted")]


class Member(_Schema):
    """An entity of the United Nations Network on Migration."""

    acronym: str
    slug: str
    name: Label
    name_language: TextLanguage
    name_as_printed: Annotated[str, Field(description="As the source prints it, misprints included")]
    aliases: list[str]
    executive_committee: bool
    coordinator: bool
    secretariat: bool
    note: str | None


class EntityType(_Schema):
    """A kind of entity that pledges."""

    code: str
    label: Label
    label_language: TextLanguage


class ChampionCountry(_Schema):
    """A country that leads on the Compact; `confirmed` is false where one press page alone names it."""

    iso3: Annotated[str, Field(description="ISO 3166-1 alpha-3")]
    name: Label
    name_language: TextLanguage
    since: Annotated[str | None, Field(description="Known in part: `2021` or `2020-07`")]
    source: str
    other_sources: list[str]
    confirmed: bool


class _List(_Schema, Generic[Row]):
    items: list[Row]
    source: str
    as_of: Annotated[str, Field(description="Known in part: `2022`, `2022-05` or `2022-05-17`")]
    note: Annotated[str | None, Field(description="What is uncertain, and what the source asks to be said")]


class ObjectiveList(_List[Objective]):
    """The 23 objectives by number."""


class PrincipleList(_List[Principle]):
    """The ten guiding principles in the Compact's order."""


class ThematicAreaList(_List[ThematicArea]):
    """The Fund's five thematic areas."""


class SdgList(_List[Sdg]):
    """The 17 Sustainable Development Goals."""


class CountryList(_List[Country]):
    """The countries and areas by alpha-3 code; designations imply no endorsement by the United Nations."""


class RegionList(_List[Region]):
    """The regions that filters take."""


class MemberList(_List[Member]):
    """The Network's members, as of the date given."""


class EntityTypeList(_List[EntityType]):
    """The kinds of entity that pledge."""


class ChampionCountryList(_List[ChampionCountry]):
    """A partial list: `stated_total` is how many there were said to be."""

    complete: bool
    stated_total: int
    stated_total_as_of: str


LIST_MODELS: dict[str, type[BaseModel]] = {
    "objectives": ObjectiveList,
    "principles": PrincipleList,
    "thematic-areas": ThematicAreaList,
    "sdgs": SdgList,
    "countries": CountryList,
    "regions": RegionList,
    "members": MemberList,
    "entity-types": EntityTypeList,
    "champion-countries": ChampionCountryList,
}
