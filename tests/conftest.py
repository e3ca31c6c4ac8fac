"""What all tests have in common: where they keep their files, and that every run of them does the same.

Files are kept in memory where there is much of it. Engines write thousands, and nobody keeps them.
"""

import os
import shutil
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

MEMORY = Path("/dev/shm")
NAME = "laurel-tests-"
ENOUGH = 4 << 30
"""Bytes. Both processes of a run take less than a quarter of it at a time."""

passed = pytest.StashKey[bool]()

# The same examples in every run, however busy the machine is: what fails is what was changed. The profile `thorough`
# of tests/integration looks for other examples.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("repeatable")

# Errors that tests provoke are logged. With all local variables, as structlog shows them by itself, that takes seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.hookimpl(tryfirst=True)  # before pytest decides on the place
def pytest_configure(config: pytest.Config) -> None:
    if config.option.basetemp is None:
        remove_forgotten()  # first, as it may be what takes the room
        if is_suitable(MEMORY):
            config.option.basetemp = str(own_place())


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[passed] = exitstatus == 0


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(passed, False):  # what failed is there to be looked at until the next run
        shutil.rmtree(own_place(), ignore_errors=True)


def own_place() -> Path:
    return MEMORY / f"{NAME}{os.getpid()}"


def remove_forgotten() -> None:
    """Remove what runs that failed or were killed have left."""
    for place in MEMORY.glob(f"{NAME}*"):
        if not Path("/proc", place.name.removeprefix(NAME)).exists():
            shutil.rmtree(place, ignore_errors=True)


def is_suitable(memory: Path) -> bool:
    """Tell whether there is room, and whether tests can make programs there and run them."""
    try:
        system = os.statvfs(memory)
        available = Path("/proc/meminfo").read_text().partition("MemAvailable:")[2].split()[0]
    except (OSError, IndexError):
        return False
    free = min(system.f_bavail * system.f_frsize, int(available) << 10)
    return free >= ENOUGH and not system.f_flag & os.ST_NOEXEC and os.access(memory, os.W_OK)
