"""The ledger's part of VerifyIntegrity: balances = entries = lots, and totals of periods = entries."""

from laurel_server.domain.views import Check
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.verify import Difference, count_users, differences

CHECKS = ("balances_equal_entries", "balances_equal_lots", "totals_equal_entries")
SHOWN = 5
"""Differences that a check's detail names."""


async def verify_ledger(pool: Pool) -> list[Check]:
    """Compare the whole ledger with itself, chunk by chunk; awards go on meanwhile. LEDGER_UNAVAILABLE."""
    found: dict[str, list[Difference]] = {name: [] for name in CHECKS}
    async with ledger_errors():
        users = await count_users(pool)
        async for difference in differences(pool):
            found[difference.check].append(difference)
    return [_check(name, users, wrong) for name, wrong in found.items()]


def _check(name: str, users: int, wrong: list[Difference]) -> Check:
    shown = "; ".join(f"{each.user_id}: {each.found} instead of {each.expected}" for each in wrong[:SHOWN])
    return Check(name, not wrong, users, len(wrong), shown)
