"""ClickHouse as a library, run as an engine."""

import asyncio
import os
import secrets
import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from signal import Signals

from laurel_server.analytics.embedded import DATABASE, PASSWORD, USER
from laurel_server.devstack.datadir import DataDir
from laurel_server.devstack.errors import DevstackError
from laurel_server.devstack.ports import Endpoint
from laurel_server.devstack.service import Launch, StopStep
from laurel_server.devstack.surroundings import engine_environment


class EmbeddedClickHouse:
    """A ClickHouse on loopback. Its data can be filled anew from the ledger."""

    name = "clickhouse"
    stop_steps: Sequence[StopStep] = (StopStep(Signals.SIGTERM, 10), StopStep(Signals.SIGKILL, 10))
    ready_seconds = 60.0
    leftover_seconds = 5.0

    def __init__(self, data: DataDir, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._directory = data.engine(self.name)
        self._password = secrets.token_urlsafe(24)  # nobody else connects, so each run may have its own

    @property
    def url(self) -> str:
        """Address for the server."""
        return f"http://{USER}:{self._password}@{self.endpoint}/{DATABASE}"

    async def prepare(self) -> Launch:
        """Makes the directory."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        module = "laurel_server.analytics.embedded"
        return Launch(
            command=[sys.executable, "-P", "-m", module, self._directory, str(self.endpoint.port)],
            env={**engine_environment(), "HOME": os.environ.get("HOME", "/"), PASSWORD: self._password},
            death_signal=Signals.SIGTERM,
        )

    async def probe(self) -> None:
        """Sends a ping, which is answered once the library is loaded."""
        reader, writer = await asyncio.open_connection(self.endpoint.host, self.endpoint.port)
        try:
            writer.write(b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n")
            if not (await reader.readline()).startswith(b"HTTP/1.1 200"):
                raise OSError("ClickHouse does not answer")
        finally:
            writer.close()


def require_library() -> None:
    """Raises DevstackError, saying what to do, if the library is not installed."""
    if find_spec("chdb") is None:
        raise DevstackError(
            "--analytics needs ClickHouse's library; ./scripts/setup serve --analytics installs it"
        )


def library_version() -> str:
    """Returns the version of the library."""
    return version("chdb-core")
