"""Dates in every form that the calendar knows, and what is refused of them."""

from datetime import date
from typing import Any

import pytest

from services.calendar.content import settle
from services.calendar.dates import first_of, last_of, period


def settled(**content: Any) -> dict[str, Any]:
    found = settle(content)
    assert found == []
    return content


def pointers(**content: Any) -> list[str]:
    return [fault.pointer for fault in settle(content)]


@pytest.mark.parametrize(
    ("sent", "first", "last", "precision"),
    [
        ({"starts_on": "2022-02"}, "2022-02-01", "2022-02-28", "month"),
        ({"starts_on": "2024-02"}, "2024-02-01", "2024-02-29", "month"),
        ({"starts_on": "2026"}, "2026-01-01", "2026-12-31", "year"),
        ({"starts_on": "2021-11", "ends_on": "2022-01"}, "2021-11-01", "2022-01-31", "month"),
        ({"starts_on": "2021-12-30", "ends_on": "2022-01-02"}, "2021-12-30", "2022-01-02", "day"),
        ({"starts_on": "2022-02-17", "precision": "month"}, "2022-02-01", "2022-02-28", "month"),
        ({"starts_on": "2024-02-29"}, "2024-02-29", "2024-02-29", "day"),
    ],
)
def test_days_known_in_part(sent: dict[str, str], first: str, last: str, precision: str) -> None:
    when = period(settled(**sent))
    assert when is not None
    assert (when.first.isoformat(), when.last.isoformat(), when.precision) == (first, last, precision)


def test_a_single_day_has_no_end_of_its_own() -> None:
    assert "ends_on" not in settled(starts_on="2026-05-05", ends_on="2026-05-05")


def test_hours_are_kept_with_the_offset_of_their_zone() -> None:
    content = settled(
        starts_at="2022-02-16T15:00:00+00:00", ends_at="2022-02-16T16:30:00+00:00", timezone="America/New_York"
    )
    assert content["starts_at"] == "2022-02-16T10:00:00-05:00"
    when = period(content)
    assert when is not None
    assert (when.first, when.last, when.minute) == (date(2022, 2, 16), date(2022, 2, 16), 600)


def test_an_event_to_midnight_ends_on_the_day_before() -> None:
    when = period(
        settled(starts_at="2026-05-05T20:00:00+03:00", ends_at="2026-05-06T00:00:00+03:00", timezone="Africa/Nairobi")
    )
    assert when is not None
    assert when.last == date(2026, 5, 5)


def test_what_recurs_keeps_its_hour_through_summer_time_and_lasts_as_long() -> None:
    when = period(
        settled(
            # Summer time begins in the night of 28 March 2027; in 2028 it has begun by the 28th, in 2026 it has not.
            starts_at="2026-03-28T23:00:00+01:00",
            ends_at="2026-03-29T04:00:00+02:00",
            timezone="Europe/Zurich",
            recurrence="annual",
        )
    )
    assert when is not None
    starts, ends = when.hours(date(2028, 3, 28))
    assert starts is not None
    assert ends is not None
    assert starts.isoformat() == "2028-03-28T23:00:00+02:00"
    assert ends.isoformat() == "2028-03-29T03:00:00+02:00"


def test_29_february_recurs_in_leap_years() -> None:
    when = period(settled(starts_on="2020-02-29", recurrence="annual"))
    assert when is not None
    found = [day for day, _ in when.between(date(2019, 1, 1), date(2033, 1, 1))]
    assert found == [date(2020, 2, 29), date(2024, 2, 29), date(2028, 2, 29), date(2032, 2, 29)]
    assert when.in_year(2100) is None


