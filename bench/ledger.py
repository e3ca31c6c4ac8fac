"""The ledger writer without a server around it, on tables of its own in Laurel's PostgreSQL."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from time import perf_counter
from zoneinfo import ZoneInfo

import asyncpg

from bench.people import user_id
from bench.rounds import Figures
from laurel_server.domain.awards import AwardCommand
from laurel_server.domain.clock import SystemClock
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.postgres.migrate import upgrade
from laurel_server.postgres.pool import LaneConnection, connect_lane, create_pool
from laurel_server.rewards.batch_items import Item
from laurel_server.rewards.ledger_batch import LedgerWriter
from laurel_server.rewards.rule_book import RuleBook
from laurel_server.runtime.config import Settings

_SCHEMA = "bench_ledger"
_MOST_BATCHES_PER_SECOND = 1000
_request_numbers = count()


class Lanes:
    """A writer and as many connections as a server has lanes."""

    def __init__(self, writer: LedgerWriter, connections: Sequence[LaneConnection]) -> None:
        self._writer = writer
        self._connections = connections

    async def write(self, batches: list[list[Item]], seconds: float) -> Figures:
        """Commit batches on all lanes until there are none or the time is over."""
        latencies: list[float] = []
        written = 0
        started = perf_counter()

        async def lane(connection: LaneConnection) -> None:
            nonlocal written
            while batches and perf_counter() - started < seconds:
                begun, batch = perf_counter(), batches.pop()
                await self._writer.commit(connection, batch)
                latencies.append(perf_counter() - begun)
                written += len(batch)

        await asyncio.gather(*(lane(connection) for connection in self._connections))
        took = perf_counter() - started
        return {"rate": written / took, "p50_ms": sorted(latencies)[len(latencies) // 2] * 1e3}


@asynccontextmanager
async def ledger_load(
    dsn: str, people: int, batch_size: int
) -> AsyncIterator[Callable[[float], Awaitable[Figures]]]:
    """Give a function that writes batches for some seconds; every user has had an award before."""
    ledger_dsn = f"{dsn}&search_path={_SCHEMA}"
    await _make_tables(dsn, ledger_dsn)
    async with AsyncExitStack() as held:
        lanes = await _open_lanes(ledger_dsn, held)
        everyone = [
            [_item(number) for number in range(at, min(at + 256, people))] for at in range(0, people, 256)
        ]
        await lanes.write(
            [everyone.pop()], seconds=60
        )  # alone, as it makes the month's partition and the boards
        await lanes.write(everyone, seconds=600)

        def random_batches(seconds: float) -> list[list[Item]]:
            most = int(seconds * _MOST_BATCHES_PER_SECOND)
            return [[_item(random.randrange(people)) for _ in range(batch_size)] for _ in range(most)]

        yield lambda seconds: lanes.write(random_batches(seconds), seconds)


def _item(number: int) -> Item:
    cents = random.randrange(10_000, 200_000)
    command = AwardCommand(
        caller="bench",
        request_id=f"order-{next(_request_numbers):09}",
        user_id=user_id(number),
        action="PURCHASE",
        attributes={"order_value": f"{cents // 100}.{cents % 100:02}"},
        request_hash=random.randbytes(16),
    )
    return Item(command, random.randbytes(16))


async def _make_tables(dsn: str, ledger_dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"DROP SCHEMA IF EXISTS {_SCHEMA} CASCADE; CREATE SCHEMA {_SCHEMA}")
    finally:
        await connection.close()
    await upgrade(ledger_dsn)


async def _open_lanes(dsn: str, held: AsyncExitStack) -> Lanes:
    settings = Settings()
    timeout = settings.ledger.statement_timeout_seconds
    pool = await held.enter_async_context(await create_pool(dsn, 1, 1, timeout))
    rules = RuleBook(pool, SystemClock(), Catalogue(), ZoneInfo("UTC"), settings.program.grace)
    await rules.seed()
    connections = [await connect_lane(dsn, timeout) for _ in range(settings.ledger.lanes)]
    for connection in connections:
        held.push_async_callback(connection.close)
    return Lanes(LedgerWriter(rules, SystemClock()), connections)
