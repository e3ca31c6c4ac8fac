from datetime import date, timedelta

import pytest

from laurel_server.domain.birthdays import birthdays_on, days_due


@pytest.mark.parametrize(
    ("day", "born"),
    [
        (date(2026, 11, 25), (1125,)),
        (date(2027, 2, 28), (228, 229)),
        (date(2028, 2, 28), (228,)),
        (date(2028, 2, 29), (229,)),
        (date(2100, 2, 28), (228, 229)),
    ],
)
def test_whose_birthday_it_is(day: date, born: tuple[int, ...]) -> None:
    assert birthdays_on(day) == born


def test_everybody_has_one_birthday_a_year() -> None:
    for year in (2027, 2028):
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(365 + (year == 2028))]
        born = [each for day in days for each in birthdays_on(day)]
        assert len(born) == len(set(born)) == 366


def test_missed_days_are_made_up_for_and_the_last_one_is_looked_at_again() -> None:
    today = date(2026, 11, 25)
    assert list(days_due(None, today)) == [today]
    assert list(days_due(today, today)) == [today]
    assert list(days_due(today - timedelta(days=2), today)) == [date(2026, 11, 23), date(2026, 11, 24), today]
    assert len(list(days_due(date(2000, 1, 1), today))) == 366
    assert list(days_due(today + timedelta(days=1), today)) == [today]
