"""Connections to the ledger: a pool for reads and rare writes, and connections of their own for the award lanes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.postgres.errors import UNAVAILABLE

LaneConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Connection: TypeAlias = "LaneConnection | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Session: TypeAlias = "Connection | Pool"
"""Where a statement runs: in the transaction of a connection, or for itself."""

LONG_SECONDS = 3600.0
"""The `timeout` of a statement of a job that reads all there is; such a one also lifts `statement_timeout`."""

LANE = "laurel award lane"
"""What award lanes are called in PostgreSQL's list of sessions."""

KEPT_ALIVE = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""Settings of connections that hold what others wait for: of a server whose machine or network has gone without a word
PostgreSQL hears after some seconds, and not only after the two hours that systems wait by default."""

SAME_EVERYWHERE = {"default_transaction_isolation": "read committed", "timezone": "UTC"}
"""What databases and roles may set otherwise. Statements rely on both: those that wait for a lock read what was
committed meanwhile, and days and texts of times are those of UTC."""

KEYED_LOOKUPS = {
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Planner settings of award lanes: every statement there looks rows up by key. Their plans are made once, perhaps while
the tables are still empty, and a plan that scans would stay and get slower with every user. Planning anew for each
batch, which is what PostgreSQL would do, costs a lone award a fifth of its time. A bitmap scan would read and sort all
lots of a user to find the first."""


async def connect_lane(dsn: str, statement_timeout: float) -> LaneConnection:
    """Open a connection for one award lane. `statement_timeout` is in seconds. Raises one of `errors.UNAVAILABLE`.

    A lane that hangs inside a transaction would hold its users' rows: PostgreSQL ends it after 5 s.
    """
    return await asyncpg.connect(
        dsn,
        timeout=5,
        command_timeout=statement_timeout + 1,  # for a PostgreSQL that does not even cancel
        server_settings={
            **KEYED_LOOKUPS,
            **KEPT_ALIVE,
            **SAME_EVERYWHERE,
            **_timeouts(statement_timeout),
            "idle_in_transaction_session_timeout": "5000",
            "application_name": LANE,
        },
    )


async def create_pool(dsn: str, minimum: int, maximum: int, statement_timeout: float) -> Pool:
    """Open the pool for everything but awards. `statement_timeout` is in seconds.

    Whoever borrows a connection leaves nothing behind on it: settings only by SET LOCAL, locks only in transactions.
    """
    return await asyncpg.create_pool(
        dsn,
        min_size=minimum,
        max_size=maximum,
        reset=_leave_as_it_is,
        timeout=5,
        command_timeout=statement_timeout + 1,
        server_settings={
            **KEPT_ALIVE,
            **SAME_EVERYWHERE,
            **_timeouts(statement_timeout),
            "application_name": "laurel",
        },
    )


async def _leave_as_it_is(_connection: object) -> None:
    """Spare a read the round trip that wipes the session. Open transactions it ends all the same."""


def _timeouts(statement_timeout: float) -> dict[str, str]:
    return {"statement_timeout": str(int(statement_timeout * 1000)), "lock_timeout": "4000"}


@asynccontextmanager
async def ledger_errors() -> AsyncIterator[None]:
    """Turn the loss of PostgreSQL into LEDGER_UNAVAILABLE; the caller may retry with the same request_id."""
    try:
        yield
    except UNAVAILABLE as lost:
        raise LaurelError(Reason.LEDGER_UNAVAILABLE, "the ledger cannot be reached; try again") from lost
