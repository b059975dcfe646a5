"""What is read of the Fund as a whole: sums, and the committee's balance view."""

from typing import Literal

from pydantic import Field

from services.mptf.schemas import ProgrammeStatus, ThematicAreaNumber
from shared.reference import CountryCode, RegionCode
from shared.schemas import Currency, Model, Money


class BudgetSum(Model):
    """How many programmes, and their budgets together."""

    count: int
    amount: Money | None = Field(description="In USD, of those whose budget is known; null where none is.")
    unknown: int = Field(description="How many of them have no known budget.")


class ByProgrammeStatus(BudgetSum):
    status: ProgrammeStatus


class ByThematicArea(BudgetSum):
    thematic_area: ThematicAreaNumber


class ByProgrammeRegion(BudgetSum):
    region: RegionCode


class ByProgrammeCountry(BudgetSum):
    country: CountryCode


class ByOrganisation(BudgetSum):
    """What is budgeted for the organisation itself, not for the programmes it takes part in."""

    organisation: str


class DonorSum(Model):
    """What a donor gave in one currency."""

    donor: str
    country: CountryCode | None
    currency: Currency | None = Field(description="Null where no amount is known.")
    amount: Money | None
    count: int
    unknown: int = Field(description="Contributions whose amount is not known.")


class EarmarkSum(Model):
    """What is softly earmarked to a thematic area; a contribution to several areas counts in each."""

    thematic_area: ThematicAreaNumber
    currency: Currency | None
    amount: Money | None
    count: int
    unknown: int


class CurrencySum(Model):
    """All contributions in one currency; never added across currencies."""

    currency: Currency
    amount: Money
    count: int


class ProgrammeSummary(Model):
    """The pipeline and the portfolio in numbers, over what the filters leave; facets are disjunctive."""

    total: int
    currency: Literal["USD"] = Field(description="Of every budget.")
    budget: BudgetSum
    transferred: Money = Field(description="Transferred to organisations, in USD.")
    by_status: list[ByProgrammeStatus]
    by_thematic_area: list[ByThematicArea]
    by_region: list[ByProgrammeRegion] = Field(description="A programme in several regions counts in each.")
    by_country: list[ByProgrammeCountry] = Field(description="A programme in several countries counts in each.")
    by_organisation: list[ByOrganisation]
    contributions: list[CurrencySum]
    contributions_by_donor: list[DonorSum]
    contributions_by_thematic_area: list[EarmarkSum]


class BalanceSide(Model):
    """Proposed and funded, beside each other."""

    proposed: BudgetSum = Field(description="Eligible, selected, in development or approved, and not yet funded.")
    funded: BudgetSum


class BalanceByThematicArea(BalanceSide):
    thematic_area: ThematicAreaNumber


class BalanceByRegion(BalanceSide):
    region: RegionCode


class BalanceByCountry(BalanceSide):
    country: CountryCode


class Balance(BalanceSide):
    """What is proposed and what is funded, computed from the notes; confidential."""

    currency: Literal["USD"]
    by_thematic_area: list[BalanceByThematicArea]
    by_region: list[BalanceByRegion]
    by_country: list[BalanceByCountry]
