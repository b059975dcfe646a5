"""Building blocks of request and answer models."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

V = TypeVar("V")


class Model(BaseModel):
    """Refuses unknown fields; what is answered always carries every field (`shared.openapi` writes it so)."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Draft(Model):
    """What owners write: null removes a value (RFC 7396), a list's too."""

    @model_validator(mode="before")
    @classmethod
    def _null_empties(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        emptied = {name: field.get_default() for name, field in cls.model_fields.items() if _holds_many(field)}
        return {name: emptied.get(name) if value is None else value for name, value in given.items()}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        drawn = handler(schema)
        properties = handler.resolve_ref_schema(drawn).get("properties", {})
        for name, field in cls.model_fields.items():
            if _holds_many(field) and "anyOf" not in properties[name]:
                words = {key: properties[name].pop(key) for key in ("title", "description") if key in properties[name]}
                properties[name].pop("default", None)
                properties[name] = {**words, "anyOf": [properties[name], {"type": "null"}]}
        return drawn


def _holds_many(field: FieldInfo) -> bool:
    return isinstance(field.default, list | dict)


DECIMAL_PATTERN = r"^-?[0-9]{1,16}(\.[0-9]{1,4})?$"
MONEY_PATTERN = r"^[0-9]{1,16}(\.[0-9]{1,4})?$"

Measure = Annotated[
    str,
    StringConstraints(pattern=DECIMAL_PATTERN),
    Field(description="A decimal number as a string.", examples=["12.5"]),
]
Money = Annotated[
    str,
    StringConstraints(pattern=MONEY_PATTERN),
    Field(description="An amount as a decimal string, never a float.", examples=["200000.00"]),
]
Currency = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), Field(description="ISO 4217 code.", examples=["EUR"])
]

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"\S")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$"), Field(examples=["gov-ken", "un-iom"])]
# What is no character of a word, spelled out: engines differ in what `\s` holds.
_SPACES = r"\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=254,
        pattern=rf"^[^{_SPACES}@<>\",;]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
    ),
]
Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=40, pattern=r"^[0-9+() ./-]*[0-9][0-9+() ./-]*$"),
]


def _partial_date(value: str) -> str:
    year, *rest = value.split("-")
    month, day = (*map(int, rest), 1, 1)[:2]
    try:
        date(int(year), month, day)
    except ValueError:
        raise ValueError(f"{value} is no date of the calendar") from None
    return value


PartialDate = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"),
    AfterValidator(_partial_date),
    Field(description="A date as far as it is known: `2021`, `2024-06` or `2024-06-01`.", examples=["2024-06"]),
]


WebAddress = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=2000,
        pattern=rf'^https?://[A-Za-z0-9.-]+(:[0-9]{{1,5}})?([/?#][^{_SPACES}<>"]*)?$',
    ),
    Field(description="An absolute web address."),
]


def _written_as_a_day(value: Any) -> Any:
    if not isinstance(value, date) and not (
        isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)
    ):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


# Pydantic alone would take "0" for the first of January 1970.
Day = Annotated[date, BeforeValidator(_written_as_a_day)]


class Unique:
    """Marks a list whose values stand once each: `Annotated[list[str], Unique()]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(unique, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "uniqueItems": True}


class Contact(Model):
    """The contact person: never in a public answer, an export or a log."""

    name: Line | None = None
    email: Email | None = None
    phone: Phone | None = None


class Advice(Model):
    """Guidance that is not a rule: nothing is refused for it."""

    pointer: str
    detail: str


class Source(Model):
    """Where a record of before this system comes from."""

    name: str = Field(description="The register or page it was taken from.")
    url: str | None = Field(description="Its address there.")
    note: str | None = Field(description="What the source leaves open.")


class Record(Model):
    """What every record answers with, whatever its kind."""

    id: UUID
    reference: str = Field(description="The reference people cite; gaps are allowed.", examples=["PLG-2026-0042"])
    status: str
    actions: list[str] = Field(description="What this caller may do now: names for `…/actions/{action}`.")
    version: int = Field(description="Number of the current publication; 0 while there is none.")
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None = Field(description="When it was first published.")
    sample: bool = Field(description="True for a demonstration record: nobody's real commitment.")
    source: Source | None = Field(description="Set for records of before this system.")
    complete: bool = Field(
        description="Whether nothing is missing that `submit` asks for; false in some records of before this system."
    )


class Step(Model):
    """One entry of a record's history."""

    id: UUID
    at: datetime
    actor: str = Field(description="Who: the caller's name, or subject where no name is known.")
    action: str
    from_status: str | None
    to_status: str
    comment: str | None
    details: dict[str, Any] = Field(description="What else changed, by name: a new owner, a slot, dates.")


class Version(Model):
    """One publication of a record."""

    version: int
    published_at: datetime
    current: bool = Field(description="True for the one that the public reads now.")


# A sum in SQL is a Decimal; it leaves as a string.
Amount = Annotated[
    Decimal,
    PlainSerializer(lambda value: format(value, "f"), return_type=str),
    WithJsonSchema({"type": "string", "pattern": MONEY_PATTERN}),
]


def unique(values: list[V]) -> list[V]:
    """Refuse a value that stands twice."""
    if len(set(values)) < len(values):
        raise ValueError("a value stands twice")
    return values


def left_alone() -> Any:
    """The default of a field that a change need not name, and that null does not empty: none is documented."""
    return Field(default=None, json_schema_extra=lambda schema: schema.pop("default", None))  # type: ignore[arg-type]
