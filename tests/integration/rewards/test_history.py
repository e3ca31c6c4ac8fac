"""Any history of calls, clock and losses of Redis, against a model in plain Python.

`pytest tests/integration/rewards/test_history.py --hypothesis-profile thorough` looks much longer.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ledger import RankState, User
from laurel_server.runtime.wiring import Parts
from tests.integration.conftest import Run, new_ledger
from tests.integration.engines import Engine
from tests.integration.wired import ALL, START, command, listed, running, until, wrongs

BUDGET = settings(max_examples=8, stateful_step_count=20, deadline=None, derandomize=True)
COUNTRIES = ("", "US", "DE")
TIERS = {"bronze": 0, "silver": 5_000, "gold": 10_000, "platinum": 20_000, "diamond": 50_000}

users = st.sampled_from(["ann", "bob", "cid", "dee", "eve"])
points = st.sampled_from([0, 1, 2, 500, 2500, 5000])
Board = list[tuple[str, int]]


@dataclass
class Person:
    """What the model knows of a user."""

    country: str = ""
    points: int = 0
    totals: dict[str, tuple[int, int]] = field(default_factory=dict)  # by period: score, when it was reached

    @property
    def tier(self) -> str:
        """The highest tier whose threshold is reached."""
        return max(
            (tier for tier, from_ in TIERS.items() if from_ <= self.points), key=lambda tier: TIERS[tier]
        )


class Model:
    """The program of rewards, without anything that makes it fast or safe."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.made: dict[str, tuple[AwardCommand, AwardAnswer]] = {}
        self.now: datetime = START
        self._moment = 0

    @property
    def week(self) -> str:
        """The id of the present week."""
        year, week, _ = self.now.isocalendar()
        return f"{year}-W{week:02}"

    def person(self, user_id: str) -> Person:
        """Return the user, who is known from now on."""
        return self.people.setdefault(user_id, Person())

    def award(self, made: AwardCommand) -> Person:
        """Count an award."""
        person, amount = self.person(made.user_id), int(made.attributes["points"])
        self._moment += 1
        person.points += amount
        for period_id in (self.week, ALL) if amount else ():
            score, _ = person.totals.get(period_id, (0, 0))
            person.totals[period_id] = (score + amount, self._moment)
        return person

    def boards(self) -> dict[tuple[str, str], Board]:
        """Return the boards of the present week and of all time."""
        scopes = ["global", *(f"tier:{tier}" for tier in TIERS), "country:US", "country:DE"]
        return {
            (scope, period): self._board(scope, period) for scope in scopes for period in (self.week, ALL)
        }

    def _board(self, scope: str, period_id: str) -> Board:
        on = [
            (person.totals[period_id], user_id)
            for user_id, person in self.people.items()
            if period_id in person.totals
            and scope in {"global", f"tier:{person.tier}", f"country:{person.country}"}
        ]
        return [
            (user_id, total[0]) for total, user_id in sorted(on, key=lambda each: (-each[0][0], each[0][1]))
        ]


