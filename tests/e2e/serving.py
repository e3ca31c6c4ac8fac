"""A `laurel serve` as a process, seen from outside."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

STANDIN = Path(__file__).with_name("standin_serve.py")
"""`laurel serve` with a server that only answers health checks; takes how it behaves as an argument."""

SERVE: Sequence[str] = (sys.executable, "-m", "laurel_server.cli", "serve")

_PATIENT = {"LAUREL_BOARDS_PROJECT_BUDGET_MS": "2000"}
"""However busy the machine is, no award is answered without its ranks because Redis had no turn for a moment."""

_numbers = count()


class Serve:
    """Starts the command on the data directory with free ports; `environment` adds variables."""

    def __init__(self, data_dir: Path, command: Sequence[str] = SERVE, **environment: str) -> None:
        self.data_dir = data_dir.absolute()
        self.stderr_file = data_dir.with_name(f"{data_dir.name}.{next(_numbers)}.stderr")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
        ports = {"LAUREL_GRPC_PORT": "0", "LAUREL_HTTP_PORT": "0", "LAUREL_GRPC_PROCESSES": "1"}
        with self.stderr_file.open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                env={**inherited, "LAUREL_DATA_DIR": str(data_dir), **ports, **_PATIENT, **environment},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def wait_until_ready(self) -> dict[str, Any]:
        """Returns the ready line, which must be the first thing on standard output."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"`serve` ended before it was ready:\n{self.stderr}"
        ready: dict[str, Any] = json.loads(line)
        return ready

    @property
    def run(self) -> dict[str, Any]:
        """The run file."""
        content: dict[str, Any] = json.loads((self.data_dir / "run.json").read_bytes())
        return content

    @property
    def pids(self) -> dict[str, int]:
        """The supervised processes."""
        return {entry["name"]: entry["pid"] for entry in self.run["processes"]}

    @property
    def stderr(self) -> str:
        """What it has said so far."""
        return self.stderr_file.read_text()

    def end(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        """Sends a signal and returns the exit code; checks that nothing more came on standard output."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=seconds)
        assert rest == ""
        return self.process.returncode

    def discard(self) -> None:
        """Ends it, by force if need be; its children end with it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.wait()


def processes_of(data_dir: Path) -> dict[int, str]:
    """Returns the living processes that work on a data directory, whoever their parent is."""
    mark = os.fsencode(data_dir)
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                command, environment = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
                place = os.fsencode((entry / "cwd").readlink())
            except OSError:
                continue
            if (
                mark in command
                or mark in environment.split(b"\0LAUREL_DATA_DIR=")[-1]
                or place.startswith(mark)
            ):
                found[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return found


def is_deserted(data_dir: Path) -> bool:
    """Tells whether no process works on a data directory."""
    return not processes_of(data_dir)


def is_alive(pid: int) -> bool:
    """Tells whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def worked(pid: int) -> float:
    """Returns how many seconds of a processor a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def eventually(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Waits until the condition holds; a shorter time than the default is a promise that is tested."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


def in_time(seconds: float, attempt: Callable[[], object]) -> None:
    """Makes an attempt that must not take longer on a machine of its own; three of them where others work on it too."""
    took: list[float] = []
    slower = 1.0  # before the attempt, and then after it
    while len(took) < 3:
        started = time.monotonic()
        attempt()
        took.append(time.monotonic() - started)
        if took[-1] <= seconds * slower or took[-1] <= seconds * (slower := slowdown()):
            return
    raise AssertionError(f"each took longer than {seconds:g} s: {took}")


def slowdown() -> float:
    """Returns how much longer a program takes at present than it would with a processor to itself."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([sys.executable, "-c", "import laurel_server.runtime.serving"], check=True)
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - started
    return wall / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
