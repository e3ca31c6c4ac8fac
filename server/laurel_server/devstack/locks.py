"""Locks on files, which end with the processes that hold them and therefore never lie about who is alive."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from laurel_server.devstack.errors import DevstackError

_POLL_SECONDS = 0.02
_KILL_SECONDS = 10


@contextmanager
def sole_owner(path: Path, directory: Path) -> Iterator[None]:
    """Holds the lock of a data directory; raises DevstackError if another supervisor does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _try_lock(descriptor):
            owner = os.pread(descriptor, 20, 0).decode() or "unknown"
            raise DevstackError(
                f"{directory} is in use by another `laurel serve` (process {owner}); "
                "stop it, or choose another directory with LAUREL_DATA_DIR"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


async def claim(path: Path, grace_seconds: float) -> int:
    """Returns an open descriptor that holds the lock, for a child (and its children) to inherit.

    Processes of an earlier child that still hold it get `grace_seconds` to end, then they are killed. Raises
    DevstackError if even that does not end them.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    started = time.monotonic()
    while not _try_lock(descriptor):
        waited = time.monotonic() - started
        if waited > grace_seconds + _KILL_SECONDS:
            os.close(descriptor)
            raise DevstackError(f"processes {sorted(holders(path))} of an earlier run do not end")
        if waited > grace_seconds:
            _kill(holders(path))
        await asyncio.sleep(_POLL_SECONDS)
    return descriptor


def is_held(path: Path) -> bool:
    """Tells whether a living process holds the lock."""
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDWR)
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def holders(path: Path) -> set[int]:
    """Returns the processes that hold the lock (not those that merely read the file)."""
    inode = path.stat().st_ino
    return {pid for pid in _processes() if pid != os.getpid() and _holds(pid, path, inode)}


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())


def _holds(pid: int, path: Path, inode: int) -> bool:
    with suppress(OSError):  # it ended meanwhile, or belongs to somebody else
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if descriptor.stat().st_ino == inode and descriptor.samefile(path):
                return "FLOCK" in Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text()
    return False


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
