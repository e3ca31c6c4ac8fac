"""The Laurel server as a child."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from signal import Signals

from laurel_server.devstack.ports import Endpoint
from laurel_server.devstack.service import Launch, StopStep

Probe = Callable[[str], Awaitable[None]]
"""Asks the server at an address (`HOST:PORT`) whether it serves; raises OSError if it does not."""

SERVER_COMMAND: Sequence[str] = (sys.executable, "-P", "-m", "laurel_server.runtime.server")

_DRAIN_MARGIN_SECONDS = 1.0  # a server that uses all of its time to drain still ends by itself


class ServerProcess:
    """One server process, configured by its environment."""

    leftover_seconds = 0.5  # nobody waits for the answers of a server whose supervisor is gone

    def __init__(
        self,
        *,
        name: str,
        grpc: Endpoint,
        settings: Mapping[str, str],
        probe: Probe,
        drain_seconds: float,
        ready_seconds: float,
        command: Sequence[str] = SERVER_COMMAND,
    ) -> None:
        self.name = name
        self.ready_seconds = ready_seconds
        self.stop_steps: Sequence[StopStep] = (
            StopStep(Signals.SIGTERM, drain_seconds + _DRAIN_MARGIN_SECONDS),
            StopStep(Signals.SIGKILL, 10),
        )
        self._command = command
        self._grpc = grpc
        self._settings = settings
        self._probe = probe

    async def prepare(self) -> Launch:
        """Hands the settings on; everything else comes from the environment of `serve`."""
        env = {**os.environ, **self._settings}
        return Launch(command=self._command, env=env, death_signal=Signals.SIGTERM, cwd=Path.cwd())

    async def probe(self) -> None:
        """Asks for its health. First whether it listens: while it starts, a client that finds it out takes long."""
        _, writer = await asyncio.open_connection(self._grpc.host, self._grpc.port)
        writer.close()
        await self._probe(str(self._grpc))
