"""Running servers for tests from outside."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser

from tests.e2e.browser import started
from tests.e2e.serving import STANDIN, Serve, eventually, is_deserted
from tests.today import pytest_runtest_protocol  # noqa: F401 - a hook

StartServe = Callable[..., Serve]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an empty ledger on which no server has been yet; it is only ever copied."""
    serve = Serve(tmp_path_factory.mktemp("prepared") / "laurel", (sys.executable, str(STANDIN), "healthy"))
    try:
        serve.wait_until_ready()
        assert serve.end() == 0
    finally:
        serve.discard()
    return serve.data_dir


@pytest.fixture
def start_serve(tmp_path: Path, prepared: Path) -> Iterator[StartServe]:
    """Starts `laurel serve` on an empty ledger, or on `data_dir`; ends all that it started after the test.

    `new`: the data directory is not there yet, so that `serve` has to make it; so it is too without `ready`, where
    nobody waits until the server is ready.
    """
    with starting(tmp_path, prepared) as start:
        yield start


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[StartServe]:
    """Starts `laurel serve` as `start_serve` does, for all tests of a file."""
    with starting(tmp_path_factory.mktemp("module"), prepared) as start:
        yield start


@pytest.fixture(scope="module")
def serve(start_shared: StartServe) -> Serve:
    """A server for all tests of a file, which is left without people by each of them."""
    return start_shared()


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium for all tests of a file."""
    async with started() as browser:
        yield browser


@contextmanager
def starting(directory: Path, prepared: Path) -> Iterator[StartServe]:
    """Gives what starts servers below a directory, and ends them."""
    started: list[Serve] = []

    def start(
        *, data_dir: Path | None = None, new: bool = False, ready: bool = True, **arguments: Any
    ) -> Serve:
        place = data_dir or directory / f"laurel-{len(started)}"
        if ready and data_dir is None and not new:
            subprocess.run(["cp", "-a", prepared, place], check=True)  # with the owners of files
        serve = Serve(place, **arguments)
        started.append(serve)
        if ready:
            serve.wait_until_ready()
        return serve

    try:
        yield start
    finally:
        with ExitStack() as ends:  # the last first; each is ended even if ending another fails
            for serve in started:
                ends.callback(serve.discard)
    for data_dir in {serve.data_dir for serve in started}:
        eventually(partial(is_deserted, data_dir), "its processes end")


@pytest.fixture(scope="session")
def laurel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """One ready `laurel serve` that tests share; `laurel.run` has the addresses."""
    serve = Serve(tmp_path_factory.mktemp("shared") / "laurel")
    try:
        serve.wait_until_ready()
        yield serve
    finally:
        serve.discard()


@pytest.fixture(scope="session")
def api(laurel: Serve) -> str:
    """Where REST of the shared server is."""
    return f"http://{laurel.run['http']}/api/v1"
