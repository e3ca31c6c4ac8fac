"""Explaining entries: one for a caller, all of them for VerifyIntegrity."""

from collections.abc import Sequence

import orjson

from laurel_server.domain.actions import ActionConfig
from laurel_server.domain.errors import transaction_not_found
from laurel_server.domain.explain import Explanation, Recorded, explain
from laurel_server.domain.views import Check
from laurel_server.postgres.entries import StoredEntry, count_entries, last_entry, read_entries, scan_entries
from laurel_server.postgres.holdings import read_debits_of
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.rules import read_action_versions
from laurel_server.rewards.findings import Findings, Progress, unnoticed

ENTRIES_AT_ONCE = 200
"""Entries that are computed again in one go: about 5 ms in which this process does nothing else."""


class Explaining:
    """Computes entries again from what was recorded with them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._configs: dict[tuple[str, int], ActionConfig] = {}

    async def explain(self, transaction_id: int) -> Explanation:
        """Return why an entry has the points it has. TRANSACTION_NOT_FOUND."""
        async with ledger_errors():
            found = await read_entries(self._pool, [transaction_id])
            if transaction_id not in found:
                raise transaction_not_found(transaction_id)
            (explanation,) = await self._explain(list(found.values()))
        return explanation

    async def verify(self, progress: Progress = unnoticed) -> Check:
        """Compute again all entries that there are now, chunk by chunk; awards go on meanwhile. LEDGER_UNAVAILABLE."""
        findings, after = Findings("entries_follow_from_inputs"), 0
        async with ledger_errors():
            total, end = await count_entries(self._pool), await last_entry(self._pool) + 1
            while rows := await scan_entries(self._pool, after, end, ENTRIES_AT_ONCE):
                for explanation in await self._explain([stored for _, stored in rows]):
                    _note(explanation, findings)
                after = rows[-1][1].entry.transaction_id
                await progress("entries", len(rows), total)
        return findings.check()

    async def _explain(self, stored: Sequence[StoredEntry]) -> list[Explanation]:
        inputs = [orjson.loads(each.inputs) for each in stored]
        versions = [
            (each.entry.action, given["config"])
            for each, given in zip(stored, inputs, strict=True)
            if "config" in given
        ]
        await self._read_configs(set(versions) - self._configs.keys())
        lots = await read_debits_of(self._pool, [each.entry.transaction_id for each in stored])
        return [
            explain(
                Recorded(
                    each.entry,
                    given,
                    self._configs.get((each.entry.action, given.get("config", 0))),
                    lots.get(each.entry.transaction_id, ()),
                )
            )
            for each, given in zip(stored, inputs, strict=True)
        ]

    async def _read_configs(self, missing: set[tuple[str, int]]) -> None:
        if missing:
            self._configs |= await read_action_versions(self._pool, missing)


def _note(explanation: Explanation, findings: Findings) -> None:
    findings.checked += 1
    if explanation.differences:
        transaction_id = explanation.recorded.entry.transaction_id
        findings.wrong.append(f"{transaction_id}: {', '.join(explanation.differences)}")
