from datetime import UTC, datetime, timedelta, timezone

import pytest

from laurel_server.domain.clock import SandboxClock, SystemClock, checked_moment
from laurel_server.domain.errors import Reason
from tests.unit.domain.refusals import refused

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_the_system_clock_tells_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_sandbox_clock_follows_the_system_until_it_is_set() -> None:
    clock = SandboxClock()
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)
    assert not clock.frozen


def test_a_set_clock_stands_still() -> None:
    clock = SandboxClock(NOON)
    assert clock.frozen
    assert clock.now() == clock.now() == NOON


def test_a_set_clock_moves_by_what_it_is_told() -> None:
    clock = SandboxClock(NOON)
    clock.advance(timedelta(days=1, seconds=1))
    assert clock.now() == NOON + timedelta(days=1, seconds=1)


def test_advancing_a_running_clock_stops_it() -> None:
    clock = SandboxClock()
    clock.advance(timedelta(hours=1))
    assert clock.frozen
    assert clock.now() > datetime.now(UTC) + timedelta(minutes=59)


def test_a_clock_may_go_back() -> None:
    clock = SandboxClock(NOON)
    clock.set(NOON - timedelta(days=365))
    assert clock.now() == NOON - timedelta(days=365)


def test_moments_are_brought_to_utc() -> None:
    clock = SandboxClock(datetime(2026, 11, 23, 13, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("year", [1, 1969, 4700, 9999])
def test_moments_that_no_transaction_id_can_hold_are_refused(year: int) -> None:
    with refused(Reason.INVALID_FIELD, "now"):
        SandboxClock(NOON.replace(year=year))


@pytest.mark.parametrize("days", [-30_000, 2_000_000, 999_999_999])
def test_advancing_out_of_the_calendar_is_refused_and_changes_nothing(days: int) -> None:
    clock = SandboxClock(NOON)
    with refused(Reason.INVALID_FIELD, "by"):
        clock.advance(timedelta(days=days))
    assert clock.now() == NOON


def test_the_bounds_of_the_calendar_are_half_open() -> None:
    first = datetime(1970, 1, 1, tzinfo=UTC)
    last = datetime(4700, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)
    assert checked_moment(first, field="now") == first
    assert checked_moment(last, field="now") == last
    for beyond in (first - timedelta(microseconds=1), last + timedelta(microseconds=1)):
        with refused(Reason.INVALID_FIELD, "now"):
            checked_moment(beyond, field="now")
