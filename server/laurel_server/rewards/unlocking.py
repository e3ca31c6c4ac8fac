"""Badges that the awards of one batch unlock: noted while they are computed, given in their transaction."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from laurel_server.domain.accounts import NOTHING, Account
from laurel_server.domain.awards import Posting, Rules
from laurel_server.domain.badge_rules import Facts
from laurel_server.domain.badges import Badge, Before, Unlock
from laurel_server.domain.periods import PeriodType, period_at
from laurel_server.postgres import badges
from laurel_server.postgres.badges import BadgeRow, Held
from laurel_server.postgres.pool import Connection

_PERIOD_TYPES = tuple(type_ for type_ in PeriodType if type_ is not PeriodType.ALL_TIME)


class Chance(NamedTuple):
    """An award that may have unlocked something: the rules to look at, and what they read before and after it.

    `counts` has the actions that the batch knows. `keeps` is False for an award that is only tried out.
    """

    place: int
    account: Account
    posting: Posting
    unlocks: Sequence[Unlock]
    before: Before
    points: int
    periods: Mapping[str, int]
    counts: dict[str, int]
    keeps: bool


class Unlocking:
    """The chances of one batch. Nothing is read or written for awards that cross no mark of a rule."""

    def __init__(self, rules: Rules, now: datetime) -> None:
        self._book = rules.badges
        self._now = now
        self._period_ids: dict[str, str] = {}
        if self._book.reads_periods:
            self._period_ids = {
                f"{type_.name.lower()}_points": period_at(type_, now, rules.zone).id
                for type_ in _PERIOD_TYPES
            }
        self.chances: list[Chance] = []
        self.given: list[tuple[int, Badge, int]] = []
        """What was given: the user's number, the badge, and the id of the award that unlocked it."""

    def before(self, account: Account, action: str) -> Before:
        """Return what rules read of the account; called before an award is posted to it."""
        usage = account.usage.get(action)
        count = usage.awards or 0 if usage else 0
        return Before(account.lifetime_points, account.version, count, self._periods_of(account))

    def note(self, place: int, account: Account, before: Before, posting: Posting, *, keeps: bool) -> None:
        """Note an award after which a rule may hold that did not hold before. Cost: 1 us if there is none."""
        if not self._book.may_unlock(before, account.lifetime_points, posting.entry.action):
            return
        unlocks = self._book.concerned(before, account.lifetime_points, posting.entry.action)
        if not unlocks:
            return
        counts = {action: usage.awards for action, usage in account.usage.items() if usage.awards is not None}
        self.chances.append(
            Chance(
                place,
                account,
                posting,
                unlocks,
                before,
                account.lifetime_points,
                self._periods_of(account),
                counts,
                keeps,
            )
        )

    async def give(self, connection: Connection) -> dict[int, tuple[Badge, ...]]:
        """Give what was unlocked and return it by the place of the award. Cost: 1 to 3 round trips if there is any."""
        await self._count(connection)
        earned = {
            Held(chance.account.user_no, unlock.badge_type, unlock.level): (chance, unlock)
            for chance in reversed(self.chances)  # the first award that unlocks a badge has it
            for unlock in self._unlocked(chance)
        }
        if not earned:
            return {}
        new = await self._write(
            connection, {key: each for key, each in sorted(earned.items()) if each[0].keeps}
        )
        tried = [key for key, (chance, _) in earned.items() if not chance.keeps]
        if tried:
            new |= set(tried) - await badges.read_held(connection, {key.user_no for key in tried})
        unlocked: dict[int, tuple[Badge, ...]] = {}
        for key in sorted(new):
            chance, unlock = earned[key]
            badge = self._badge(chance.account, unlock)
            unlocked[chance.place] = (*unlocked.get(chance.place, ()), badge)
            if chance.keeps:
                self.given.append((key.user_no, badge, chance.posting.entry.transaction_id))
        return unlocked

    async def _write(self, connection: Connection, earned: Mapping[Held, tuple[Chance, Unlock]]) -> set[Held]:
        if not earned:
            return set()
        return await badges.unlock(
            connection,
            [
                BadgeRow(
                    *key, self._now, unlock.expires_at(self._now), chance.posting.entry.transaction_id, None
                )
                for key, (chance, unlock) in earned.items()
            ],
        )

    async def _count(self, connection: Connection) -> None:
        """Fill in the counts that rules read and the batch has not read; who had nothing before has none."""
        missing = {
            (chance.account.user_no, action)
            for chance in self.chances
            for unlock in chance.unlocks
            for action in unlock.rule.actions - chance.counts.keys()
            if chance.before.version
        }
        if not missing:
            return
        found = await badges.count_awards(connection, sorted(missing))
        by_user: dict[int, dict[str, int]] = {}
        for (user_no, action), awards in found.items():
            by_user.setdefault(user_no, {})[action] = awards
        for chance in self.chances:
            for action, awards in by_user.get(chance.account.user_no, {}).items():
                chance.counts.setdefault(action, awards)

    def _unlocked(self, chance: Chance) -> Iterator[Unlock]:
        before, member = chance.before, {"member_number": chance.account.user_no}
        after = Facts({"points": chance.points, **member, **chance.periods}, chance.counts)
        counts = {**chance.counts, chance.posting.entry.action: before.awards}
        earlier = Facts({"points": before.points, **member, **before.periods}, counts)
        is_fresh = before.version < self._book.since
        for unlock in chance.unlocks:
            if unlock.rule.holds(after) and (is_fresh or not unlock.rule.holds(earlier)):
                yield unlock

    def _badge(self, account: Account, unlock: Unlock) -> Badge:
        return Badge(
            account.user_id, unlock.badge_type, unlock.level, self._now, unlock.expires_at(self._now)
        )

    def _periods_of(self, account: Account) -> dict[str, int]:
        return {
            name: account.totals.get(period_id, NOTHING).score for name, period_id in self._period_ids.items()
        }
