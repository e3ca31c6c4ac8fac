"""What is kept beside the entries: the outbox tells of each, and each has the answer that was given to its caller.

Both are forgotten after a time, and compared as far back as they must be there.
"""

from collections.abc import Sequence

import msgspec

from laurel_server.domain.expiry import EXPIRATION
from laurel_server.domain.identifiers import BATCH_BITS, SEQUENCE_BITS, idempotency_key
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.reversals import ADJUSTMENT
from laurel_server.domain.spending import REDEMPTION, REVERSAL
from laurel_server.domain.views import Check
from laurel_server.postgres import chain, outbox, verify
from laurel_server.postgres.entries import last_entry, scan_entries
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards import corrections, expiry, holds, opening, spending
from laurel_server.rewards.commands import AWARD, GRANT
from laurel_server.rewards.findings import Findings, Progress, unnoticed
from laurel_server.rewards.outcomes import StoredAward, StoredChange, decode

BATCHES_AT_ONCE, ENTRIES_AT_ONCE = 500, 200

_FAMILIES = {
    REDEMPTION: (spending.REDEEM, holds.CAPTURE),
    REVERSAL: (corrections.REVERSE, spending.CANCEL),
    EXPIRATION: (expiry.FAMILY,),
}
"""The families of the requests that lead to an entry; all others are awards."""

_AWARDS = (AWARD, GRANT, opening.FAMILY)


async def verify_records(pool: Pool, progress: Progress = unnoticed) -> list[Check]:
    """Compare outbox and answers with the entries that there are now, chunk by chunk. LEDGER_UNAVAILABLE.

    Awards go on meanwhile.
    """
    told, answers = Findings("outbox_tells_entries"), Findings("answers_name_entries")
    async with ledger_errors():
        await _compare_outbox(pool, told, progress)
        since = await verify.answered_since(pool)
        if since is not None:
            await _compare_answers(pool, since, answers, progress)
    return [told.check(), answers.check()]


async def _compare_outbox(pool: Pool, findings: Findings, progress: Progress) -> None:
    after: int | None = 0
    end = await outbox.last_batch(pool)
    while after is not None and after < end:
        after, rows, found = await verify.outbox_after(pool, after, BATCHES_AT_ONCE)
        findings.checked += rows
        findings.wrong += found
        await progress("entries", 0, 0)


async def _compare_answers(pool: Pool, since: int, findings: Findings, progress: Progress) -> None:
    """Compare the answers to the entries of the batches from `since` on; ids go by month first."""
    end = await last_entry(pool) + 1
    for month in await chain.months(pool):
        after = (month << SEQUENCE_BITS | since << BATCH_BITS) - 1
        below = min(end, (month + 1) << SEQUENCE_BITS)
        while rows := await scan_entries(pool, after, below, ENTRIES_AT_ONCE):
            after = rows[-1][1].entry.transaction_id
            await _compare_some(pool, [stored.entry for _, stored in rows], findings)
            await progress("entries", 0, 0)


async def _compare_some(pool: Pool, stored: Sequence[LedgerEntry], findings: Findings) -> None:
    # Adjustments are kept by their actor, and so without the caller that the key of their answer needs.
    entries = [entry for entry in stored if entry.action != ADJUSTMENT]
    keys = {entry.transaction_id: _keys_of(entry) for entry in entries}
    kept = await verify.answers_of(pool, [key for each in keys.values() for key in each])
    findings.checked += len(entries)
    for entry in entries:
        named = [_entries_named(kept[key]) for key in keys[entry.transaction_id] if key in kept]
        if not named:
            findings.wrong.append(f"{entry.transaction_id}: its answer is gone")
        elif not any(entry.transaction_id in each for each in named):
            findings.wrong.append(f"{entry.transaction_id}: its answer names another entry")


def _keys_of(entry: LedgerEntry) -> list[bytes]:
    families = _FAMILIES.get(entry.action, _AWARDS)
    return [idempotency_key(family, entry.created_by, entry.request_id) for family in families]


def _entries_named(outcome: bytes) -> tuple[int, ...]:
    """Return the entries that an answer names; none if it cannot be read, or says that the request was refused."""
    try:
        stored = decode(outcome)
    except msgspec.MsgspecError:
        return ()
    if isinstance(stored, StoredAward):
        return stored.transaction_id, stored.referral_transaction_id
    return (stored.transaction_id,) if isinstance(stored, StoredChange) else ()