class History(RuleBasedStateMachine):
    """One ledger, from empty to the end of an example."""

    def __init__(self, run: Run, postgres: Engine, template: str, redis_url: str) -> None:
        super().__init__()
        self._run = run
        self._stack = AsyncExitStack()
        self._model = Model()
        self._current = True  # whether the boards must equal the model at once
        self._parts: Parts = run(self._open(postgres, template, redis_url))

    async def _open(self, postgres: Engine, template: str, redis_url: str) -> Parts:
        dsn = await self._stack.enter_async_context(new_ledger(postgres, template))
        parts = await self._stack.enter_async_context(running(dsn, redis_url))
        await parts.redis.call("FLUSHALL")
        return parts

    def teardown(self) -> None:
        """Check the ledger as a whole, then end."""
        try:
            assert self._run(wrongs(self._parts, "ledger")) == []
        finally:
            self._run(self._stack.aclose())

    def _send(self, *commands: AwardCommand) -> list[Any]:
        results: list[Any] = self._run(self._parts.awards.award_batch(commands, None))
        if any(
            result.rank_state is RankState.PENDING for result in results if isinstance(result, AwardAnswer)
        ):
            self._current = False
        return results

    @rule(awards=st.lists(st.tuples(users, points), min_size=1, max_size=6))
    def award(self, awards: list[tuple[str, int]]) -> None:
        """Make awards that are new, in one call."""
        commands = [command(user_id, amount) for user_id, amount in awards]
        for each, answer in zip(commands, self._send(*commands), strict=True):
            assert isinstance(answer, AwardAnswer), answer
            person = self._model.award(each)
            assert not answer.replayed
            assert answer.rewards.total_points == answer.rewards.lifetime_points == person.points
            assert answer.rewards.tier.name.lower() == person.tier
            self._model.made[each.request_id] = (each, answer)

    @precondition(lambda self: self._model.made)
    @rule(data=st.data(), new=st.tuples(users, points))
    def replay(self, data: st.DataObject, new: tuple[str, int]) -> None:
        """Repeat an award beside a new one."""
        again, first = self._model.made[data.draw(st.sampled_from(sorted(self._model.made)))]
        fresh = command(*new)
        repeated, answer = self._send(again, fresh)
        assert repeated.replayed
        assert (repeated.entry, repeated.rewards) == (first.entry, first.rewards)
        self._model.award(fresh)
        self._model.made[fresh.request_id] = (fresh, answer)

    @precondition(lambda self: self._model.made)
    @rule(data=st.data())
    def conflict(self, data: st.DataObject) -> None:
        """Use a request_id for something else."""
        request_id = data.draw(st.sampled_from(sorted(self._model.made)))
        (refused,) = self._send(command("ann", 77, request_id=request_id))
        assert isinstance(refused, LaurelError)
        assert refused.reason is Reason.IDEMPOTENCY_CONFLICT

    @rule(hours=st.integers(1, 100))
    def advance(self, hours: int) -> None:
        """Let time pass."""
        assert self._parts.clock is not None
        self._run(self._parts.clock.advance(timedelta(hours=hours)))
        self._model.now += timedelta(hours=hours)

    @rule(user_id=users, country=st.sampled_from(COUNTRIES))
    def move(self, user_id: str, country: str) -> None:
        """Write a profile."""
        self._run(self._parts.profiles.upsert([User(user_id, country=country)]))
        self._model.person(user_id).country = country

    @rule()
    def lose_redis(self) -> None:
        """Empty Redis."""
        self._run(self._parts.redis.call("FLUSHALL"))
        self._current = False

    @rule()
    def rebuild(self) -> None:
        """Fill all boards."""
        self._run(self._parts.maintenance.rebuild(None))

    @invariant()
    def boards_equal_the_model(self) -> None:
        """Read every board: it may be refused while it is filled, and be behind after a loss alone."""
        self._run(until(self._equal, "the boards equal the model"))
        self._current = True

    async def _equal(self) -> bool:
        try:
            boards = await self._boards()
        except LaurelError as refused:
            assert refused.reason is Reason.BOARDS_REBUILDING  # noqa: PT017
            return False
        if self._current:
            assert boards == self._model.boards()
        return boards == self._model.boards()

    async def _boards(self) -> dict[tuple[str, str], Board]:
        return {
            (scope, period): await listed(self._parts, scope, period)
            for scope, period in self._model.boards()
        }


def test_every_history_leaves_balances_tiers_and_boards_as_the_model_says(
    run: Run, postgres: Engine, template: str, redis_url: str
) -> None:
    thorough = settings.get_current_profile_name() == "thorough"

    class OnEngines(History):
        def __init__(self) -> None:
            super().__init__(run, postgres, template, redis_url)

    run_state_machine_as_test(OnEngines, settings=settings() if thorough else BUDGET)
