"""The result, as a table for people and as JSON with the facts of the machine."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.rounds import Row

_PACKAGES = ("grpcio", "protobuf", "uvloop", "asyncpg", "redis", "hiredis")


class Neighbours:
    """What other programs take of the machine; to be made before anything is started."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._others = _cpu_of_others()

    def cores(self) -> float:
        """Return how many cores they kept busy on average; to be asked when everything has been stopped."""
        return (_cpu_of_others() - self._others) / (time.monotonic() - self._started)


def _cpu_of_others() -> float:
    """Return the processor time of everything but this process and the children it has seen end, in seconds."""
    user, nice, system, _, _, irq, softirq, steal, *_ = map(int, _first_line("/proc/stat").split()[1:])
    all_of_it = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    return all_of_it - sum(os.times()[:4])


def _first_line(file: str) -> str:
    return Path(file).read_text().partition("\n")[0]


def show(rows: Sequence[Row], neighbours: float) -> None:
    """Print the table."""
    table = Table("scenario", "floor", "figure", box=None)
    for name in ("floor's", "ours", "judged", "goal"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for row in rows:
        table.add_row(*_cells(row))
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    for row in rows:
        details = ", ".join(f"{name} {figure:,.4g}" for name, figure in row.details.items())
        if details:
            print(f"{row.scenario} / {row.floor}: {details}")
    print(f"Meanwhile other programs kept {neighbours:.2f} of {os.cpu_count()} cores busy.")


def _cells(row: Row) -> list[str]:
    floor = "-" if row.floor_figure is None else f"{row.floor_figure:,.4g}"
    goal = f"{'<=' if row.goal.at_most else '>='} {row.goal.bound:g}"
    verdict = "met" if row.met else "MISSED"
    return [
        row.scenario,
        row.floor,
        row.figure,
        floor,
        f"{row.our_figure:,.4g}",
        f"{row.judged:.3g}",
        goal,
        verdict,
    ]


def save(file: Path, rows: Sequence[Row], options: dict[str, object], neighbours: float) -> None:
    """Write rows, options and the facts that a later reader needs to judge them."""
    content = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": options,
        "machine": machine(),
        "cores_busy_with_other_programs": round(neighbours, 2),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
        "commit": _commit(),
        "rows": [{**asdict(row), "met": row.met} for row in rows],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n")


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": cpu[0].partition(":")[2].strip() if cpu else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": platform.release(),
    }


def _commit() -> str:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
