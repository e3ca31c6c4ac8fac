"""Birthdays: who has his on which day, also who was born on 29 February."""

from calendar import isleap
from collections.abc import Iterator
from datetime import date, timedelta

MOST_DAYS = 366
"""So many missed days are made up for; nobody has two birthdays in them."""


def birthdays_on(day: date) -> tuple[int, ...]:
    """Return whose birthday it is, as month * 100 + day of birth: without a 29 February those have it on the 28th."""
    own = day.month * 100 + day.day
    return (own, 229) if own == 228 and not isleap(day.year) else (own,)  # noqa: PLR2004 - 28 February


def days_due(covered: date | None, today: date) -> Iterator[date]:
    """Yield the days to look at: from the one that was looked at last, perhaps early in the day, to today."""
    first = today if covered is None else max(min(covered, today), today - timedelta(days=MOST_DAYS - 1))
    yield from (first + timedelta(days=passed) for passed in range((today - first).days + 1))
