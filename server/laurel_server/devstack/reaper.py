"""Starts processes and waits for them as the init of a small tree.

Signals of ended children are turned into futures. Whoever loses its parent below this process (the backends of a
killed PostgreSQL, say) becomes its child and is waited for too, so nothing stays as a zombie, also where this process
is the first one of a container.
"""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

_PR_SET_CHILD_SUBREAPER = 36
_POLL_SECONDS = 0.005


class Reaper:
    """The only one in this process that may wait for children; for the main thread, by `async with`."""

    def __init__(self) -> None:
        self._ends: dict[int, asyncio.Future[int]] = {}

    async def __aenter__(self) -> Self:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        asyncio.get_running_loop().add_signal_handler(signal.SIGCHLD, self._reap)
        return self

    async def __aexit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGCHLD)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        output: int | IO[bytes],
        env: Mapping[str, str],
        cwd: Path = Path("/"),
        keep_open: Sequence[int] = (),
    ) -> tuple[int, asyncio.Future[int]]:
        """Start a command in its own session; return its id and a future of its exit code (-N = signal N).

        Both its outputs go to `output`, its input is empty, and `keep_open` are the descriptors that it inherits.
        """
        popen = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd,
            pass_fds=keep_open,
            start_new_session=True,
        )
        popen.returncode = 0  # its end is ours to see, so Popen must neither wait for it nor warn
        end = asyncio.get_running_loop().create_future()
        self._ends[popen.pid] = end
        return popen.pid, end

    async def run(
        self, command: Sequence[str | Path], *, output: int | IO[bytes], env: Mapping[str, str]
    ) -> int:
        """Run a command to its end and return its exit code; when cancelled, leave nothing of it running."""
        pid, end = self.spawn(command, output=output, env=env)
        try:
            return await asyncio.shield(end)
        except asyncio.CancelledError:
            with suppress(ProcessLookupError):  # the group is empty
                while True:
                    os.killpg(pid, signal.SIGKILL)
                    await asyncio.sleep(_POLL_SECONDS)
            raise

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            end = self._ends.pop(pid, None)
            if end is not None and not end.done():
                end.set_result(os.waitstatus_to_exitcode(status))
