"""When tests wait for the next day."""

from datetime import UTC, datetime

import pytest

from tests.today import limit_of, seconds_to_wait

pytestmark = pytest.mark.timeout(7)


@pytest.mark.parametrize(
    ("time", "limit", "seconds"),
    [
        ("23:57:00", 120, 0),
        ("23:57:00", 181, 180),
        ("23:58:00", 120, 0),
        ("23:58:01", 120, 119),
        ("23:59:59", 600, 1),
        ("23:59:59", 1800, 0),
        ("00:00:00", 180, 0),
    ],
)
def test_a_test_waits_if_its_day_may_end(time: str, limit: float, seconds: float) -> None:
    now = datetime.fromisoformat(f"2026-11-30T{time}").replace(tzinfo=UTC).timestamp()
    assert seconds_to_wait(now, limit) == seconds


def test_its_limit_is_its_own(request: pytest.FixtureRequest) -> None:
    assert limit_of(request.node) == 7


@pytest.mark.timeout(9)
def test_its_limit_is_the_nearest(request: pytest.FixtureRequest) -> None:
    assert limit_of(request.node) == 9
