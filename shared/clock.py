"""The domain's time: UTC, moved by CLOCK_OFFSET_DAYS in development. Tokens are judged by the machine's own."""

from datetime import UTC, date, datetime, timedelta

_offset = timedelta(0)


def configure(offset_days: int) -> None:
    """Move the domain's day; called once by the process that reads the settings."""
    global _offset  # noqa: PLW0603 - the one moving part of the clock
    _offset = timedelta(days=offset_days)


def now() -> datetime:
    return datetime.now(UTC) + _offset


def today() -> date:
    """The day in UTC: the Fund's deadlines are UTC dates."""
    return now().date()
