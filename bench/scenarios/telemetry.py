"""What measuring itself costs Laurel."""

from collections.abc import Iterator
from contextlib import AsyncExitStack

from bench import people
from bench.laurel import AWARD, GET_RANK, Laurel
from bench.load.unary import closed_loop
from bench.rounds import Goal, Row, compared, in_turn
from bench.workbench import Workbench

USERS = 10_000
SILENT = {"LAUREL_METRICS": "0", "LAUREL_LOG_LEVEL": "error"}


async def run(bench: Workbench) -> list[Row]:
    """Two fresh Laurels, one with metrics and logs as by default and one without."""
    async with AsyncExitStack() as held:
        silent = await bench.another_laurel(SILENT, USERS, held)
        telling = await bench.another_laurel({}, USERS, held)
        return [
            await _compare(bench, "award", AWARD, people.awards(USERS), (silent, telling)),
            await _compare(bench, "rank", GET_RANK, people.ranks(USERS), (silent, telling)),
        ]


async def _compare(
    bench: Workbench, name: str, path: str, requests: Iterator[bytes], pair: tuple[Laurel, Laurel]
) -> Row:
    silent, telling = (laurel.method(path) for laurel in pair)
    seconds = bench.options.seconds
    floor, ours = await in_turn(
        bench.options.rounds,
        lambda: closed_loop(silent, requests, 64, seconds),
        lambda: closed_loop(telling, requests, 64, seconds),
    )
    return compared(f"{name} with telemetry", "without", "rate", (floor, ours), Goal(0.93))
