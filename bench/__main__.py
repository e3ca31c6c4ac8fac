"""The command line of the benchmark."""

import argparse
import asyncio
import random
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path

import uvloop

from bench.report import Neighbours, save, show
from bench.rounds import Row
from bench.scenarios import GROUPS, SCENARIOS, USUAL
from bench.workbench import Options, Workbench

_RESULT = Path(__file__).parents[1] / ".laurel" / "bench" / "RESULT.json"


def main() -> int:
    """Measure, print, write; 0 if every goal was met."""
    arguments = _parser().parse_args()
    names = [name for given in arguments.scenarios or USUAL for name in GROUPS.get(given, (given,))]
    options = Options(arguments.rounds, arguments.seconds, arguments.people, arguments.members)
    random.seed(1)
    neighbours = Neighbours()
    rows = uvloop.run(_measure(names, options))
    busy = neighbours.cores()
    show(rows, busy)
    save(arguments.json, rows, asdict(options), busy)
    return 0 if all(row.met for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    defaults = Options()
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures Laurel against floors that run in turn with it; 1 if a goal is missed.",
    )
    known = ", ".join([*SCENARIOS, *GROUPS])
    parser.add_argument(
        "scenarios", nargs="*", type=_scenario, metavar="SCENARIO", help=f"all but scale, or of {known}"
    )
    parser.add_argument(
        "--rounds", type=int, default=defaults.rounds, help="rounds, each A B A B (%(default)s)"
    )
    parser.add_argument("--seconds", type=float, default=defaults.seconds, help="of one turn (%(default)s)")
    parser.add_argument(
        "--people", type=int, default=defaults.people, help="users on the boards (%(default)s)"
    )
    parser.add_argument(
        "--members",
        type=int,
        default=defaults.members,
        help="users on the large board of `scale` (%(default)s)",
    )
    parser.add_argument(
        "--json", type=Path, default=_RESULT, metavar="FILE", help="where the result is written"
    )
    return parser


def _scenario(name: str) -> str:
    if name not in SCENARIOS and name not in GROUPS:
        raise argparse.ArgumentTypeError(f"there is no scenario {name}")
    return name


async def _measure(names: list[str], options: Options) -> list[Row]:
    """Run the scenarios one after the other; SIGTERM stops everything that was started, as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None, "this is a coroutine"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    rows: list[Row] = []
    async with AsyncExitStack() as held:
        bench = Workbench(options, held)
        for name in names:
            print(name, file=sys.stderr, flush=True)
            rows += await SCENARIOS[name](bench)
    return rows


if __name__ == "__main__":
    sys.exit(main())
