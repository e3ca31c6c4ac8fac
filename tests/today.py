"""Tests that live by the clock of the machine begin and end on the same day."""

import time
from collections.abc import Generator

import pytest

DAY_SECONDS = 86_400
LONGEST_SECONDS = 120
"""Longer than a test that asks for boards of today, of this week or of this month ever takes: pytest ends it."""


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before the time of the test runs
def pytest_runtest_protocol() -> Generator[None, bool | None, bool | None]:
    """Wait for the next day, by UTC, if the present one may end during a test.

    Imported into a conftest.py it holds for the tests beside it. Days that end are the matter of tests whose clock is
    the sandbox's.
    """
    left = DAY_SECONDS - time.time() % DAY_SECONDS
    if left < LONGEST_SECONDS:
        time.sleep(left)
    return (yield)
