"""Leadership over a real PostgreSQL: one leads, and what that costs."""

import asyncio

import asyncpg
import pytest

from laurel_server.postgres import leadership
from laurel_server.postgres.leadership import Leadership


async def leads_in_the_end(candidate: Leadership) -> None:
    async with asyncio.timeout(60):
        while not await candidate.held():  # noqa: ASYNC110 - the ledger is asked
            await asyncio.sleep(0.05)


async def test_one_leads_and_another_follows_when_it_gives_up(ledger_dsn: str) -> None:
    first, second = Leadership(ledger_dsn, "tests"), Leadership(ledger_dsn, "tests")
    assert await first.held()
    assert not await second.held()
    await first.close()
    await leads_in_the_end(second)
    await second.close()


async def test_who_asks_often_costs_one_round_trip(ledger_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "SURE_SECONDS", 3600)
    leader = Leadership(ledger_dsn, "tests")
    assert await leader.held()
    other = await asyncpg.connect(ledger_dsn)
    asked = "SELECT query_start FROM pg_stat_activity WHERE application_name = 'laurel tests'"
    before = await other.fetchval(asked)
    assert all([await leader.held() for _ in range(100)])
    assert await other.fetchval(asked) == before
    await other.close()
    await leader.close()


async def test_who_lost_the_connection_does_not_lead_on_what_was_said_before(
    ledger_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leadership, "SURE_SECONDS", 3600)
    first, second = Leadership(ledger_dsn, "tests"), Leadership(ledger_dsn, "tests")
    assert await first.held()
    other = await asyncpg.connect(ledger_dsn)
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'laurel tests'"
    )
    await leads_in_the_end(second)
    async with asyncio.timeout(60):
        while await first.held():  # noqa: ASYNC110 - until the end of its connection has arrived
            await asyncio.sleep(0.01)
    await other.close()
    await first.close()
    await second.close()
