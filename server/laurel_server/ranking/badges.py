"""Badges that no award decides: those for a place on the boards, and those that came into being later."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from laurel_server.domain.achievements import LOWEST_RANK_MILESTONE, milestone_of_rank
from laurel_server.domain.awards import Rules
from laurel_server.domain.badge_rules import Facts, standing_facts
from laurel_server.domain.badges import Badge, Unlock, unlock_event
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import user_not_found
from laurel_server.domain.periods import Period, PeriodType, period_at
from laurel_server.domain.views import Standings
from laurel_server.leaderboards.queries import BoardQueries
from laurel_server.postgres import achievements, badges
from laurel_server.postgres.badges import BadgeRow, Held, Holder
from laurel_server.postgres.outbox import announce
from laurel_server.postgres.pool import Connection, Pool, ledger_errors
from laurel_server.rewards.rule_book import RuleBook

USERS_AT_ONCE = 1000


class Badges:
    """Reads badges, and gives them. Whatever it gives is given once, however often it is called."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        rule_book: RuleBook,
        queries: BoardQueries,
        faces_changed: Callable[[Sequence[str]], None],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._rule_book = rule_book
        self._queries = queries
        self._faces_changed = faces_changed

    async def of(self, user_id: str) -> Sequence[tuple[Badge, bool]]:
        """Return the highest level of each badge of a user, the latest first, and whether it counts. USER_NOT_FOUND."""
        async with ledger_errors():
            held = await badges.read_badges(self._pool, user_id)
        if held is None:
            raise user_not_found(user_id)
        now = self._clock.now()
        return [(badge, badge.active_at(now)) for badge in held]

    async def award_by_standing(self, progress: Callable[[int], None]) -> int:
        """Give what places on the global all-time board unlock, as far down as any rule reaches. Returns how many.

        Notes the milestones of ranks on its way.

        Cost: two round trips for each 1,000 users. BOARDS_REBUILDING, LEDGER_UNAVAILABLE.
        """
        rules = await self._rule_book.current()
        board = self._queries.resolve("global", PeriodType.ALL_TIME, "")
        mark, given, more = "", 0, True
        while more:
            page = await self._queries.page(board, mark, USERS_AT_ONCE)
            if not page.lines:
                break
            given += await self._award_places(
                rules, Standings(page.total, {line.user_id: line.rank for line in page.lines})
            )
            mark = page.marks[-1]
            more = page.has_more and page.lines[-1].rank <= _reach(rules, page.total)
            progress(given)
        return given

    async def award_places(self, standings: Standings) -> int:
        """Give some users what their places on the global all-time board unlock. Returns how many.

        Cost: two round trips if anybody stands where a rule reaches. LEDGER_UNAVAILABLE.
        """
        rules = await self._rule_book.current()
        reach = _reach(rules, standings.total)
        reached = {user_id: rank for user_id, rank in standings.ranks.items() if rank <= reach}
        return await self._award_places(rules, Standings(standings.total, reached)) if reached else 0

    async def sweep(self, progress: Callable[[int], None]) -> int:
        """Give everybody what he has reached before a definition was made or changed. Returns how many.

        Nothing to do, in one round trip, if none was since the last time. Cost otherwise: a walk over all users.
        """
        async with ledger_errors():
            since = await badges.unswept(self._pool)
            if since is None:
                return 0
            rules, given, members = await self._rule_book.current(), 0, 0
            async for holders in badges.scan_holders(self._pool, USERS_AT_ONCE):
                numbered: dict[str, Mapping[str, int | Decimal]] = {
                    holder.user_id: {"member_number": member}
                    for member, holder in enumerate(holders, start=members + 1)
                }
                members += len(holders)
                given += await self._award(rules, rules.badges.by_award, holders, numbered)
                progress(given)
            await badges.note_sweep(self._pool, since)
        return given

    async def crown(self, period: Period, ranks: Mapping[str, int]) -> int:
        """Give what final ranks on the global board of a closed period unlock. Returns how many are new.

        Who wins again gets the next level. LEDGER_UNAVAILABLE.
        """
        name = f"{period.type.name.lower()}_rank"
        rules, now = await self._rule_book.current(), self._clock.now()
        unlocks = [
            unlock for unlock in rules.badges.by_closing if unlock.level == 1 and name in unlock.rule.names
        ]
        async with ledger_errors():
            holders = await badges.read_holders(self._pool, ranks) if unlocks else []
            counts, periods = await self._counts(unlocks, holders), self._periods(rules)
        facts = {
            holder.user_id: Facts(
                {**_numbers(holder, periods), name: ranks[holder.user_id]}, counts.get(holder.user_no, {})
            )
            for holder in holders
        }
        earned = [
            (user_id, unlock.badge_type, unlock.expires_at(now))
            for unlock in unlocks
            for user_id in sorted(facts)
            if unlock.rule.holds(facts[user_id])
        ]
        if not earned:
            return 0
        user_ids = {holder.user_no: holder.user_id for holder in holders}
        async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
            new = await badges.crown(connection, earned, now, period.id)
            ends = {badge_type: expires_at for _, badge_type, expires_at in earned}
            given = [
                Badge(user_ids[key.user_no], key.badge_type, key.level, now, ends[key.badge_type])
                for key in sorted(new)
            ]
            await self._tell(connection, sorted(new), given)
        self._show(given)
        return len(given)

    async def _award_places(self, rules: Rules, standings: Standings) -> int:
        places = {user_id: standing_facts(rank, standings.total) for user_id, rank in standings.ranks.items()}
        milestones = {user_id: milestone_of_rank(user_id, rank) for user_id, rank in standings.ranks.items()}
        async with ledger_errors():
            holders = await badges.read_holders(self._pool, places)
            reached = [
                (holder.user_no, milestone)
                for holder in holders
                if (milestone := milestones[holder.user_id]) is not None
            ]
            if reached:
                await achievements.write_ranks(self._pool, reached)
            return await self._award(rules, rules.badges.by_standing, holders, places)

    async def _award(
        self,
        rules: Rules,
        unlocks: Sequence[Unlock],
        holders: Sequence[Holder],
        facts: Mapping[str, Mapping[str, int | Decimal]],
    ) -> int:
        counts = await self._counts(unlocks, holders)
        periods = self._periods(rules)
        earned = {
            Held(holder.user_no, unlock.badge_type, unlock.level): (holder, unlock)
            for holder in holders
            for unlock in unlocks
            if (unlock.badge_type, unlock.level) not in holder.held
            and unlock.rule.holds(
                Facts({**_numbers(holder, periods), **facts[holder.user_id]}, counts.get(holder.user_no, {}))
            )
        }
        return await self._give(earned) if earned else 0

    async def _give(self, earned: Mapping[Held, tuple[Holder, Unlock]]) -> int:
        now = self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            rows = [
                BadgeRow(*key, now, unlock.expires_at(now)) for key, (_, unlock) in sorted(earned.items())
            ]
            new = await badges.unlock(connection, rows)
            given = [
                Badge(earned[key][0].user_id, key.badge_type, key.level, now, earned[key][1].expires_at(now))
                for key in sorted(new)
            ]
            await self._tell(connection, sorted(new), given)
        self._show(given)
        return len(given)

    async def _tell(self, connection: Connection, keys: Sequence[Held], given: Sequence[Badge]) -> None:
        if given:
            await announce(connection, [unlock_event(badge) for badge in given])
            told = [(key.user_no, badge) for key, badge in zip(keys, given, strict=True)]
            await achievements.write(connection, told)

    def _show(self, given: Iterable[Badge]) -> None:
        decorated = list(dict.fromkeys(badge.user_id for badge in given))
        if decorated:
            self._faces_changed(decorated)

    async def _counts(
        self, unlocks: Sequence[Unlock], holders: Sequence[Holder]
    ) -> dict[int, dict[str, int]]:
        actions = {action for unlock in unlocks for action in unlock.rule.actions}
        if not actions:
            return {}
        pairs = [(holder.user_no, action) for holder in holders for action in sorted(actions)]
        counts: dict[int, dict[str, int]] = {}
        for (user_no, action), awards in (await badges.count_awards(self._pool, pairs)).items():
            counts.setdefault(user_no, {})[action] = awards
        return counts

    def _periods(self, rules: Rules) -> dict[str, str]:
        now = self._clock.now()
        return {
            f"{type_.name.lower()}_points": period_at(type_, now, rules.zone).id
            for type_ in PeriodType
            if type_ is not PeriodType.ALL_TIME
        }


def _reach(rules: Rules, total: int) -> int:
    """Return the lowest rank that may unlock something on a board of so many users."""
    return max(LOWEST_RANK_MILESTONE, *(unlock.rule.reach(total) for unlock in rules.badges.by_standing), 0)


def _numbers(holder: Holder, periods: Mapping[str, str]) -> dict[str, int | Decimal]:
    totals = {
        name: holder.totals[period_id][0] for name, period_id in periods.items() if period_id in holder.totals
    }
    return {"points": holder.lifetime_points, "member_number": holder.user_no, **totals}
