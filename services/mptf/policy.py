"""The Fund's policy: data with a date from which it holds."""

import json
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from shared import clock
from shared.schemas import Amount, Currency, Model

FILE = Path(__file__).with_name("data") / "policies.json"


class PolicyCriterion(Model):
    """One criterion of the screening."""

    code: str = Field(pattern=r"^[a-z_]{1,40}$")
    kind: Literal["eligibility", "quality"]
    title: str


class MonthsGuidance(Model):
    """Guidance on the duration, in months, both ends included."""

    at_least: int
    at_most: int


class BudgetGuidance(Model):
    """Guidance on the whole budget, both ends included."""

    currency: Currency
    at_least: Amount
    at_most: Amount


class FundPolicy(Model):
    """The rules and the guidance of the Fund that hold from a day on."""

    holds_from: date
    lead_days: int = Field(description="A note is in time for a meeting so many days after its submission, or later.")
    minimum_organisations: int = Field(description="Members of the Network that take part, at least.")
    duration_months: MonthsGuidance
    budget: BudgetGuidance
    indirect_share: Amount = Field(description="Indirect costs over direct costs, at most: `0.07` is 7 %.")
    criteria: list[PolicyCriterion]
    note: str = Field(description="What is a published rule and what is guidance.")

    @property
    def lead(self) -> timedelta:
        return timedelta(days=self.lead_days)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(criterion.code for criterion in self.criteria)


@cache
def policies() -> tuple[FundPolicy, ...]:
    """Every policy, the latest first."""
    file = json.loads(FILE.read_text("utf-8"))
    found = [FundPolicy.model_validate({**item, "note": file["note"]}) for item in file["items"]]
    return tuple(sorted(found, key=lambda policy: policy.holds_from, reverse=True))


def in_force(day: date | None = None) -> FundPolicy:
    """The policy in force on a day (UTC), today unless given; before the first one, the first."""
    day = day or clock.today()
    return next((policy for policy in policies() if policy.holds_from <= day), policies()[-1])
