"""Live ranks: how many messages reach watchers when all of them move at each tick; what a stream holds."""

import asyncio
from contextlib import AsyncExitStack
from time import process_time

from bench import people
from bench.floors.serving import path
from bench.laurel import AWARD, GET_RANK, WATCH_RANK, Laurel
from bench.load.streams import Streams, open_streams
from bench.load.unary import WARM_UP_SECONDS, Target, closed_loop, open_loop
from bench.processes import python
from bench.rounds import Figures, Goal, Row, absolute, compared, in_turn
from bench.workbench import Workbench, call
from laurel.leaderboard.v1.leaderboard_service_pb2 import WatchRankRequest, WatchRankResponse
from laurel.leaderboard.v1.watch_pb2 import RankUpdate

STREAMS = (1000, 5000)
USERS = 10_000
OPEN_SECONDS = 60.0

OFFERED = 60_000
"""Messages a second that there are for the streams: somewhat more than the floor sends on two cores.

Each takes an award that moves everybody, and awards are no part of what is measured: the fewer the better.
"""

LOOK_MS = 10
"""How often Laurel looks for changes: oftener than they come."""


async def run(bench: Workbench) -> list[Row]:
    """Open the streams on a Laurel of their own: first idle, then with all being overtaken at each tick."""
    async with AsyncExitStack() as held:
        settings = {"LAUREL_WATCH_TICK_MS": str(LOOK_MS)}
        laurel = await bench.another_laurel(settings, USERS, held)
        floor = await held.enter_async_context(python("-m", "bench.floors.fanout"))
        await call(Target(floor, path("SetAnswer")), _message())
        rows = await _idle(laurel)
        for count in STREAMS:
            rows.append(await _busy(bench, laurel, floor, count))
    return rows


async def _idle(laurel: Laurel) -> list[Row]:
    """Open the most streams at once and let them be."""
    await closed_loop(laurel.method(GET_RANK), people.ranks(USERS), 64, 1)  # what a first call allocates
    before, count = laurel.servers_bytes(), max(STREAMS)
    streams = await _open(laurel.method(WATCH_RANK), count)
    await asyncio.sleep(2)
    per_stream = (laurel.servers_bytes() - before) / count
    unserved = count - streams.served + streams.failures.total()
    streams.close()
    return [
        absolute(f"{count:,} streams at once", "refused", unserved, Goal(0, at_most=True)),
        absolute("an idle stream", "bytes", per_stream, Goal(40_000, at_most=True)),
    ]


async def _busy(bench: Workbench, laurel: Laurel, floor: str, count: int) -> Row:
    seconds, overtakers, ticks = bench.options.seconds, people.overtakers(), OFFERED / count

    async def floor_turn() -> Figures:
        streams = await _open(Target(floor, path("Watch")), count)
        milliseconds = (WARM_UP_SECONDS + seconds) * 1000
        ticking = call(Target(floor, path("Tick")), f"{ticks} {milliseconds}".encode())
        delivered, _ = await asyncio.gather(_delivered(streams, seconds), ticking)
        return delivered

    async def our_turn() -> Figures:
        streams = await _open(laurel.method(WATCH_RANK), count)
        moving = open_loop(laurel.method(AWARD), overtakers, ticks, seconds)
        delivered, moves = await asyncio.gather(_delivered(streams, seconds), moving)
        return delivered | {"award_p50_ms": moves["p50_ms"]}

    floor_side, our_side = await in_turn(bench.options.rounds, floor_turn, our_turn)
    return compared(f"{count:,} streams", "bare fan-out", "rate", (floor_side, our_side), Goal(0.85))


async def _open(target: Target, count: int) -> Streams:
    """Open the streams at once and wait until each has its first state, or could not get one."""
    requests = [
        WatchRankRequest(user_id=people.user_id(number)).SerializeToString() for number in range(count)
    ]
    streams = await open_streams(target, requests)
    await streams.all_served(count, OPEN_SECONDS)
    return streams


async def _delivered(streams: Streams, seconds: float) -> Figures:
    """Return the messages per second once all is in flow, and hang up. RuntimeError if a stream ended."""
    await asyncio.sleep(WARM_UP_SECONDS)
    used, before = process_time(), streams.messages
    rate = await streams.message_rate(seconds)
    client_us = (process_time() - used) / (streams.messages - before) * 1e6
    failures = streams.failures
    streams.close()
    if failures:
        raise RuntimeError(f"streams ended with {dict(failures)}")
    return {"rate": rate, "client_us": client_us}


def _message() -> bytes:
    """Return a message as large as what watchers get."""
    update = RankUpdate(
        board=people.GLOBAL,
        rank=5012,
        previous_rank=5011,
        score=17,
        total=USERS,
        message="You moved down 1 rank",
    )
    return WatchRankResponse(sequence=100, resume_token="x" * 24, update=update).SerializeToString()
