"""A server process against a plain model of the ledger: any calls in any order, replays, passing time, and SIGKILL.

A little of it runs with every change; `pytest tests/faults/test_ledger_model.py --hypothesis-profile thorough` takes
hours and kills the server as often as it likes.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from tests.faults.conftest import deployed
from tests.faults.service import Service
from tests.integration.conftest import Run
from tests.integration.engines import Engine
from tests.integration.rewards.compared_ledger import Call
from tests.integration.rewards.ledger_machine import (
    LIVES,
    LedgerMachine,
    budget,
    is_thorough,
    percents,
    users,
)

SETTINGS = {
    "LAUREL_SANDBOX": "1",
    "LAUREL_JOBS_SCHEDULED": "0",  # closing periods would pay winners, of whom the model knows nothing
    "LAUREL_BOARDS_PROJECT_BUDGET_MS": "2000",
}
EXAMPLES, STEPS, KILLS = 6, 30, 1
"""The budget of every run; so many kills in an example."""

START = datetime(2026, 11, 25, 12, tzinfo=UTC)


class ServiceMachine(LedgerMachine):
    """Two more users of the one service in each example; `ledger` and `kills` are set before it is run, too."""

    ledger: Service
    kills: int

    def __init__(self) -> None:
        super().__init__()
        self.killed = 0

    def open(self) -> datetime:
        now: datetime = self.run(self.ledger.now()).replace(tzinfo=UTC)
        return now

    @precondition(lambda self: self.killed < self.kills)
    @rule(who=users, percent=percents, after=st.integers(0, 8))
    def kill(self, who: int, percent: int, after: int) -> None:
        """The server is gone some milliseconds after a redemption was sent; sent again, it has happened once."""
        self.killed += 1
        user, model, call = self._redemption(who, percent)
        self.run(self._kill(call, after / 1000))
        self._do(user, model, call)

    async def _kill(self, call: Call, seconds: float) -> None:
        sent = asyncio.gather(call(), call(), return_exceptions=True)
        await asyncio.sleep(seconds)
        self.ledger.deployment.kill()
        await sent
        await self.ledger.deployment.start()

    def teardown(self) -> None:
        self.run(self.compare_reversals())
        self.run(self._agrees())

    async def _agrees(self) -> None:
        found: list[str] = []

        async def agrees() -> bool:
            found[:] = await self.ledger.wrongs()
            return not found

        with suppress(AssertionError):
            await self.ledger.deployment.until(agrees, "the boards follow")
        assert found == []


@pytest.mark.timeout(1800)
def test_a_server_that_is_killed_now_and_then_does_what_the_model_does(
    run: Run, doomed_postgres: Engine, doomed_redis: Engine, tmp_path: Path
) -> None:
    limits = budget(EXAMPLES, STEPS)
    held = AsyncExitStack()

    async def serve() -> Service:
        context = deployed(doomed_postgres, doomed_redis, tmp_path, SETTINGS)
        service = Service(await held.enter_async_context(context))
        await service.set_clock(START)  # kept over the restarts that follow
        for action, life in LIVES.items():
            await service.put_gift(action, "" if life is None else f"P{life.days}D")
        return service

    class Machine(ServiceMachine):
        pass

    try:
        Machine.run = staticmethod(run)
        Machine.kills = limits.stateful_step_count if is_thorough() else KILLS
        Machine.ledger = run(serve())
        run_machine(Machine, settings=limits)
    finally:
        run(held.aclose())
