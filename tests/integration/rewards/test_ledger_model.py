"""The ledger against a plain model of it: any commands in any order, replays, passing time, crashes and restarts."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from redis.asyncio import Redis

from laurel_server.domain.awards import AwardAnswer
from laurel_server.domain.commands import ChangeAnswer, Command
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.ledger import Rewards
from laurel_server.domain.reversals import ReversalPolicy, ReverseCommand
from laurel_server.rewards.commands import item_of
from laurel_server.runtime.wiring import Parts
from tests.integration import engines, spend
from tests.integration.conftest import Run, new_ledger
from tests.integration.engines import Engine
from tests.integration.wired import START, entries_of, gift, give, listed, running, wrongs
from tests.oracle.ledger import Account, Entry, Hold, Refused

USERS = ("ann", "bob")
LIVES = {"GIVE": None, "GIVE_2D": timedelta(days=2), "GIVE_10D": timedelta(days=10)}

users = st.sampled_from((*USERS, USERS[0], USERS[0]))
amounts = st.integers(1, 60) | st.integers(1, 6_000)
percents = st.integers(1, 110)
"""Of what is available: mostly enough, now and then not."""
days = st.integers(0, 12).map(lambda number: timedelta(days=number))
places = st.integers(0, 1_000)

Answer = AwardAnswer | ChangeAnswer


@dataclass
class Done:
    """A command as it was sent, and what was answered."""

    send: Callable[[], Coroutine[Any, Any, Answer]]
    answer: Answer | None
    reason: str


@dataclass
class Step:
    """One command of several that share a batch, and what the model makes of it."""

    user: str
    expected: Entry | Hold | str | None
    family: str
    command: Command


def seen(rewards: Rewards) -> tuple[int, int, int, int, int, int, str]:
    """Return what a model of an account has, too."""
    return (
        rewards.total_points,
        rewards.lifetime_points,
        rewards.redeemed_points,
        rewards.expired_points,
        rewards.held_points,
        rewards.pending_points,
        rewards.tier.name,
    )


class LedgerMachine(RuleBasedStateMachine):
    """One ledger and its model; `run`, `postgres`, `redis` and `template` are set before it is run."""

    run: Run
    postgres: Engine
    redis: Engine
    template: str

    def __init__(self) -> None:
        super().__init__()
        self.accounts = {user: Account() for user in USERS}
        self.entries: list[tuple[str, Entry, int]] = []
        self.holds: list[tuple[str, Hold, ChangeAnswer]] = []
        self.done: list[Done] = []
        self.known: set[str] = set()
        self.now = START
        self.numbers = count()

    @initialize(points=st.integers(1, 6_000), action=st.sampled_from(tuple(LIVES)))
    def begin(self, points: int, action: str) -> None:
        self.held = AsyncExitStack()
        self.run(self._begin())
        self._give(USERS[0], points, action, timedelta())
        self._give(USERS[0], points, "GIVE", timedelta())

    async def _begin(self) -> None:
        async with Redis.from_url(engines.redis_url(self.redis)) as client:
            await client.flushall()
        self.dsn = await self.held.enter_async_context(new_ledger(self.postgres, self.template))
        self.server = AsyncExitStack()
        self.parts = await self._start(START)
        for action, life in LIVES.items():
            expires_after = "" if life is None else f"P{life.days}D"
            await self.parts.rule_book.put_action(gift(action, expires_after=expires_after), "tests")

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

    @rule(
        user=users,
        points=st.integers(0, 60) | amounts,
        action=st.sampled_from(tuple(LIVES)),
        waits=st.just(timedelta()) | days,
    )
    def award(self, user: str, points: int, action: str, waits: timedelta) -> None:
        self._give(user, points, action, waits)

    def _give(self, user: str, points: int, action: str, waits: timedelta) -> None:
        activates_at = self.now + waits if waits else None
        life = LIVES[action]
        expires_at = None if life is None else (activates_at or self.now) + life
        self.known.add(user)
        self._command(
            user,
            lambda: self.accounts[user].award(points, activates_at or self.now, expires_at),
            lambda key: give(
                self.parts, user, points, action=action, activates_at=activates_at, request_id=key
            ),
        )

    @rule(user=users, points=amounts, life=st.none() | st.integers(1, 12), takes=st.booleans())
    def adjust(self, user: str, points: int, life: int | None, takes: bool) -> None:
        expires_at = None if life is None or takes else self.now + timedelta(days=life)
        points = -points if takes else points
        if not takes:
            self.known.add(user)
        self._command(
            user,
            lambda: self.accounts[user].adjust(points, self.now, expires_at),
            lambda key: spend.adjust(self.parts, user, points, expires_at, request_id=key),
        )

    @rule(user=users, percent=percents)
    def redeem(self, user: str, percent: int) -> None:
        points = self._share(user, percent)
        self._command(
            user,
            lambda: self.accounts[user].redeem(points, self.now),
            lambda key: spend.redeem(self.parts, user, points, request_id=key),
        )

    @precondition(lambda self: self.entries)
    @rule(place=places)
    def cancel(self, place: int) -> None:
        user, entry, entry_id = self._pick(place, {"REDEMPTION"} if place % 10 else set())
        self._command(
            user,
            lambda: self.accounts[user].cancel(entry),
            lambda key: self.parts.spending.cancel(spend.key(key, entry_id), str(entry_id), "", None),
        )

    @precondition(lambda self: self.entries)
    @rule(
        place=places,
        percent=st.just(0) | percents,
        part=st.just(Fraction()) | st.sampled_from([Fraction(1, 3), Fraction(1, 2), Fraction(1)]),
        policy=st.sampled_from(ReversalPolicy),
    )
    def reverse(self, place: int, percent: int, part: Fraction, policy: ReversalPolicy) -> None:
        user, entry, entry_id = self._pick(place, {"AWARD", "ADJUSTMENT"} if place % 10 else set())
        points = 0 if part else abs(entry.points) * percent // 100
        self._command(
            user,
            lambda: self.accounts[user].reverse(entry, points, part, policy.name, self.now),
            lambda key: spend.reverse(self.parts, entry_id, points, part=part, policy=policy, request_id=key),
        )

    @precondition(lambda self: self.entries)
    @rule(
        steps=st.lists(
            st.tuples(places, st.just(100) | percents, st.sampled_from(ReversalPolicy)),
            min_size=2,
            max_size=5,
        ),
        user=users,
    )
    def together(self, steps: list[tuple[int, int, ReversalPolicy]], user: str) -> None:
        """Redemptions and reversals that share one batch do what they would do one after the other."""
        self.run(self._together([self._step(user, *step) for step in steps]))

    def _step(self, user: str, place: int, percent: int, policy: ReversalPolicy) -> Step:
        key = f"step-{next(self.numbers)}"
        if place % 2:
            points = self._share(user, percent)
            expected = self._expected(user, lambda: self.accounts[user].redeem(points, self.now))
            return Step(user, expected, "redeem", spend.redemption(user, points, key))
        owner, entry, entry_id = self._pick(place, {"AWARD", "ADJUSTMENT"})
        part = Fraction(1, 2) if place % 3 else Fraction()
        expected = self._expected(
            owner, lambda: self.accounts[owner].reverse(entry, 0, part, policy.name, self.now)
        )
        original = self.run(self.parts.statement.stored(entry_id))
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
        results = await self.parts.awards.submit([item_of(step.command, step.family) for step in steps], None)
        for step, result in zip(steps, results, strict=True):
            if isinstance(step.expected, Entry):
                assert isinstance(result, ChangeAnswer), result
                assert result.entry is not None
                assert result.entry.points == step.expected.points
                self.entries.append((step.user, step.expected, result.entry.transaction_id))
            else:
                assert isinstance(result, LaurelError), result
                assert result.reason.value == step.expected

    @rule(user=users, percent=percents, minutes=st.integers(1, 3_000))
    def hold(self, user: str, percent: int, minutes: int) -> None:
        lasting, points = timedelta(minutes=minutes), self._share(user, percent)
        held, answer = self._command(
            user,
            lambda: self.accounts[user].hold(points, self.now, self.now + lasting),
            lambda key: spend.hold(self.parts, user, points, lasting, request_id=key),
        )
        if isinstance(held, Hold) and isinstance(answer, ChangeAnswer):
            self.holds.append((user, held, answer))

    @precondition(lambda self: self.holds)
    @rule(place=places, percent=st.just(0) | percents, releases=st.booleans())
    def settle(self, place: int, percent: int, releases: bool) -> None:
        user, held, made = self.holds[-1 - place % len(self.holds)]
        points = held.points * percent // 100
        if releases:
            self._command(
                user,
                lambda: self.accounts[user].release(held, self.now),
                lambda key: spend.release(self.parts, made, request_id=key),
            )
        else:
            self._command(
                user,
                lambda: self.accounts[user].capture(held, points, self.now),
                lambda key: spend.capture(self.parts, made, points, request_id=key),
            )

    @rule()
    def expire(self) -> None:
        counts = self.run(self.parts.expiry.run())
        swept = [entry for account in self.accounts.values() for entry in account.expire(self.now)]
        assert (counts["lots"], counts["points"]) == (len(swept), -sum(entry.points for entry in swept))

    @rule(by=st.sampled_from([timedelta(minutes=10), timedelta(hours=7), timedelta(days=1)]) | days)
    def advance(self, by: timedelta) -> None:
        assert self.parts.clock is not None
        self.now += by
        self.run(self.parts.clock.set(self.now))

    @precondition(lambda self: self.done)
    @rule(place=places)
    def send_again(self, place: int) -> None:
        before = self.done[place % len(self.done)]
        again, reason = self.run(self._send(before.send))
        assert reason == before.reason
        if before.answer is not None:
            assert again is not None
            assert again.replayed
            assert (again.entry, again.rewards) == (before.answer.entry, before.answer.rewards)

    @rule()
    def restart(self) -> None:
        self.run(self._restart())

    @rule(user=users, percent=percents)
    def crash(self, user: str, percent: int) -> None:
        """The server is gone while a redemption is under way; sent again, it has happened once."""
        self.run(self._crash(user, self._share(user, percent)))

    async def _restart(self) -> None:
        await self.server.aclose()
        self.server = AsyncExitStack()
        self.parts = await self._start(None)

    async def _crash(self, user: str, points: int) -> None:
        key = f"crash-{next(self.numbers)}"
        calls = asyncio.gather(
            *(spend.redeem(self.parts, user, points, request_id=key) for _ in range(2)),
            return_exceptions=True,
        )
        await asyncio.sleep(0)
        await self.parts.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'laurel award lane'"
        )
        await calls
        await self._restart()
        expected = self._expected(user, lambda: self.accounts[user].redeem(points, self.now))
        answer, reason = await self._send(lambda: spend.redeem(self.parts, user, points, request_id=key))
        assert reason == (expected if isinstance(expected, str) else "")
        if isinstance(answer, ChangeAnswer) and isinstance(expected, Entry):
            self.entries.append((user, expected, spend.entry_id(answer)))

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        if hasattr(self, "parts"):
            found = self.run(self.parts.statement.rewards_of(USERS))
            expected = {user: self.accounts[user].balances(self.now) for user in self.known}
            assert {user: seen(rewards) for user, rewards in found.items()} == expected

    def _share(self, user: str, percent: int) -> int:
        """Return a share of what the user has, at least 1."""
        return max(1, self.accounts[user].balances(self.now)[0] * percent // 100)

    def _pick(self, place: int, kinds: set[str]) -> tuple[str, Entry, int]:
        """Return an entry, one of those kinds if there is any; of the youngest first."""
        wanted = [each for each in self.entries if each[1].kind in kinds] or self.entries
        return wanted[-1 - place % len(wanted)]

    def _expected(self, user: str, model: Callable[[], Entry | Hold | None]) -> Entry | Hold | str | None:
        """Return what the model does, or the reason why it does not."""
        if user not in self.known:
            return "USER_NOT_FOUND"
        try:
            return model()
        except Refused as refused:
            return str(refused)

    def _command(
        self,
        user: str,
        model: Callable[[], Entry | Hold | None],
        call: Callable[[str], Coroutine[Any, Any, Answer]],
    ) -> tuple[Entry | Hold | str | None, Answer | None]:
        """Do the same to the model and to the ledger, and compare the answers."""
        key = f"step-{next(self.numbers)}"
        expected = self._expected(user, model)
        answer, reason = self.run(self._send(lambda: call(key)))
        assert reason == (expected if isinstance(expected, str) else "")
        self.done.append(Done(lambda: call(key), answer, reason))
        if answer is not None:
            assert seen(answer.rewards) == self.accounts[user].balances(self.now)
        if isinstance(expected, Entry):
            assert answer is not None
            assert answer.entry is not None
            assert answer.entry.points == expected.points
            self.entries.append((user, expected, answer.entry.transaction_id))
        return expected, answer

    @staticmethod
    async def _send(call: Callable[[], Coroutine[Any, Any, Answer]]) -> tuple[Answer | None, str]:
        try:
            return await call(), ""
        except LaurelError as refused:
            return None, refused.reason.value

    async def _compare_all(self) -> None:
        """Compare every entry, what is reversed of each, and the board; the ledger must agree with itself."""
        for user, account in self.accounts.items():
            assert await entries_of(self.parts, user) == [entry.points for entry in account.entries]
        for _, entry, entry_id in self.entries:
            assert (await self.parts.statement.transaction(entry_id)).reversed_points == entry.undone
        scores = {user: account.lifetime for user, account in self.accounts.items() if account.lifetime > 0}
        assert dict(await listed(self.parts)) == scores
        assert await wrongs(self.parts) == []


def budget() -> settings:
    """Return a budget that fits in every run of the tests; `--hypothesis-profile=thorough` has a larger one."""
    asked = settings()
    if asked.max_examples == settings.get_profile("default").max_examples:
        asked = settings(max_examples=15, stateful_step_count=40)
    return settings(asked, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@pytest.mark.timeout(1800)
def test_any_commands_in_any_order_do_what_the_model_does(
    run: Run, postgres: Engine, redis_engine: Engine, template: str
) -> None:
    class Machine(LedgerMachine):
        pass

    Machine.run = staticmethod(run)
    Machine.postgres, Machine.redis, Machine.template = postgres, redis_engine, template
    run_machine(Machine, settings=budget())
