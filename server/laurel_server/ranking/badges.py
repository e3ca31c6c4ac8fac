"""Badges that no award decides: those for a place on the boards, and those that came into being later."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal

from laurel_server.domain.achievements import LOWEST_RANK_MILESTONE, milestone_of_rank
from laurel_server.domain.awards import Rules
from laurel_server.domain.badge_rules import Facts, standing_facts
from laurel_server.domain.badges import Badge, Unlock, unlock_event
from laurel_server.domain.boards import GLOBAL, BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.closing import Terms
from laurel_server.domain.errors import user_not_found
from laurel_server.domain.identifiers import is_user_id
from laurel_server.domain.periods import PeriodType, period_at, period_type_of
from laurel_server.domain.views import Standings
from laurel_server.leaderboards.queries import BoardQueries
from laurel_server.pacing import resting
from laurel_server.postgres import achievements, badges
from laurel_server.postgres.badges import BadgeRow, Held, Holder
from laurel_server.postgres.closing import final_ranks
from laurel_server.postgres.history import read_snapshot
from laurel_server.postgres.outbox import announce
from laurel_server.postgres.pool import Connection, Pool, ledger_errors
from laurel_server.ranking.settled import Settled
from laurel_server.rewards.rule_book import RuleBook

USERS_AT_ONCE = 250
"""Users are looked at some milliseconds at a time: it is done beside calls."""


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
        self._settled = Settled()

    async def of(self, user_id: str) -> Sequence[tuple[Badge, bool]]:
        """Return each badge of a user, the latest first, and whether it counts. USER_NOT_FOUND.

        At the highest level that counts, or that there was.
        """
        now = self._clock.now()
        async with ledger_errors():
            held = await badges.read_badges(self._pool, user_id, now)
        if held is None:
            raise user_not_found(user_id)
        return [(badge, badge.active_at(now)) for badge in held]

    async def award_by_standing(self, progress: Callable[[int], None]) -> int:
        """Give what places on the global all-time board unlock, as far down as any rule reaches. Returns how many.

        Notes the milestones of ranks on its way.

        Cost: two round trips for each 250 users, and as much rest. BOARDS_REBUILDING, LEDGER_UNAVAILABLE.
        """
        rules = await self._rule_book.current()
        if not rules.matrix.contains(GLOBAL, PeriodType.ALL_TIME):  # an operator has deleted the board
            return 0
        board = self._queries.resolve(GLOBAL, PeriodType.ALL_TIME, "")
        mark, given, more = "", 0, True
        while more:
            page = await self._queries.page(board, mark, USERS_AT_ONCE)
            if not page.lines:
                break
            async with resting():
                given += await self._award_places(
                    rules, Standings(page.total, {line.user_id: line.rank for line in page.lines})
                )
            if not mark:
                await badges.measure(self._pool)
            mark = page.marks[-1]
            more = page.has_more and page.lines[-1].rank <= _reach(rules, page.total)
            progress(given)
        return given

    async def award_places(self, standings: Standings) -> int:
        """Give some users what their places on the global all-time board unlock. Returns how many.

        Cost: two round trips for each 250 of those who may get something that they have not got here before.
        LEDGER_UNAVAILABLE.
        """
        rules, total = await self._rule_book.current(), standings.total
        reach = _reach(rules, total)
        reached = [(user_id, rank) for user_id, rank in standings.ranks.items() if rank <= reach]
        given = 0
        for start in range(0, len(reached), USERS_AT_ONCE):
            some = Standings(total, dict(reached[start : start + USERS_AT_ONCE]))
            unsettled = self._settled.unsettled(rules.badges, some)
            if unsettled.ranks:
                given += await self._award_places(rules, unsettled)
                self._settled.note(rules.badges, unsettled)
            await asyncio.sleep(0)
        return given

    def forget_places(self, user_ids: Iterable[str]) -> None:
        """Forget what erased users have got for their places: others may come under their ids."""
        self._settled.forget(user_ids)

    def forget_all_places(self) -> None:
        """Forget it of everybody: of erasures this server may not have heard."""
        self._settled.forget_all()

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
                first = members == len(holders)
                present = [holder for holder in holders if is_user_id(holder.user_id)]  # not those erased
                async with resting():
                    given += await self._award(rules, rules.badges.by_award, present, numbered)
                if first:
                    await badges.measure(self._pool)
                progress(given)
            await badges.note_sweep(self._pool, since)
        return given

    async def crown(self, board: BoardKey, terms: Terms) -> int:
        """Give what final ranks on a frozen board unlock, as far down as any rule reaches. Returns how many are new.

        Who earns a badge without further levels again gets one more level of it. Cost: the board, sorted, and three
        round trips for each 250 users. LEDGER_UNAVAILABLE.
        """
        rules, given = await self._rule_book.current(), 0
        closing = f"{period_type_of(board.period_id).name.lower()}_"
        unlocks = [unlock for unlock in rules.badges.by_closing if unlock.rule.closing == closing]
        async with ledger_errors():
            snapshot = await read_snapshot(self._pool, board, 0, 0) if unlocks else None
            total = snapshot.statistics.participants if snapshot else 0
            reach = max((unlock.rule.reach(total) for unlock in unlocks), default=0)
            if not reach:
                return 0
            async for lines in final_ranks(self._pool, board, terms, reach, USERS_AT_ONCE):
                facts = {
                    line.user_id: standing_facts(line.rank, total, closing) | {f"{closing}points": line.score}
                    for line in lines
                }
                ranked = {line.user_no for line in lines}
                given += await self._crown(rules, unlocks, facts, ranked, board.period_id)
        return given

    async def _crown(
        self,
        rules: Rules,
        unlocks: Sequence[Unlock],
        facts: Mapping[str, Mapping[str, int | Decimal]],
        ranked: Collection[int],
        period_id: str,
    ) -> int:
        known = await badges.read_holders(self._pool, facts)
        holders = [
            holder for holder in known if holder.user_no in ranked
        ]  # not who has the id of one of them since
        levelled = [unlock for unlock in unlocks if unlock.badge_type in rules.badges.levelled]
        given = await self._award(rules, levelled, holders, facts) if levelled else 0
        again = [unlock for unlock in unlocks if unlock not in levelled]
        return given + await self._give_again(await self._earned(rules, again, holders, facts), period_id)

    async def _give_again(self, earned: Sequence[tuple[Holder, Unlock]], period_id: str) -> int:
        """Give the next level to everybody who has earned a badge in this period, and has none of it yet."""
        if not earned:
            return 0
        now = self._clock.now()
        user_ids = {holder.user_no: holder.user_id for holder, _ in earned}
        ends = {unlock.badge_type: unlock.expires_at(now) for _, unlock in earned}
        rows = [(holder.user_no, unlock.badge_type, ends[unlock.badge_type]) for holder, unlock in earned]
        async with self._pool.acquire() as connection, connection.transaction():
            new = sorted(await badges.crown(connection, rows, now, period_id))
            given = [
                Badge(user_ids[key.user_no], key.badge_type, key.level, now, ends[key.badge_type])
                for key in new
            ]
            await self._tell(connection, new, given)
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
        earned = {
            Held(holder.user_no, unlock.badge_type, unlock.level): (holder, unlock)
            for holder, unlock in await self._earned(rules, unlocks, holders, facts)
            if (unlock.badge_type, unlock.level) not in holder.held
        }
        return await self._give(earned) if earned else 0

    async def _earned(
        self,
        rules: Rules,
        unlocks: Sequence[Unlock],
        holders: Sequence[Holder],
        facts: Mapping[str, Mapping[str, int | Decimal]],
    ) -> list[tuple[Holder, Unlock]]:
        """Return who meets which rule."""
        counts = await self._counts(unlocks, holders)
        periods = self._periods(rules)
        earned = []
        for holder in holders:
            numbers = {**_numbers(holder, periods), **facts[holder.user_id]}
            known = Facts(numbers, counts.get(holder.user_no, {}))
            earned += [(holder, unlock) for unlock in unlocks if unlock.rule.holds(known)]
        return earned

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
            told = [(key.user_no, badge) for key, badge in zip(keys, given, strict=True)]
            await announce(connection, [unlock_event(badge, user_no) for user_no, badge in told])
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
