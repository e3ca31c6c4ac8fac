"""Answers under idempotency keys, of calls that do not go through the group commit."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple

from laurel_server.postgres.pool import Connection, Pool, Session
from laurel_server.postgres.sql import load
from laurel_server.postgres.stretches import forget_by_stretches


class KeptAnswer(NamedTuple):
    """What was answered before."""

    request_hash: bytes
    outcome: bytes


async def read_answer(connection: Session, key: bytes) -> KeptAnswer | None:
    """Return the answer given before under the key."""
    row = await connection.fetchrow(load("idempotency_read"), key)
    return None if row is None else KeptAnswer(row["request_hash"], row["outcome"])


async def keep_answer(connection: Connection, key: bytes, request_hash: bytes, outcome: bytes) -> None:
    """Keep an answer in the transaction of what it tells of. UniqueViolationError if there is one."""
    await connection.execute(load("ledger_keep_answers"), [key], [request_hash], [outcome])


def forget_answers(pool: Pool, age: timedelta) -> AsyncIterator[int]:
    """Delete answers older than that, a stretch of the table at a time; yield how many each time.

    They age by the machine's time: a retry comes in real time, whatever the business clock does.
    """
    return forget_by_stretches(pool, "idempotency_keys", "idempotency_forget", age)
