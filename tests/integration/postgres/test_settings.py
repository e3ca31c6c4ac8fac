"""A database whose owner has set for it what is usually left alone."""

from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import orjson

from laurel_server.postgres.pool import connect_lane
from tests.integration.spend import adjust
from tests.integration.wired import START, running, wrongs

SETTINGS = {"timezone": "America/New_York", "default_transaction_isolation": "serializable"}


async def test_settings_of_the_database_change_nothing(ledger_dsn: str, redis_url: str) -> None:
    owner = await asyncpg.connect(ledger_dsn)
    for name, value in SETTINGS.items():
        await owner.execute(f"ALTER DATABASE {urlsplit(ledger_dsn).path[1:]} SET {name} = '{value}'")
    await owner.close()
    lane = await connect_lane(ledger_dsn, 5)
    assert await lane.fetchval("SHOW transaction_isolation") == "read committed"
    await lane.close()
    async with running(ledger_dsn, redis_url) as parts:
        assert await parts.pool.fetchval("SHOW transaction_isolation") == "read committed"
        expires_at = START + timedelta(days=6, hours=13)  # on the day before in New York
        await adjust(parts, "ann", 10, expires_at=expires_at)
        assert (await parts.expiry.run())["warnings"] == 1
        told = await parts.pool.fetchval("SELECT body::text FROM events WHERE type = 'points.expiring'")
        assert orjson.loads(told)["expires_at"] == expires_at.isoformat()
        assert await wrongs(parts) == []
