"""What the supervisor has to know about a process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import Protocol

from laurel_server.devstack.identity import Identity


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a process."""

    command: Sequence[str | Path]
    env: Mapping[str, str]
    death_signal: Signals
    """Sent to the process when the supervisor dies."""
    identity: Identity = field(default_factory=Identity)
    cwd: Path = Path("/")


@dataclass(frozen=True, slots=True)
class StopStep:
    """A signal, and how long to wait for the end before the next step, in seconds."""

    signal: Signals
    seconds: float


class Service(Protocol):
    """A process that is kept running."""

    @property
    def name(self) -> str:
        """Name in the run file, of the log and of the lock."""

    @property
    def stop_steps(self) -> Sequence[StopStep]:
        """What ends it, gentlest first; the last must be SIGKILL."""

    @property
    def ready_seconds(self) -> float:
        """How long it may take to become ready, in seconds."""

    @property
    def leftover_seconds(self) -> float:
        """How long what is left of an earlier run may take to end before it is killed, in seconds."""

    async def prepare(self) -> Launch:
        """Makes ready for a start; called before each one, when nothing of an earlier run is alive."""

    async def probe(self) -> None:
        """Sends a real request; raises if it is not answered, PermissionError if it never will be."""
