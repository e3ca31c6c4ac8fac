"""Where the test clock stands after a restart with the same settings."""

from datetime import timedelta

from tests.integration.wired import START, give, running

WEEK = timedelta(days=7)


async def test_a_restart_with_the_same_settings_does_not_turn_the_clock_back(
    ledger_dsn: str, redis_url: str
) -> None:
    async with running(ledger_dsn, redis_url, now=START) as parts:
        await give(parts, "ann", 10)
        assert parts.clock is not None
        await parts.clock.advance(WEEK)
    async with running(ledger_dsn, redis_url, now=START) as parts:
        assert parts.clock is not None
        assert parts.clock.now() == START + WEEK
        await give(parts, "ann", 10)
    async with running(ledger_dsn, redis_url, now=START) as parts:
        assert parts.clock is not None
        assert parts.clock.now() == START + WEEK


async def test_a_later_start_is_a_downtime(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, now=START) as parts:
        await give(parts, "ann", 10)
    async with running(ledger_dsn, redis_url, now=START + WEEK) as parts:
        assert parts.clock is not None
        assert parts.clock.now() == START + WEEK


async def test_a_ledger_without_entries_may_begin_earlier(ledger_dsn: str, redis_url: str) -> None:
    async with running(ledger_dsn, redis_url, now=START):
        pass
    async with running(ledger_dsn, redis_url, now=START - WEEK) as parts:
        assert parts.clock is not None
        assert parts.clock.now() == START - WEEK
