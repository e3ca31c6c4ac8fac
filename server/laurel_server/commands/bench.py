"""`laurel bench`: how fast the server answers here and now."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import typer

from laurel_client import Laurel
from laurel_server.commands.calling import Address, AsJson, ask, print_json
from laurel_server.commands.tables import new_table, open_console

_Length = Annotated[
    float, typer.Option("--seconds", min=0.1, max=600, help="How long each kind of call is made.")
]
_Callers = Annotated[int, typer.Option("--concurrency", "-c", min=1, max=1000, help="Calls at once.")]
_Write = Annotated[
    bool,
    typer.Option("--write", help="Award for real, to users named bench-N; without it awards change nothing."),
]

_USERS: Final = 100
_PERCENTILES: Final = (50, 99)

Call = Callable[[Laurel, int], Awaitable[object]]


def bench(
    seconds: _Length = 3,
    concurrency: _Callers = 32,
    write: _Write = False,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Measure calls a second and how long they take, as this machine's one Python client sees it.

    The client is a part of what is measured; `./scripts/bench` measures the server alone, against floors.
    """
    results = ask(
        lambda laurel: _measure(laurel, seconds, concurrency, write=write), address, as_json=as_json
    )
    if as_json:
        print_json(results)
        return
    table = new_table("call", "a second", "p50 ms", "p99 ms")
    for name, result in results.items():
        table.add_row(name, *(f"{value:,.1f}" for value in result.values()))
    open_console().print(table)


async def _measure(
    laurel: Laurel, seconds: float, concurrency: int, *, write: bool
) -> dict[str, dict[str, float]]:
    calls: dict[str, Call] = {
        "AwardPoints" if write else "AwardPoints (validate_only)": lambda laurel, n: (
            laurel.rewards.award_points(f"bench-{n % _USERS}", "REVIEW", validate_only=not write)
        ),
        "GetLeaderboard": lambda laurel, _: laurel.leaderboards.get_leaderboard(page_size=10),
    }
    return {name: await _repeat(laurel, call, seconds, concurrency) for name, call in calls.items()}


async def _repeat(laurel: Laurel, call: Call, seconds: float, concurrency: int) -> dict[str, float]:
    """Make calls one after the other, `concurrency` times side by side; return the rate and the waits in ms."""
    waits: list[float] = []
    started = time.perf_counter()

    async def caller(number: int) -> None:
        while (begun := time.perf_counter()) - started < seconds:
            await call(laurel, number + len(waits))
            waits.append(1000 * (time.perf_counter() - begun))

    await asyncio.gather(*map(caller, range(concurrency)))
    took = time.perf_counter() - started
    waits.sort()
    at = {f"p{percent}_ms": waits[len(waits) * percent // 100] for percent in _PERCENTILES}
    return {"calls_per_second": len(waits) / took, **at}