def test_an_occurrence_over_the_year_s_end_is_seen_from_both_sides() -> None:
    when = period(settled(starts_on="2021-12-30", ends_on="2022-01-02", recurrence="annual"))
    assert when is not None
    assert list(when.between(date(2025, 1, 2), date(2025, 1, 2))) == [(date(2024, 12, 30), date(2025, 1, 2))]
    assert list(when.between(date(2024, 12, 30), date(2024, 12, 30))) == [(date(2024, 12, 30), date(2025, 1, 2))]
    assert list(when.between(date(2025, 1, 3), date(2025, 12, 29))) == []


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"starts_on": "2026-05-05", "ends_on": "2026-05-04"}, ["/ends_on"]),
        ({"starts_on": "2026-05", "precision": "day"}, ["/starts_on"]),
        ({"starts_on": "2026-05-05", "ends_on": "2026-06"}, ["/ends_on"]),
        ({"starts_on": "2026-05-05", "timezone": "Africa/Nairobi"}, ["/timezone"]),
        ({"starts_on": "1899-12-31"}, ["/starts_on"]),
        ({"starts_on": "2200"}, ["/starts_on"]),
        ({"starts_on": "2026-02", "recurrence": "annual"}, ["/recurrence"]),
        ({"starts_on": "2026-02-01", "ends_on": "2026-03-31", "recurrence": "annual"}, ["/ends_on"]),
        ({"recurrence": "annual"}, ["/recurrence"]),
        ({"ends_on": "2026-02-01"}, ["/ends_on"]),
        ({"starts_at": "2026-05-05T10:00:00+03:00"}, ["/timezone"]),
        ({"ends_at": "2026-05-05T10:00:00+03:00"}, ["/starts_at"]),
        (
            {
                "starts_at": "2026-05-05T10:00:00+03:00",
                "ends_at": "2026-05-05T09:00:00+03:00",
                "timezone": "Africa/Nairobi",
            },
            ["/ends_at"],
        ),
        (
            {"starts_at": "2026-05-05T10:00:00+03:00", "timezone": "Africa/Nairobi", "starts_on": "2026-05-06"},
            ["/starts_on"],
        ),
        ({"starts_at": "0001-01-01T00:00:00+03:00", "timezone": "America/New_York"}, ["/starts_at"]),
        ({"starts_on": "2026", "ends_on": "2199"}, ["/ends_on"]),
    ],
)
def test_what_no_date_can_be(sent: dict[str, str], where: list[str]) -> None:
    assert pointers(**sent) == where


@pytest.mark.parametrize(
    ("sent", "status", "objectives"),
    [
        ({}, "none", None),
        ({"objectives": [19, 20]}, "assigned", [19, 20]),
        ({"principles": ["gender_responsive"]}, "assigned", None),
        ({"objectives_status": "all"}, "all", list(range(1, 24))),
        ({"objectives": list(range(1, 24))}, "all", list(range(1, 24))),
        ({"objectives_status": "tbc"}, "tbc", None),
    ],
)
def test_all_to_be_confirmed_and_none_are_three_things(
    sent: dict[str, Any], status: str, objectives: list[int] | None
) -> None:
    content = settled(**sent)
    assert (content["objectives_status"], content.get("objectives")) == (status, objectives)


@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"objectives": [1], "objectives_status": "all"}, "/objectives"),
        ({"objectives": [1], "objectives_status": "none"}, "/objectives_status"),
        ({"objectives_status": "assigned"}, "/objectives"),
        ({"lead_status": "assigned"}, "/lead_status"),
        ({"lead_status": "tbc", "lead_entities": [{"name": "IOM"}]}, "/lead_status"),
    ],
)
def test_statuses_that_their_lists_deny(sent: dict[str, Any], where: str) -> None:
    assert pointers(**sent) == [where]


def test_the_bounds_of_a_date_known_in_part() -> None:
    assert (first_of("2024"), last_of("2024")) == (date(2024, 1, 1), date(2024, 12, 31))
    assert (first_of("2023-02"), last_of("2023-02")) == (date(2023, 2, 1), date(2023, 2, 28))
    assert (first_of("2024-02-03"), last_of("2024-02-03")) == (date(2024, 2, 3), date(2024, 2, 3))
