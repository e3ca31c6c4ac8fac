"""One batch of commands in one transaction: lock, read, compute, write, commit.

A refusal is the result of its own item and hurts no neighbour. Whatever else goes wrong rolls the whole batch back.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from laurel_server.domain.accounts import Account, changed_accounts
from laurel_server.domain.awards import Rules
from laurel_server.domain.boards import BoardKey, BoardMatrix
from laurel_server.domain.clock import Clock
from laurel_server.domain.identifiers import SEQUENCE_BITS, transaction_id
from laurel_server.domain.periods import parse_period_id
from laurel_server.postgres import achievements, ledger
from laurel_server.postgres.errors import MonthTurnedError
from laurel_server.postgres.holdings import write_holdings
from laurel_server.postgres.pool import Connection
from laurel_server.postgres.tiers import write_windows
from laurel_server.rewards.batch_items import CommittedBatch, Item, referred_by, users_of
from laurel_server.rewards.batch_reading import read_batch
from laurel_server.rewards.batch_work import BatchWork
from laurel_server.rewards.rule_book import RuleBook


class LedgerWriter:
    """Commits batches. One instance a process: it remembers which boards and partitions exist."""

    def __init__(self, rule_book: RuleBook, clock: Clock, *, tells: bool = True) -> None:
        """`tells`: badges, tiers and milestones are told to who watches, beside being given."""
        self._rule_book = rule_book
        self._tells = tells
        self._clock = clock
        self._matrix: BoardMatrix | None = None
        self._known_boards: set[BoardKey] = set()
        self._known_months: set[int] = set()

    async def commit(self, connection: Connection, items: Sequence[Item]) -> CommittedBatch:
        """Make the commands durable.

        Cost: 4 round trips; one more for each of: a new month, new users, new boards, limits, budgets; two if any is no
        award.

        Raises one of `postgres.errors.RETRYABLE` or `UNAVAILABLE`; then nothing happened, except that a connection
        lost during COMMIT leaves the outcome open: retried with the same request_id it is found out.
        """
        await self.make_partition(connection)
        await connection.execute("BEGIN")
        try:
            batch = await self._run(connection, items)
            await connection.execute("COMMIT")
        except BaseException:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            raise
        if batch.rules.matrix is self._matrix:
            self._known_boards |= batch.new_boards
        return batch

    async def make_partition(self, connection: Connection) -> None:
        """Make the partition of this month outside of a transaction: beside the locks of one it would deadlock."""
        month = month_of(self._clock.now())
        if month not in self._known_months:
            await ledger.make_partition(connection, month)
            self._known_months.add(month)

    def check_month(self, now: datetime) -> None:
        """Raise MonthTurnedError if there may be no partition for entries made now."""
        if month_of(now) not in self._known_months:
            raise MonthTurnedError

    async def _run(self, connection: Connection, items: Sequence[Item]) -> CommittedBatch:
        opened = await ledger.open_batch(
            connection, {*users_of(items), *referred_by(items)}, [item.key for item in items]
        )
        rules = await self._rule_book.at(opened.rules_version, connection)
        now = self._clock.now()
        self.check_month(now)
        rules = await read_batch(connection, opened, items, rules, now)
        work = BatchWork(opened, rules, now, tells=self._tells)
        results = [work.do(item, place) for place, item in enumerate(items)]
        if work.unlocking.chances:
            await work.unlock(connection, results)
        batch = CommittedBatch(opened.batch_no, rules, results, opened.accounts)
        await self._write(connection, work, batch)
        return batch

    async def _write(self, connection: Connection, work: BatchWork, batch: CommittedBatch) -> None:
        changed = changed_accounts(batch.accounts.values())
        if not changed:
            if work.answers:
                await ledger.keep_answers(connection, work.answers)
            return
        await self._make_room(connection, work, batch, changed)
        await ledger.write_batch(
            connection, batch.batch_no, work.posted, work.answers, changed, work.events(), work.now
        )
        opened = [account for account in changed if account.holdings is not None]
        if opened:
            await write_holdings(connection, opened, work.debits, work.now)
        windows = {account.user_no: account.earned_before for account in opened if account.window_changed}
        if windows:
            await write_windows(connection, windows)
        batch.wrote = True

    async def _make_room(
        self, connection: Connection, work: BatchWork, batch: CommittedBatch, changed: Sequence[Account]
    ) -> None:
        """Do what few batches need before their rows fit: users, boards, spilled totals, limits."""
        new_users = [account for account in changed if account.is_new]
        if new_users:
            await ledger.create_users(connection, new_users, work.now)
        batch.new_boards = await self.register_boards(connection, work.boards, work.rules)
        changed_nos = {account.user_no for account in changed}
        spilled = [total for total in work.spilled if total.user_no in changed_nos]
        if spilled:
            await ledger.spill_totals(connection, spilled)
        used = [account for account in changed if account.usage]
        if used:
            await ledger.write_usage(connection, used)
        if work.spent:
            await ledger.write_spending(connection, work.spent)
        if work.achieved and self._tells:
            await achievements.write(connection, work.achieved)
        if work.tier_changes:
            await achievements.note_tier_changes(connection, work.tier_changes)

    async def register_boards(
        self, connection: Connection, boards: Collection[BoardKey], rules: Rules
    ) -> set[BoardKey]:
        """Register boards before their first members and return those that were not there."""
        matrix = rules.matrix
        if matrix is not self._matrix:
            # Boards were configured, and perhaps some deleted: what is known of them is void.
            self._matrix, self._known_boards = matrix, set()
        unknown = sorted(set(boards) - self._known_boards)
        if not unknown:
            return set()
        periods = {board: parse_period_id(board.period_id, rules.zone) for board in unknown}
        created = await ledger.register_boards(connection, periods)
        self._known_boards |= set(unknown) - created
        return {board for board in created if not matrix.is_filling(board)}


def month_of(now: datetime) -> int:
    """Return the month, counted from 1970-01, that ids of entries made now are in."""
    return transaction_id(now, 0) >> SEQUENCE_BITS
