"""A server process against a plain model of the ledger: any calls in any order, replays, passing time, and SIGKILL.

A little of it runs with every change; `pytest tests/faults/test_ledger_model.py --hypothesis-profile thorough` takes
hours and kills the server as often as it likes.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from laurel.rewards.v1.rewards_pb2 import UserRewards
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.domain.reversals import ReversalPolicy
from tests.faults.conftest import deployed
from tests.faults.service import Call, Service
from tests.integration.conftest import Run
from tests.integration.engines import Engine
from tests.oracle.ledger import Account, Entry, Hold, Refused

SETTINGS = {
    "LAUREL_SANDBOX": "1",
    "LAUREL_JOBS_SCHEDULED": "0",  # closing periods would pay winners, of whom the model knows nothing
    "LAUREL_BOARDS_PROJECT_BUDGET_MS": "2000",
}
LIVES = {"GIVE": None, "GIVE_2D": timedelta(days=2), "GIVE_10D": timedelta(days=10)}
EXAMPLES, STEPS, KILLS = 6, 30, 1
"""The budget of every run; so many kills in an example."""

START = datetime(2026, 11, 25, 12, tzinfo=UTC)

_examples = count()

amounts = st.integers(1, 60) | st.integers(1, 6_000)
percents = st.integers(1, 110)
"""Of what is available: mostly enough, now and then not."""
days = st.integers(0, 12).map(lambda number: timedelta(days=number))
places = st.integers(0, 1_000)


def seen(rewards: UserRewards) -> tuple[int, int, int, int, int, int, str]:
    """Return what a model of an account has, too."""
    return (
        rewards.total_points,
        rewards.lifetime_points,
        rewards.redeemed_points,
        rewards.expired_points,
        rewards.held_points,
        rewards.pending_points,
        Tier.Name(rewards.tier).removeprefix("TIER_"),
    )


class ServiceMachine(RuleBasedStateMachine):
    """Two users of the one service and their models; `run`, `service` and `kills` are set before it is run."""

    run: Run
    service: Service
    kills: int

    def __init__(self) -> None:
        super().__init__()
        example = next(_examples)
        self.users = (f"ann-{example}", f"bob-{example}")
        self.prefix = f"step-{example}"
        self.accounts = {user: Account() for user in self.users}
        self.known: set[str] = set()
        self.entries: list[tuple[str, Entry, str]] = []
        self.holds: list[tuple[str, Hold, str]] = []
        self.done: list[tuple[Call, Any, str]] = []
        self.numbers = count()
        self.killed = 0

    @initialize(points=st.integers(1, 6_000), action=st.sampled_from(tuple(LIVES)))
    def begin(self, points: int, action: str) -> None:
        self.now = self.run(self.service.now()).replace(tzinfo=UTC)
        self._award(0, points, action, timedelta())
        self._award(0, points, "GIVE", timedelta())

    @rule(
        who=st.integers(0, 1),
        points=st.integers(0, 60) | amounts,
        action=st.sampled_from(tuple(LIVES)),
        waits=st.just(timedelta()) | days,
    )
    def award(self, who: int, points: int, action: str, waits: timedelta) -> None:
        self._award(who, points, action, waits)

    def _award(self, who: int, points: int, action: str, waits: timedelta) -> None:
        user, life = self.users[who], LIVES[action]
        activates_at = self.now + waits if waits else None
        expires_at = None if life is None else (activates_at or self.now) + life
        self.known.add(user)
        self._do(
            user,
            lambda: self.accounts[user].award(points, activates_at or self.now, expires_at),
            self.service.award_call(self._key(), user, points, action, activates_at),
        )

    @rule(who=st.integers(0, 1), points=amounts, life=st.none() | st.integers(1, 12), takes=st.booleans())
    def adjust(self, who: int, points: int, life: int | None, takes: bool) -> None:
        user = self.users[who]
        expires_at = None if life is None or takes else self.now + timedelta(days=life)
        points = -points if takes else points
        if not takes:
            self.known.add(user)
        self._do(
            user,
            lambda: self.accounts[user].adjust(points, self.now, expires_at),
            self.service.adjust_call(self._key(), user, points, expires_at),
        )

    @rule(who=st.integers(0, 1), percent=percents)
    def redeem(self, who: int, percent: int) -> None:
        self._do(*self._redemption(who, percent))

    def _redemption(self, who: int, percent: int) -> tuple[str, Callable[[], Entry], Call]:
        user = self.users[who]
        points = self._share(user, percent)
        call = self.service.redeem_call(self._key(), user, points)
        return user, lambda: self.accounts[user].redeem(points, self.now), call

    @precondition(lambda self: self.entries)
    @rule(place=places)
    def cancel(self, place: int) -> None:
        user, entry, entry_id = self._pick(place, {"REDEMPTION"} if place % 10 else set())
        call = self.service.cancel_call(self._key(), entry_id)
        self._do(user, lambda: self.accounts[user].cancel(entry), call)

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
        self._do(
            user,
            lambda: self.accounts[user].reverse(entry, points, part, policy.name, self.now),
            self.service.reverse_call(self._key(), entry_id, points, part, policy),
        )

    @rule(who=st.integers(0, 1), percent=percents, minutes=st.integers(1, 3_000))
    def hold(self, who: int, percent: int, minutes: int) -> None:
        user, lasting = self.users[who], timedelta(minutes=minutes)
        points = self._share(user, percent)
        held, answer = self._do(
            user,
            lambda: self.accounts[user].hold(points, self.now, self.now + lasting),
            self.service.hold_call(self._key(), user, points, lasting),
        )
        if isinstance(held, Hold):
            self.holds.append((user, held, answer.hold.hold_id))

    @precondition(lambda self: self.holds)
    @rule(place=places, percent=st.just(0) | percents)
    def capture(self, place: int, percent: int) -> None:
        user, held, hold_id = self.holds[-1 - place % len(self.holds)]
        points = held.points * percent // 100
        call = self.service.capture_call(self._key(), hold_id, points)
        self._do(user, lambda: self.accounts[user].capture(held, points, self.now), call)

    @precondition(lambda self: self.holds)
    @rule(place=places)
    def release(self, place: int) -> None:
        user, held, hold_id = self.holds[-1 - place % len(self.holds)]
        call = self.service.release_call(self._key(), hold_id)
        self._do(user, lambda: self.accounts[user].release(held, self.now), call)

    @rule()
    def expire(self) -> None:
        self.run(self.service.expire(self._key()))
        for account in self.accounts.values():
            account.expire(self.now)

    @rule(by=st.sampled_from([timedelta(minutes=10), timedelta(hours=7), timedelta(days=1)]) | days)
    def advance(self, by: timedelta) -> None:
        self.now += by
        self.run(self.service.set_clock(self.now))

    @precondition(lambda self: self.done)
    @rule(place=places)
    def send_again(self, place: int) -> None:
        call, answer, reason = self.done[place % len(self.done)]
        again, refused = self.run(self.service.send(call))
        assert refused == reason
        if answer is not None:
            assert again.replayed
            assert again.rewards == answer.rewards

    @precondition(lambda self: self.killed < self.kills)
    @rule(who=st.integers(0, 1), percent=percents, after=st.integers(0, 8))
    def kill(self, who: int, percent: int, after: int) -> None:
        """The server is gone some milliseconds after a redemption was sent; sent again, it has happened once."""
        self.killed += 1
        user, model, call = self._redemption(who, percent)
        self.run(self._kill(call, after / 1000))
        self._do(user, model, call)

    async def _kill(self, call: Call, seconds: float) -> None:
        sent = asyncio.gather(call(), call(), return_exceptions=True)
        await asyncio.sleep(seconds)
        self.service.deployment.kill()
        await sent
        await self.service.deployment.start(60)

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        for user in self.known:
            found = seen(self.run(self.service.rewards(user)))
            assert found == self.accounts[user].balances(self.now), user

    def teardown(self) -> None:
        for _, entry, entry_id in self.entries:
            assert self.run(self.service.reversed_points(entry_id)) == entry.undone
        self.run(self._agrees())

    async def _agrees(self) -> None:
        found: list[str] = []

        async def agrees() -> bool:
            found[:] = await self.service.wrongs()
            return not found

        with suppress(AssertionError):
            await self.service.deployment.until(agrees, "the boards follow", 60)
        assert found == []

    def _key(self) -> str:
        return f"{self.prefix}-{next(self.numbers)}"

    def _share(self, user: str, percent: int) -> int:
        """Return a share of what the user has, at least 1."""
        return max(1, self.accounts[user].balances(self.now)[0] * percent // 100)

    def _pick(self, place: int, kinds: set[str]) -> tuple[str, Entry, str]:
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

    def _do(
        self, user: str, model: Callable[[], Entry | Hold | None], call: Call
    ) -> tuple[Entry | Hold | str | None, Any]:
        """Do the same to the model and to the service, and compare the answers."""
        expected = self._expected(user, model)
        answer, reason = self.run(self.service.send(call))
        assert reason == (expected if isinstance(expected, str) else "")
        self.done.append((call, answer, reason))
        if answer is not None:
            assert seen(answer.rewards) == self.accounts[user].balances(self.now)
        if isinstance(expected, Entry):
            assert answer.transaction.points == expected.points
            self.entries.append((user, expected, answer.transaction.transaction_id))
        return expected, answer


def budget(kills: int) -> tuple[settings, int]:
    """Return the budget of every run, or a larger one if it was asked for, and how often an example may kill."""
    asked = settings()
    if settings.get_current_profile_name() == "thorough":
        kills = asked.stateful_step_count
    else:
        asked = settings(max_examples=EXAMPLES, stateful_step_count=STEPS)
    return settings(asked, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True), kills


@pytest.mark.timeout(1800)
def test_a_server_that_is_killed_now_and_then_does_what_the_model_does(
    run: Run, doomed_postgres: Engine, doomed_redis: Engine, tmp_path: Path
) -> None:
    limits, kills = budget(KILLS)
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
        Machine.run, Machine.kills = staticmethod(run), kills
        Machine.service = run(serve())
        run_machine(Machine, settings=limits)
    finally:
        run(held.aclose())
