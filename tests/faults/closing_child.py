"""Closes what is due and kills itself, without a word, after a step: `python closing_child.py DSN REDIS STEP NOW`."""

import asyncio
import os
import signal
import sys
from datetime import datetime

from laurel_server.periods.close import PeriodClose
from laurel_server.runtime.config import Settings
from laurel_server.runtime.config_program import Jobs, Sandbox
from laurel_server.runtime.wiring import wire


async def main(dsn: str, redis_url: str, step: str, now: str) -> None:
    """Close until the step is reached."""
    sandbox = Sandbox(enabled=True, now=datetime.fromisoformat(now))
    parts = await wire(Settings(sandbox=sandbox, jobs=Jobs(scheduled=False)), dsn, redis_url)
    parts.awards.start()
    assert parts.clock is not None

    async def die(reached: str) -> None:
        if reached == step:
            os.kill(os.getpid(), signal.SIGKILL)

    close = PeriodClose(
        parts.pool, parts.redis, parts.rule_book, parts.awards, parts.badges, parts.clock, die
    )
    await close.run(lambda _closed: None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
