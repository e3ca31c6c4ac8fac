from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from laurel_server.jobs.schedule import next_due

NIGHTLY = "30 3 * * *"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_a_job_that_never_ran_is_due_at_once() -> None:
    assert next_due(NIGHTLY, UTC, None) is None


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        (NIGHTLY, datetime(2026, 11, 26, 3, 30, tzinfo=UTC)),
        ("* * * * *", NOON + timedelta(minutes=1)),
        ("0 */6 * * *", datetime(2026, 11, 25, 18, tzinfo=UTC)),
        ("0 0 29 feb *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 5 * * mon", datetime(2026, 11, 30, 5, tzinfo=UTC)),
    ],
)
def test_the_next_moment_comes_after_the_last_run(schedule: str, due: datetime) -> None:
    assert next_due(schedule, UTC, NOON) == due


def test_a_run_at_its_moment_covers_that_moment() -> None:
    assert next_due("0 12 * * *", UTC, NOON) == NOON + timedelta(days=1)


def test_the_calendar_is_that_of_the_time_zone() -> None:
    assert next_due(NIGHTLY, ZoneInfo("Europe/Berlin"), NOON) == datetime(2026, 11, 26, 2, 30, tzinfo=UTC)


def test_a_moment_that_a_clock_change_skips_comes_once() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    due = next_due("30 2 * * *", berlin, before)  # 02:30 does not exist on 29 March
    assert due is not None
    assert datetime(2026, 3, 29, tzinfo=UTC) <= due < datetime(2026, 3, 29, 2, tzinfo=UTC)
    following = next_due("30 2 * * *", berlin, due)
    assert following is not None
    assert following.astimezone(berlin).date() == datetime(2026, 3, 30, tzinfo=UTC).date()
