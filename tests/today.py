"""Tests that live by the clock of the machine begin and end on the same day."""

import time
from collections.abc import Generator

import pytest

DAY_SECONDS = 86_400
LONGEST_SECONDS = 600
"""Tests that may take longer have the sandbox's clock."""


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before the time of the test runs
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Wait for the next day, by UTC, if the present one may end during a test that asks for boards of today.

    Imported into a conftest.py it holds for the tests beside it. Days that end are the matter of tests whose clock is
    the sandbox's.
    """
    time.sleep(seconds_to_wait(time.time(), limit_of(item)))
    return (yield)


def limit_of(item: pytest.Item) -> float:
    """Return after how many seconds pytest ends a test."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0] if marker else item.config.getini("timeout"))


def seconds_to_wait(now: float, limit: float) -> float:
    """Return for how long a test is to wait that may take `limit` seconds, so that no day ends in it."""
    left = DAY_SECONDS - now % DAY_SECONDS
    return left if left < limit <= LONGEST_SECONDS else 0
