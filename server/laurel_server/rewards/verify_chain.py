"""The chain's part of VerifyIntegrity: every entry is in the digest of its batch, every digest under the seals.

What is sealed is final, and compared; the last second or so is compared next time.
"""

from laurel_server.domain.chain import FIRST_SEAL, Canonical, batch_digest, canonical_entry, seal
from laurel_server.domain.identifiers import BATCH_BITS, SEQUENCE_BITS, sequence_of
from laurel_server.domain.views import Check
from laurel_server.postgres import chain
from laurel_server.postgres.chain import Link, Seal
from laurel_server.postgres.entries import count_entries, scan_entries
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.rewards.findings import Findings, Progress, unnoticed

ENTRIES_AT_ONCE = 500
"""Entries that are read and digested in one go: about 10 ms in which this process does nothing else."""

LINKS_AT_ONCE = 2000


async def verify_chain(pool: Pool, progress: Progress = unnoticed) -> list[Check]:
    """Recompute the hash chain, chunk by chunk; awards go on meanwhile. LEDGER_UNAVAILABLE."""
    digests, seals = Findings("entries_match_digests"), Findings("seals_follow_digests")
    async with ledger_errors():
        sealed = await chain.last_seal(pool)
        await _Digests(pool, sealed.batch_no, digests, progress).compare()
        await _compare_seals(pool, sealed, seals)
    return [digests.check(), seals.check()]


async def verify_kept(pool: Pool, kept: Seal) -> Check:
    """Compare a seal that somebody kept outside of the ledger with the one that is there now. LEDGER_UNAVAILABLE.

    Together with `verify_chain` it shows that nothing up to that batch was changed or taken away, not even by who could
    make the whole chain anew.
    """
    findings = Findings("kept_seal_is_in_chain", checked=1)
    async with ledger_errors():
        found = await chain.seal_of(pool, kept.batch_no)
    if found is None:
        findings.wrong.append(f"batch {kept.batch_no}: is not in the chain")
    elif found != kept.seal:
        findings.wrong.append(f"batch {kept.batch_no}: has another seal than was kept")
    return findings.check()


class _Digests:
    """Entries in the order of their ids against the digests that were kept of their batches."""

    def __init__(self, pool: Pool, last: int, findings: Findings, progress: Progress) -> None:
        self._pool = pool
        self._last = last
        self._findings = findings
        self._progress = progress
        self._first = 0
        self._total = 0

    async def compare(self) -> None:
        """Compare all entries up to the last sealed batch; what does not agree is a finding. Cost: all of them once."""
        self._first = await chain.first_batch(self._pool)
        for batch_no in await chain.batches_before(self._pool, self._first):
            self._add(batch_no, "stands before the beginning of the chain")
        self._total = await count_entries(self._pool)
        months = await chain.months(self._pool)
        for month in months:
            await self._compare_month(month)
        for batch_no in await chain.batches_outside(self._pool, months, self._last):
            self._add(batch_no, "all its entries are gone")

    async def _compare_month(self, month: int) -> None:
        """Compare batch by batch; the last one of a chunk may be cut off, and waits for the next chunk."""
        start = month << SEQUENCE_BITS
        after = start | max(self._first << BATCH_BITS, 1) - 1
        below = start | min((self._last + 1) << BATCH_BITS, (1 << SEQUENCE_BITS) - 1)
        compared, open_batches = self._first - 1, dict[int, list[Canonical]]()
        while compared < self._last:
            rows = await scan_entries(self._pool, after, below, ENTRIES_AT_ONCE)
            for user_no, stored in rows:
                after = stored.entry.transaction_id
                entry = canonical_entry(stored.entry, user_no, stored.inputs)
                open_batches.setdefault(sequence_of(after) >> BATCH_BITS, []).append(entry)
            is_last = len(rows) < ENTRIES_AT_ONCE
            whole = self._last if is_last else max(open_batches) - 1
            await self._compare_batches(month, compared, whole, open_batches)
            await self._progress("chain", len(rows), self._total)
            compared = whole

    async def _compare_batches(
        self, month: int, after: int, up_to: int, batches: dict[int, list[Canonical]]
    ) -> None:
        kept = await chain.batches_of(self._pool, month, after, up_to)
        whole = {batch_no: batches.pop(batch_no) for batch_no in list(batches) if batch_no <= up_to}
        self._findings.checked += sum(map(len, whole.values()))
        for batch_no, entries in whole.items():
            digest = kept.pop(batch_no, None)
            if digest is None:
                self._add(batch_no, "has entries, and no digest of them was kept")
            elif len(entries) != digest.entries:
                self._add(batch_no, f"has {len(entries)} entries instead of {digest.entries}")
            elif batch_digest(entries) != digest.digest:
                self._add(batch_no, "an entry is not what it was when it was written")
        for batch_no in kept:
            self._add(batch_no, "all its entries are gone")

    def _add(self, batch_no: int, what: str) -> None:
        self._findings.wrong.append(f"batch {batch_no}: {what}")


async def _compare_seals(pool: Pool, sealed: Seal, findings: Findings) -> None:
    before, after = FIRST_SEAL, 0
    while after < sealed.batch_no:
        links = await chain.links(pool, after, sealed.batch_no, LINKS_AT_ONCE)
        for link in links:
            before = _follow(before, link, findings)
        findings.checked += len(links)
        after = links[-1].batch_no


def _follow(before: bytes, link: Link, findings: Findings) -> bytes:
    """Compare one link; return the seal from which the next must follow, so that a fault is told of once."""
    fault = _fault_of(before, link)
    if fault:
        findings.wrong.append(f"batch {link.batch_no}: {fault}")
    return before if link.seal is None else link.seal


def _fault_of(before: bytes, link: Link) -> str:
    if link.seal is None:
        return "was put in after its neighbours had been sealed"
    if link.digest is None:
        return "is sealed, and its digest is gone"
    if seal(before, link.batch_no, link.digest) != link.seal:
        return "its seal does not follow from its digest and the batches before"
    return ""
