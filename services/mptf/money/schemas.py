"""What clients send and read of contributions and transfers."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from services.mptf.schemas import Acronym, ThematicAreaNumber
from shared.lists import Paging
from shared.reference import CountryCode
from shared.schemas import Currency, Day, Line, Model, Money, PartialDate, Source, Unique

Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
# A refund is negative.
Transferred = Annotated[
    str,
    StringConstraints(pattern=r"^-?[0-9]{1,16}(\.[0-9]{1,4})?$"),
    Field(description="In USD, a decimal string; negative for a refund.", examples=["150000.00"]),
]


class NewContribution(Model):
    """What a donor gave; the soft earmark names thematic areas, none where it is not earmarked."""

    donor: Line
    country: CountryCode | None = Field(default=None, description="Where the donor is a government.")
    amount: Money
    currency: Currency
    contributed_on: PartialDate
    thematic_areas: Annotated[list[ThematicAreaNumber], Unique()] = Field(default=[], max_length=5)
    note: Remark | None = None


class ContributionChanges(Model):
    """What is put right in a contribution; null where it is not known. An amount goes with its currency."""

    donor: Line | None = None
    country: CountryCode | None = None
    amount: Money | None = None
    currency: Currency | None = None
    contributed_on: PartialDate | None = None
    thematic_areas: Annotated[list[ThematicAreaNumber], Unique()] | None = Field(default=None, max_length=5)
    note: Remark | None = None


class Contribution(Model):
    """A contribution to the Fund; what no source gives is null."""

    id: UUID
    donor: str
    country: CountryCode | None
    amount: Money | None = Field(description="Null where it is not known.")
    currency: Currency | None
    contributed_on: PartialDate | None
    thematic_areas: list[ThematicAreaNumber] = Field(description="The soft earmark; empty without one.")
    note: str | None
    source: Source | None = Field(description="Set for contributions of before this system.")
    complete: bool = Field(description="False where amount, currency or date are not known.")
    created_at: datetime
    updated_at: datetime


class ContributionList(Paging):
    """Parameters of the list."""

    country: list[CountryCode] = []
    currency: list[Currency] = []
    thematic_area: list[ThematicAreaNumber] = []
    sort: Literal["created_at", "-created_at", "updated_at", "-updated_at"] = "-created_at"


class NewTransfer(Model):
    """A transfer of the Administrative Agent to an organisation of an approved budget."""

    organisation: Acronym
    amount: Transferred
    transferred_on: Day = Field(description="The day in UTC; not in the future.")
    note: Remark | None = None


class Transfer(Model):
    """A transfer as recorded, in USD."""

    id: UUID
    organisation: str
    amount: Transferred
    currency: Literal["USD"]
    transferred_on: date
    note: str | None
    created_at: datetime
