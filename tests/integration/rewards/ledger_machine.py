"""Any commands in any order do the same to a ledger as to the plain model of it.

How a ledger is reached, and what may happen to it beside commands, is said by those who run the machine.
"""

from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count
from typing import TypeAlias

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from laurel_server.domain.reversals import ReversalPolicy
from tests.integration.conftest import Run
from tests.integration.rewards.compared_ledger import Answer, Call, Ledger
from tests.oracle.ledger import Account, Entry, Hold, Refused

LIVES = {"GIVE": None, "GIVE_2D": timedelta(days=2), "GIVE_10D": timedelta(days=10)}
"""The actions that give what their attribute says, whatever the tier, and how long such points last."""

Model: TypeAlias = Callable[[], Entry | Hold | None]

_examples = count()

users = st.sampled_from((0, 1, 0, 0))
amounts = st.integers(1, 60) | st.integers(1, 6_000)
percents = st.integers(1, 110)
"""Of what is available: mostly enough, now and then not."""
days = st.integers(0, 12).map(lambda number: timedelta(days=number))
places = st.integers(0, 1_000)


class LedgerMachine(RuleBasedStateMachine):
    """Two users of one ledger and their models; `run` is set before it is run, `ledger` when it opens."""

    run: Run
    ledger: Ledger

    def __init__(self) -> None:
        super().__init__()
        example = next(_examples)
        self.users = (f"ann-{example}", f"bob-{example}")
        self.prefix = f"step-{example}"
        self.accounts = {user: Account() for user in self.users}
        self.known: set[str] = set()
        self.entries: list[tuple[str, Entry, str]] = []
        self.holds: list[tuple[str, Hold, str]] = []
        self.done: list[tuple[Call, Answer | None, str]] = []
        self.numbers = count()

    @abstractmethod
    def open(self) -> datetime:
        """Make the ledger ready, with LIVES as its actions, and return what its clock says."""

    @initialize(points=st.integers(1, 6_000), action=st.sampled_from(tuple(LIVES)))
    def begin(self, points: int, action: str) -> None:
        self.now = self.open()
        self._award(0, points, action, timedelta())
        self._award(0, points, "GIVE", timedelta())

    @rule(
        who=users,
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
            self.ledger.award_call(self._key(), user, points, action, activates_at),
        )

    @rule(who=users, points=amounts, life=st.none() | st.integers(1, 12), takes=st.booleans())
    def adjust(self, who: int, points: int, life: int | None, takes: bool) -> None:
        user = self.users[who]
        expires_at = None if life is None or takes else self.now + timedelta(days=life)
        points = -points if takes else points
        if not takes:
            self.known.add(user)
        self._do(
            user,
            lambda: self.accounts[user].adjust(points, self.now, expires_at),
            self.ledger.adjust_call(self._key(), user, points, expires_at),
        )

    @rule(who=users, percent=percents)
    def redeem(self, who: int, percent: int) -> None:
        self._do(*self._redemption(who, percent))

    def _redemption(self, who: int, percent: int) -> tuple[str, Model, Call]:
        user = self.users[who]
        points = self._share(user, percent)
        call = self.ledger.redeem_call(self._key(), user, points)
        return user, lambda: self.accounts[user].redeem(points, self.now), call

    @precondition(lambda self: self.entries)
    @rule(place=places)
    def cancel(self, place: int) -> None:
        user, entry, entry_id = self._pick(place, {"REDEMPTION"} if place % 10 else set())
        call = self.ledger.cancel_call(self._key(), entry_id)
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
            self.ledger.reverse_call(self._key(), entry_id, points, part, policy),
        )

    @rule(who=users, percent=percents, minutes=st.integers(1, 3_000))
    def hold(self, who: int, percent: int, minutes: int) -> None:
        user, lasting = self.users[who], timedelta(minutes=minutes)
        points = self._share(user, percent)
        held, answer = self._do(
            user,
            lambda: self.accounts[user].hold(points, self.now, self.now + lasting),
            self.ledger.hold_call(self._key(), user, points, lasting),
        )
        if isinstance(held, Hold) and answer is not None:
            self.holds.append((user, held, answer.hold_id))

    @precondition(lambda self: self.holds)
    @rule(place=places, percent=st.just(0) | percents)
    def capture(self, place: int, percent: int) -> None:
        user, held, hold_id = self.holds[-1 - place % len(self.holds)]
        points = held.points * percent // 100
        call = self.ledger.capture_call(self._key(), hold_id, points)
        self._do(user, lambda: self.accounts[user].capture(held, points, self.now), call)

    @precondition(lambda self: self.holds)
    @rule(place=places)
    def release(self, place: int) -> None:
        user, held, hold_id = self.holds[-1 - place % len(self.holds)]
        call = self.ledger.release_call(self._key(), hold_id)
        self._do(user, lambda: self.accounts[user].release(held, self.now), call)

    @rule()
    def expire(self) -> None:
        counts = self.run(self.ledger.expire(self._key()))
        swept = [entry for account in self.accounts.values() for entry in account.expire(self.now)]
        if counts is not None:
            assert counts == (len(swept), -sum(entry.points for entry in swept))

    @rule(by=st.sampled_from([timedelta(minutes=10), timedelta(hours=7), timedelta(days=1)]) | days)
    def advance(self, by: timedelta) -> None:
        self.now += by
        self.run(self.ledger.set_clock(self.now))

    @precondition(lambda self: self.done)
    @rule(place=places)
    def send_again(self, place: int) -> None:
        call, answer, reason = self.done[place % len(self.done)]
        again, refused = self.run(self._send(call))
        assert refused == reason
        if answer is not None:
            assert again.replayed
            assert again.kept == answer.kept

    @invariant()
    def balances_are_those_of_the_model(self) -> None:
        found = self.run(self.ledger.balances(self.users))
        assert found == {user: self.accounts[user].balances(self.now) for user in self.known}

    async def compare_reversals(self) -> None:
        """Compare what is reversed of each entry."""
        for _, entry, entry_id in self.entries:
            assert await self.ledger.reversed_points(entry_id) == entry.undone

    def _key(self) -> str:
        return f"{self.prefix}-{next(self.numbers)}"

    def _share(self, user: str, percent: int) -> int:
        """Return a share of what the user has, at least 1."""
        return max(1, self.accounts[user].balances(self.now)[0] * percent // 100)

    def _pick(self, place: int, kinds: set[str]) -> tuple[str, Entry, str]:
        """Return an entry, one of those kinds if there is any; of the youngest first."""
        wanted = [each for each in self.entries if each[1].kind in kinds] or self.entries
        return wanted[-1 - place % len(wanted)]

    def _expected(self, user: str, model: Model) -> Entry | Hold | str | None:
        """Return what the model does, or the reason why it does not."""
        if user not in self.known:
            return "USER_NOT_FOUND"
        try:
            return model()
        except Refused as refused:
            return str(refused)

    def _do(self, user: str, model: Model, call: Call) -> tuple[Entry | Hold | str | None, Answer | None]:
        """Do the same to the model and to the ledger, and compare the answers."""
        expected = self._expected(user, model)
        answer, reason = self.run(self._send(call))
        assert reason == (expected if isinstance(expected, str) else "")
        self.done.append((call, answer, reason))
        if answer is not None:
            assert answer.balances == self.accounts[user].balances(self.now)
        if isinstance(expected, Entry):
            assert answer.points == expected.points
            self.entries.append((user, expected, answer.entry_id))
        return expected, answer

    async def _send(self, call: Call) -> tuple[Answer | None, str]:
        answer, reason = await self.ledger.send(call)
        return None if answer is None else self.ledger.read(answer), reason


def is_thorough() -> bool:
    """Whether `--hypothesis-profile thorough` was asked for."""
    return settings.get_current_profile_name() == "thorough"


def budget(examples: int, steps: int) -> settings:
    """Return a budget that fits in every run of the tests, or the large one if that was asked for."""
    asked = settings() if is_thorough() else settings(max_examples=examples, stateful_step_count=steps)
    return settings(asked, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
