"""The ledger against a plain model of it: any commands in any order, replays, passing time, crashes and restarts."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from redis.asyncio import Redis

from laurel_server.domain.commands import ChangeAnswer, Command
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.reversals import ReversalPolicy, ReverseCommand
from laurel_server.rewards.commands import item_of
from laurel_server.runtime.wiring import Parts
from tests.integration import engines, spend
from tests.integration.conftest import Run, new_ledger
from tests.integration.engines import Engine
from tests.integration.rewards.compared_ledger import Call
from tests.integration.rewards.ledger_in_process import LedgerInProcess
from tests.integration.rewards.ledger_machine import (
    LIVES,
    LedgerMachine,
    budget,
    percents,
    places,
    users,
)
from tests.integration.wired import START, entries_of, gift, listed, running, wrongs
from tests.oracle.ledger import Entry, Hold

EXAMPLES, STEPS = 15, 40
"""The budget of every run; `--hypothesis-profile=thorough` has a larger one."""


@dataclass
class Step:
    """One command of several that share a batch, and what the model makes of it."""

    user: str
    expected: Entry | Hold | str | None
    family: str
    command: Command


class PartsMachine(LedgerMachine):
    """A ledger of its own for each example; `postgres`, `redis` and `template` are set before it is run, too."""

    ledger: LedgerInProcess
    postgres: Engine
    redis: Engine
    template: str

    def open(self) -> datetime:
        self.held = AsyncExitStack()
        self.run(self._open())
        return START

    async def _open(self) -> None:
        async with Redis.from_url(engines.redis_url(self.redis)) as client:
            await client.flushall()
        self.dsn = await self.held.enter_async_context(new_ledger(self.postgres, self.template))
        self.server = AsyncExitStack()
        self.ledger = LedgerInProcess(await self._start(START))
        for action, life in LIVES.items():
            expires_after = "" if life is None else f"P{life.days}D"
            await self.ledger.parts.rule_book.put_action(gift(action, expires_after=expires_after), "tests")

    async def _start(self, now: datetime | None) -> Parts:
        return await self.server.enter_async_context(
            running(self.dsn, engines.redis_url(self.redis), now=now)
        )

    def teardown(self) -> None:
        if hasattr(self, "held"):
            self.run(self._end())

    async def _end(self) -> None:
        try:
            await self._compare_all()
        finally:
            await self.server.aclose()
            await self.held.aclose()

    @precondition(lambda self: self.entries)
    @rule(
        steps=st.lists(
            st.tuples(places, st.just(100) | percents, st.sampled_from(ReversalPolicy)),
            min_size=2,
            max_size=5,
        ),
        who=users,
    )
    def together(self, steps: list[tuple[int, int, ReversalPolicy]], who: int) -> None:
        """Redemptions and reversals that share one batch do what they would do one after the other."""
        self.run(self._together([self._step(self.users[who], *step) for step in steps]))

    def _step(self, user: str, place: int, percent: int, policy: ReversalPolicy) -> Step:
        key = self._key()
        if place % 2:
            points = self._share(user, percent)
            expected = self._expected(user, lambda: self.accounts[user].redeem(points, self.now))
            return Step(user, expected, "redeem", spend.redemption(user, points, key))
        owner, entry, entry_id = self._pick(place, {"AWARD", "ADJUSTMENT"})
        part = Fraction(1, 2) if place % 3 else Fraction()
        expected = self._expected(
            owner, lambda: self.accounts[owner].reverse(entry, 0, part, policy.name, self.now)
        )
        original = self.run(self.ledger.parts.statement.stored(int(entry_id)))
        undone = ReverseCommand(
            **spend.key(key, part)._asdict(),
            user_id=owner,
            original=original.entry,
            counted=original.period_ids,
            part=part,
            policy=policy,
        )
        return Step(owner, expected, "reverse", undone)

    async def _together(self, steps: list[Step]) -> None:
        items = [item_of(step.command, step.family) for step in steps]
        results = await self.ledger.parts.awards.submit(items, None)
        for step, result in zip(steps, results, strict=True):
            if isinstance(step.expected, Entry):
                assert isinstance(result, ChangeAnswer), result
                assert result.entry is not None
                assert result.entry.points == step.expected.points
                self.entries.append((step.user, step.expected, str(result.entry.transaction_id)))
            else:
                assert isinstance(result, LaurelError), result
                assert result.reason.value == step.expected

    @rule()
    def restart(self) -> None:
        self.run(self._restart())

    @rule(who=users, percent=percents)
    def crash(self, who: int, percent: int) -> None:
        """The server is gone while a redemption is under way; sent again, it has happened once."""
        user, model, call = self._redemption(who, percent)
        self.run(self._crash(call))
        self._do(user, model, call)

    async def _restart(self) -> None:
        await self.server.aclose()
        self.server = AsyncExitStack()
        self.ledger.parts = await self._start(None)

    async def _crash(self, call: Call) -> None:
        calls = asyncio.gather(call(), call(), return_exceptions=True)
        await asyncio.sleep(0)
        await self.ledger.parts.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'laurel award lane'"
        )
        await calls
        await self._restart()

    async def _compare_all(self) -> None:
        """Compare every entry, what is reversed of each, and the board; the ledger must agree with itself."""
        parts = self.ledger.parts
        for user, account in self.accounts.items():
            assert await entries_of(parts, user) == [entry.points for entry in account.entries]
        await self.compare_reversals()
        scores = {user: account.lifetime for user, account in self.accounts.items() if account.lifetime > 0}
        assert dict(await listed(parts)) == scores
        assert await wrongs(parts) == []


@pytest.mark.timeout(1800)
def test_any_commands_in_any_order_do_what_the_model_does(
    run: Run, postgres: Engine, redis_engine: Engine, template: str
) -> None:
    class Machine(PartsMachine):
        pass

    Machine.run = staticmethod(run)
    Machine.postgres, Machine.redis, Machine.template = postgres, redis_engine, template
    run_machine(Machine, settings=budget(EXAMPLES, STEPS))
