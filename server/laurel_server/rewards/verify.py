"""The ledger's part of VerifyIntegrity: what is kept of users follows from their entries, and lots from both."""

from time import perf_counter

from laurel_server.domain.views import Check
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.verify import Bounds, bounds_of_users, differences, strays_after
from laurel_server.rewards.findings import Findings, Progress, unnoticed

CHECKS = (
    "entries_have_users",
    "balances_equal_entries",
    "balances_follow_one_another",
    "balances_equal_lots",
    "counters_equal_entries",
    "versions_cover_entries",
    "times_cover_lots",
    "holds_equal_held_points",
    "totals_equal_entries",
    "lots_equal_entries",
    "lots_keep_their_times",
    "debits_equal_entries",
    "deficits_follow_entries",
    "reversals_equal_entries",
    "holds_equal_captures",
    "tiers_follow_changes",
)

FIRST_CHUNK, LARGEST_CHUNK = 100, 5000
"""Users compared in one statement: some at first, then as many as take a moment, whatever each of them has."""

SHORT_SECONDS, LONG_SECONDS = 0.05, 0.2
"""A chunk that takes less is followed by a larger one, one that takes more by a smaller one."""

STRAYS_AT_ONCE = 5000
"""Debits and reversals that one statement looks for the entries of."""


async def verify_ledger(pool: Pool, progress: Progress = unnoticed) -> list[Check]:
    """Compare the whole ledger with itself, chunk by chunk; awards go on meanwhile. LEDGER_UNAVAILABLE.

    A chunk is a few statements, each of which sees one moment.
    """
    findings = {name: Findings(name) for name in CHECKS}
    strays = Findings("rows_belong_to_entries")
    async with ledger_errors():
        bounds = await bounds_of_users(pool)
        await _compare(pool, bounds, findings, progress)
        await _find_strays(pool, strays, progress)
    for each in findings.values():
        each.checked = bounds.users
    return [each.check() for each in (*findings.values(), strays)]


async def _find_strays(pool: Pool, findings: Findings, progress: Progress) -> None:
    after: int | None = 0
    while after is not None:
        after, rows, found = await strays_after(pool, after, STRAYS_AT_ONCE)
        findings.checked += rows
        findings.wrong += [f"{stray}, which is no entry" for stray in found]
        await progress("ledger", 0, 0)


async def _compare(pool: Pool, bounds: Bounds, findings: dict[str, Findings], progress: Progress) -> None:
    start, chunk = bounds.low, FIRST_CHUNK
    while start < bounds.high:
        end, began = min(start + chunk, bounds.high), perf_counter()
        for each in await differences(pool, start, end):
            findings[each.check].wrong.append(str(each))
        chunk = _next_chunk(chunk, perf_counter() - began)
        await progress("ledger", end - start, bounds.high - bounds.low)
        start = end


def _next_chunk(chunk: int, seconds: float) -> int:
    if seconds < SHORT_SECONDS:
        return min(chunk * 2, LARGEST_CHUNK)
    return max(chunk // 2, 1) if seconds > LONG_SECONDS else chunk
