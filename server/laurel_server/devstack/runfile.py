"""`run.json`: where a running stack listens and which processes it consists of."""

from pathlib import Path

import msgspec

from laurel_server.devstack.datadir import write_private


class ProcessEntry(msgspec.Struct, frozen=True):
    """A supervised process."""

    name: str
    pid: int


class RunFile(msgspec.Struct, frozen=True):
    """The content; the keys are part of the contract."""

    grpc: str
    http: str
    pg_dsn: str
    redis_url: str
    kafka: str | None
    processes: list[ProcessEntry]

    def write(self, file: Path) -> None:
        """Replaces the file in one step; it holds passwords, so only its owner can read it."""
        write_private(file, msgspec.json.format(msgspec.json.encode(self)) + b"\n")


def read_run_file(file: Path) -> RunFile | None:
    """Returns what a stack that runs (or was killed) wrote, or None if there is none."""
    if not file.exists():
        return None
    return msgspec.json.decode(file.read_bytes(), type=RunFile)
