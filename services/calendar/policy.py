"""The terms of the calendar's work, as data with the date from which they hold."""

import json
from datetime import date
from functools import cache
from pathlib import Path

from pydantic import Field, TypeAdapter

from shared import clock
from shared.schemas import Model

DATA = Path(__file__).with_name("data")


class DaysBefore(Model):
    """How many days before its day a statement is to have reached a status."""

    drafting: int
    in_clearance: int
    issued: int


class CalendarPolicy(Model):
    """Terms that hold from a date on."""

    since: date
    days_before: DaysBefore
    reminders: list[int] = Field(description="Days before a date on which its lead is reminded.")


@cache
def _all() -> tuple[CalendarPolicy, ...]:
    items = json.loads((DATA / "policy.json").read_text("utf-8"))["items"]
    return tuple(sorted(TypeAdapter(list[CalendarPolicy]).validate_python(items), key=lambda each: each.since))


def in_force() -> CalendarPolicy:
    """The terms that hold today."""
    today = clock.today()
    return next((each for each in reversed(_all()) if each.since <= today), _all()[0])
