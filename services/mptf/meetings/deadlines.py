"""The six weeks, to the day, in UTC."""

from datetime import date

from services.mptf import policy


def in_time_from(counted_from: date) -> date:
    """The first day on which a meeting may consider a note that counts from this day (UTC)."""
    return counted_from + policy.in_force(counted_from).lead


def deadline(meeting: date) -> date:
    """The last day (UTC) on which a note is in time for a meeting."""
    return meeting - policy.in_force(meeting).lead
