"""Requests about what the ledger does not have: no user is locked for them, but their ids count all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from laurel_server.domain.commands import RequestKey
from laurel_server.domain.errors import LaurelError, idempotency_conflict
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.postgres.errors import RETRYABLE
from laurel_server.postgres.idempotency import keep_answer, read_answer
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards.outcomes import StoredRefusal, decode, encode_refusal, is_sticky


@asynccontextmanager
async def answered_once(pool: Pool, request: RequestKey, family: str) -> AsyncIterator[None]:
    """Keep the refusal that what is in the context raises; IDEMPOTENCY_CONFLICT instead if the id was used before.

    Cost: nothing without a refusal, one or two round trips with one.
    """
    try:
        yield
    except LaurelError as refusal:
        if not is_sticky(refusal):
            raise
        async with ledger_errors():
            raise await _answer(pool, refusal, request, family) from None


async def _answer(pool: Pool, refusal: LaurelError, request: RequestKey, family: str) -> LaurelError:
    key = idempotency_key(family, request.caller, request.request_id)
    answered = await read_answer(pool, key)
    if answered is None:
        try:
            async with pool.acquire() as connection:
                await keep_answer(connection, key, request.request_hash, encode_refusal(refusal))
        except RETRYABLE:  # the same id came twice at once
            return await _answer(pool, refusal, request, family)
        return refusal
    if answered.request_hash != request.request_hash:
        return idempotency_conflict(request.request_id)
    stored = decode(answered.outcome)
    return stored.error() if isinstance(stored, StoredRefusal) else refusal
