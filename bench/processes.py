"""Child processes that live no longer than the benchmark, and what the system says about a process."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from laurel_server.devstack import exec_child

READY_SECONDS = 120.0
STOP_SECONDS = 30.0


@asynccontextmanager
async def python(*arguments: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Run a Python program until the end of the context; gives the line that it prints when it is ready.

    It gets SIGTERM when the benchmark dies, however that dies. RuntimeError if it ends before it is ready.
    """
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            *_bound_to_us([sys.executable, *arguments]),
            env={**os.environ, **(environment or {})},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
            if not line:
                errors.seek(0)
                raise RuntimeError(f"`{' '.join(arguments)}` did not start:\n{errors.read().decode()}")
            yield line.decode().strip()
        finally:
            await _stop(process)


def _bound_to_us(command: Sequence[str]) -> list[str]:
    spec: dict[str, object] = {
        "parent": os.getpid(),
        "signal": int(signal.SIGTERM),
        "account": None,
        "capability": None,
        "namespace": False,
        "reach": [],
    }
    return [sys.executable, "-I", "-S", exec_child.__file__, json.dumps(spec), *command]


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def resident_bytes(pid: int) -> int:
    """Return how much memory a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and all it has started used, their own and the system's.

    Of a descendant that has ended, what its parent was told counts: nothing is lost but of who is left an orphan.
    """
    ticks, parents = _clocks()
    tree = [pid]
    for parent in tree:
        tree += [child for child, of in parents.items() if of == parent]
    return sum(ticks[each] for each in tree) / os.sysconf("SC_CLK_TCK")


def _clocks() -> tuple[dict[int, int], dict[int, int]]:
    """Return by pid the ticks of each process with its ended children, and its parent."""
    ticks, parents = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(ProcessLookupError, FileNotFoundError):
            after_name = file.read_text().rpartition(")")[2].split()
            pid = int(file.parent.name)
            parents[pid], ticks[pid] = int(after_name[1]), sum(map(int, after_name[11:15]))
    return ticks, parents
