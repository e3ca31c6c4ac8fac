"""What PostgreSQL's errors mean for the caller: try again, come back later, or a fault."""

import asyncpg


class MonthTurnedError(Exception):
    """A transaction began in one month and came to its entries in the next, which has no partition yet."""


RETRYABLE = (
    MonthTurnedError,
    asyncpg.UniqueViolationError,  # another server created the same user or answered the same request first
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
"""The transaction was rolled back whole and may succeed when it is run again."""

UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.DiskFullError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of a message
    asyncpg.InterfaceError,  # asyncpg's own word for a connection that is closed or broken
)
"""PostgreSQL cannot be reached or cannot work now."""
