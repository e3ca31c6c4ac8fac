"""Single awards: under full load, alone, and at half load."""

from bench import people
from bench.floors.serving import path
from bench.laurel import AWARD
from bench.load.unary import Target, closed_loop, open_loop
from bench.processes import python
from bench.rounds import Figures, Goal, Row, compared, in_turn
from bench.workbench import Workbench, call

IN_FLIGHT = 256


async def full(bench: Workbench) -> list[Row]:
    """256 awards in flight, against a bare echo of messages of that size and against pgbench."""
    laurel, options = await bench.laurel(), bench.options
    requests, target = people.awards(options.people), laurel.method(AWARD)
    echo = await bench.echo("AwardPoints", await call(target, next(requests)))
    echoed, ours, transactions = await in_turn(
        options.rounds,
        lambda: closed_loop(echo, requests, IN_FLIGHT, options.seconds),
        lambda: laurel.costing(closed_loop(target, requests, IN_FLIGHT, options.seconds)),
        bench.transactions,
    )
    return [
        compared("award, 256 in flight", "bare echo", "rate", (echoed, ours), Goal(0.75)),
        compared("award, 256 in flight", "pgbench", "rate", (transactions, ours), Goal(0.65)),
    ]


async def lone(bench: Workbench) -> list[Row]:
    """One award at a time, against a server that makes each award by itself."""
    laurel, options = await bench.laurel(), bench.options
    environment = {"BENCH_PG_DSN": laurel.pg_dsn, "BENCH_REDIS_URL": laurel.redis_url}
    requests = people.awards(options.people)
    async with python("-m", "bench.floors.naive", environment=environment) as address:
        naive = Target(address, path("AwardPoints"))
        floor, ours = await in_turn(
            options.rounds,
            lambda: closed_loop(naive, requests, 1, options.seconds),
            lambda: closed_loop(laurel.method(AWARD), requests, 1, options.seconds),
        )
    return [compared("a lone award", "one at a time", "p50_ms", (floor, ours), Goal(0.7, at_most=True))]


async def half_load(bench: Workbench) -> list[Row]:
    """Awards at half the rate of the maximum just measured: the slowest hundredth against the median."""
    laurel, options = await bench.laurel(), bench.options
    requests, target = people.awards(options.people), laurel.method(AWARD)

    async def turn() -> Figures:
        most = await closed_loop(target, requests, IN_FLIGHT, options.seconds)
        return await open_loop(target, requests, most["rate"] / 2, options.seconds)

    (ours,) = await in_turn(options.rounds, turn)
    goal = Goal(4, at_most=True)
    return [
        compared("award at half load", "its own p50", "p99_ms", (ours, ours), goal, floor_figure="p50_ms")
    ]
