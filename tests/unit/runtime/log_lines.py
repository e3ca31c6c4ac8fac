"""The log of this process, for tests to read."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import structlog

from laurel_server.runtime.telemetry import configure_logging


class LogLines:
    """What has been logged."""

    def __init__(self, written: StringIO) -> None:
        self._written = written

    def all(self) -> list[dict[str, object]]:
        """Return every line."""
        return [json.loads(line) for line in self._written.getvalue().splitlines()]

    def only(self) -> dict[str, object]:
        """Return the one line there is."""
        (line,) = self.all()
        return line

    async def arrived(self) -> dict[str, object]:
        """Wait for the one line of a call, which may be answered before it is logged."""
        async with asyncio.timeout(60):
            while not self.all():  # noqa: ASYNC110 - the log has no event to await
                await asyncio.sleep(0.01)
        return self.only()


@contextmanager
def captured_log() -> Iterator[LogLines]:
    """Log into memory as a server does, and put the logging of the test run back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = StringIO()
    before = structlog.get_config()
    configure_logging("info", written)
    try:
        yield LogLines(written)
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(level)
