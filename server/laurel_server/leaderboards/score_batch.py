"""One batch of score updates in one transaction: lock, read, compute, write, commit.

A refusal is the result of its own item and hurts no neighbour. Whatever else goes wrong rolls the whole batch back.
"""

from collections.abc import Sequence
from datetime import datetime

from laurel_server.domain.accounts import Account
from laurel_server.domain.clock import Clock
from laurel_server.leaderboards.score_items import Item, ScoreBatch
from laurel_server.leaderboards.score_work import ScoreWork
from laurel_server.postgres import ledger, scores
from laurel_server.postgres.pool import Connection, LaneConnection
from laurel_server.postgres.scores import Instance
from laurel_server.rewards.rule_book import RuleBook


class ScoreWriter:
    """Commits batches of score commands."""

    def __init__(self, rule_book: RuleBook, clock: Clock) -> None:
        self._rule_book = rule_book
        self._clock = clock

    async def commit(self, connection: LaneConnection, items: Sequence[Item]) -> ScoreBatch:
        """Carry the commands out. Cost: 6 round trips; one more for new users, and three for boards with a size cap.

        Raises one of `postgres.errors.RETRYABLE` or `UNAVAILABLE`, as `LedgerWriter.commit` does.
        """
        async with connection.transaction():
            return await self._run(connection, items)

    async def _run(self, connection: Connection, items: Sequence[Item]) -> ScoreBatch:
        user_ids = {item.command.user_id for item in items}
        opened = await ledger.open_batch(connection, user_ids, [item.key for item in items])
        rules = await self._rule_book.at(opened.rules_version, connection)
        now = self._clock.now()
        work = ScoreWork(opened, rules, now, items)
        await self._add_users(connection, work, now)
        await self._read(connection, work)
        results = [work.do(item, place) for place, item in enumerate(items)]
        await self._write(connection, work)
        return work.committed(results)

    async def _add_users(self, connection: Connection, work: ScoreWork, now: datetime) -> None:
        """Create the users of updates that may succeed and that nobody knows yet."""
        unknown = sorted(work.users_to_create)
        if not unknown:
            return
        numbers = await ledger.take_user_numbers(connection, len(unknown))
        new = [Account(number, user_id) for number, user_id in zip(numbers, unknown, strict=True)]
        await ledger.create_users(connection, new, now)
        work.accounts.update((account.user_id, account) for account in new)

    async def _read(self, connection: Connection, work: ScoreWork) -> None:
        capped = [instance for instance in work.periods if work.configs[instance.board_no].max_entries]
        if capped:
            await scores.lock(connection, capped)
            work.number = await scores.draw_batch(connection)
        seats = work.seats()
        if seats:
            work.rows.update(await scores.read(connection, seats))
        if capped:
            await self._read_last(connection, work, capped)

    async def _read_last(self, connection: Connection, work: ScoreWork, capped: Sequence[Instance]) -> None:
        """Read who may be dropped from boards with a size cap: more of them where a lower cap is not kept yet."""
        wanted = {instance: work.last_wanted(instance) for instance in capped}
        last = await scores.read_last(connection, wanted)
        listed = {seat.instance: count for seat, _, _, count in last}
        beyond = {
            instance: (order, at_most + listed[instance] - work.configs[instance.board_no].max_entries)
            for instance, (order, at_most) in wanted.items()
            if listed.get(instance, 0) > work.configs[instance.board_no].max_entries
        }
        last += await scores.read_last(connection, beyond) if beyond else ()
        for instance in capped:
            known = [each for each in last if each[0].instance == instance]
            work.note_last(instance, listed.get(instance, 0), known)

    async def _write(self, connection: Connection, work: ScoreWork) -> None:
        if work.changed or work.removed:
            board_ids = {number: config.board_id for number, config in work.configs.items()}
            work.created = await scores.register(connection, work.changed_periods, board_ids)
            await scores.write(
                connection,
                work.batch_no,
                list(work.removed),
                [(seat, work.rows[seat]) for seat in work.changed],
                work.user_nos,
                work.events(),
            )
        if work.answers:
            await ledger.keep_answers(connection, work.answers)
