"""Demonstration pledges: the same ones each time, nobody's real commitment, as many as asked for."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.pledges.dimensions import DIMENSIONS
from shared.reference import COUNTRY_CODES

LAUNCH = datetime(2021, 12, 17, 9, tzinfo=UTC)
# As many as had been submitted by April 2023, spread over the months since the launch.
SHOWN = 224
MONTHS = 16

VALUES = {dimension.name: dimension.values for dimension in DIMENSIONS}
COUNTRIES = sorted(COUNTRY_CODES)
ACTIONS = (
    ("Train", "labour inspectors on fair recruitment"),
    ("Open", "a regular pathway for seasonal workers"),
    ("Publish", "disaggregated data on migration each year"),
    ("Recognize", "skills of returning migrants"),
    ("Lower", "the cost of sending remittances home"),
    ("End", "the detention of migrant children"),
    ("Extend", "health services to migrants regardless of status"),
    ("Support", "local governments that welcome newcomers"),
)
MEANS = (
    "A working group of ministries and migrant associations plans the steps and meets every quarter.",
    "The budget of the coming years has a line for it, and an annual report says what was spent.",
    "Municipalities carry it out with partners from civil society, who also collect the data.",
    "Progress is reviewed each year against the indicators below, in public.",
)
# Kinds of entity that may stand in a sample: a government or a UN entity would be taken for a real one.
TYPES = (
    "civil_society",
    "academia",
    "private_sector",
    "trade_union",
    "migrant_diaspora",
    "youth",
    "faith_based",
    "media",
)
CURRENCIES = ("USD", "EUR", "XOF")


def content(number: int) -> dict[str, Any]:
    """The content of sample `number`, from 1; deterministic."""
    draw = random.Random(number)  # noqa: S311 - a demonstration, not a secret
    verb, what = ACTIONS[number % len(ACTIONS)]
    forms = draw.sample(VALUES["form"], k=1 + (number % 5 == 0))
    starts = 2022 + number % 3
    made: dict[str, Any] = {
        "title": f"[Sample] {verb} {what} ({number})",
        "description": " ".join(["This is a demonstration record.", f"It pledges to {verb.lower()} {what}.", *MEANS]),
        "language": "en",
        "entity": {"name": f"Sample organisation {number % 60 + 1:02d}", "type": TYPES[number % len(TYPES)]},
        "approach": "individual",
        "forms": sorted(forms),
        "objectives": sorted(draw.sample(VALUES["objective"], k=draw.choice((1, 1, 2, 3)))),
        "principles": sorted(draw.sample(VALUES["principle"], k=draw.choice((1, 2, 3)))),
        "countries": sorted(draw.sample(COUNTRIES, k=draw.choice((1, 1, 1, 2, 4)))),
        "scope": draw.choice(VALUES["scope"]),
        "starts_on": str(starts),
        "ends_on": f"{starts + 3}-12",
        "indicators": [{"name": "People reached", "unit": "persons", "baseline": "0", "target": str(100 * number)}],
    }
    if "financial" in forms:
        made["financial"] = {
            "amount": f"{draw.randint(10, 2000)}000.00",
            "currency": draw.choice(CURRENCIES),
            "recipient": "Sample fund",
        }
    return made


def published_at(number: int, of: int = SHOWN) -> datetime:
    """When sample `number` of `of` was published: in their order, from the initiative's launch on."""
    return LAUNCH + timedelta(days=MONTHS * 30) * ((number - 1) / of)


def implementation_status(number: int) -> str | None:
    """As reported, for two samples of three."""
    return None if number % 3 == 0 else str(VALUES["implementation_status"][number % 4])


def identifier(number: int) -> UUID:
    """A UUIDv7 of the sample's own moment, so that a second load finds it again."""
    milliseconds = int(LAUNCH.timestamp() * 1000) + number
    draw = random.Random(f"sample {number}")  # noqa: S311
    return UUID(int=milliseconds << 80 | 7 << 76 | draw.getrandbits(12) << 64 | 2 << 62 | draw.getrandbits(62))
