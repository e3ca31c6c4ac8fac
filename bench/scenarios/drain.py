"""A Kafka that was away: how fast what has waited meanwhile is published, against how fast it came."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncpg

from bench import people
from bench.laurel import AWARD
from bench.load.unary import closed_loop
from bench.processes import python
from bench.rounds import Goal, Row
from bench.workbench import Workbench
from laurel_server.devstack.ports import reserved

USERS: Final = 10_000
IN_FLIGHT: Final = 256
TURNS: Final = 5
"""Turns of awards that wait for Kafka."""

_ROOT: Final = Path(__file__).parents[2]
_LEFT: Final = """
SELECT coalesce(sum(cardinality(o.user_nos)), 0)::bigint
  FROM outbox o LEFT JOIN event_positions p ON p.reader = 'kafka'
 WHERE o.xid >= coalesce(p.until_xid, 0)::text::xid8 OR o.xid >= p.from_xid::text::xid8 AND o.batch_no > p.batch_no
"""


async def run(bench: Workbench) -> list[Row]:
    """Awards with 256 in flight while there is no broker; then one starts, and nothing else happens."""
    async with AsyncExitStack() as held:
        endpoint = held.enter_context(reserved("127.0.0.1"))
        settings = {"LAUREL_KAFKA_BOOTSTRAP": str(endpoint), "LAUREL_EVENTS_CONSUMERS": "outbox"}
        laurel = await bench.another_laurel(settings, USERS, held)
        arrived = await closed_loop(
            laurel.method(AWARD), people.awards(USERS), IN_FLIGHT, TURNS * bench.options.seconds
        )
        ledger = await asyncpg.connect(laurel.pg_dsn)
        held.push_async_callback(ledger.close)
        async with _broker(endpoint.port):
            rate = await _drained(lambda: ledger.fetchval(_LEFT))
    ratio = rate / arrived["rate"]
    return [
        Row("events drained", "awards, 256 in flight", "rate", arrived["rate"], rate, ratio, Goal(5), [ratio])
    ]


async def _drained(left: Callable[[], Awaitable[int]]) -> float:
    """Wait until nothing is left and return how many events a second that was, from the first one on."""
    waiting = await left()
    while (now := await left()) == waiting:  # noqa: ASYNC110 - the ledger is asked
        await asyncio.sleep(0.02)
    began, waiting = time.monotonic(), now
    while await left():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return waiting / (time.monotonic() - began)


@asynccontextmanager
async def _broker(port: int) -> AsyncIterator[None]:
    """Run the broker that `./scripts/kafka --fetch` gets."""
    jars = sorted(path for path in (_ROOT / ".tools").glob("kafka-*") if path.is_dir())
    if not jars:
        raise RuntimeError("there is no Apache Kafka here; ./scripts/kafka --fetch gets it")
    with TemporaryDirectory() as directory:
        environment = {"LAUREL_KAFKA_PORT": str(port), "LAUREL_DATA_DIR": directory}
        script = str(_ROOT / "scripts" / "kafka_broker.py")
        async with python(script, str(jars[-1]), environment=environment):
            yield
