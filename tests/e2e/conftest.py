"""Running servers for tests from outside."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.serving import Serve, eventually, is_deserted

StartServe = Callable[..., Serve]


@pytest.fixture
def start_serve(tmp_path: Path) -> Iterator[StartServe]:
    """Starts `laurel serve` on a new data directory, or on `data_dir`; ends all that it started after the test."""
    started: list[Serve] = []

    def start(*, data_dir: Path | None = None, ready: bool = True, **arguments: Any) -> Serve:
        serve = Serve(data_dir or tmp_path / f"laurel-{len(started)}", **arguments)
        started.append(serve)
        if ready:
            serve.wait_until_ready()
        return serve

    yield start
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
