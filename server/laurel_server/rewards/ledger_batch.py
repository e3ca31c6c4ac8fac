"""One batch of commands in one transaction: lock, read, compute, write, commit.

A refusal is the result of its own item and hurts no neighbour. Whatever else goes wrong rolls the whole batch back.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeAlias

import orjson
from msgspec import structs

from laurel_server.domain.accounts import Account, Usage, changed_accounts, needs_lot_times
from laurel_server.domain.achievements import Achievement, milestone_of_points
from laurel_server.domain.awards import (
    AwardCommand,
    Posting,
    Rules,
    award,
    check_exact,
    is_tracked,
    open_boards,
    referral_of,
)
from laurel_server.domain.badges import unlock_event
from laurel_server.domain.boards import BoardKey, BoardMatrix
from laurel_server.domain.clock import Clock
from laurel_server.domain.commands import Change, Command, Turn
from laurel_server.domain.errors import LaurelError, idempotency_conflict
from laurel_server.domain.holdings import Holdings
from laurel_server.domain.identifiers import SEQUENCE_BITS, is_user_id, transaction_id
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.lots import Debit
from laurel_server.domain.periods import parse_period_id
from laurel_server.domain.points import campaign_spending
from laurel_server.domain.tiers import TierChange
from laurel_server.postgres import achievements, badges, ledger
from laurel_server.postgres.achievements import TierRecord
from laurel_server.postgres.errors import MonthTurnedError
from laurel_server.postgres.holdings import read_holdings, write_holdings
from laurel_server.postgres.ledger import Answer, OpenBatch, PostedEntry
from laurel_server.postgres.pool import Connection
from laurel_server.postgres.tiers import read_windows, write_windows
from laurel_server.rewards.batch_records import (
    award_event,
    award_inputs,
    change_event,
    change_inputs,
    tier_event,
)
from laurel_server.rewards.outcomes import (
    StoredAward,
    StoredChange,
    StoredRefusal,
    decode,
    encode_award,
    encode_change,
    encode_refusal,
    is_sticky,
)
from laurel_server.rewards.rule_book import RuleBook
from laurel_server.rewards.unlocking import Unlocking

BATCH_NUMBERS = 1024
"""Sequences that a batch owns: batch_no * 1024 + place."""


class Item(NamedTuple):
    """One command to carry out; `key` is the digest of caller, RPC family and request_id."""

    command: AwardCommand | Command
    key: bytes


Result: TypeAlias = Posting | Change | StoredAward | StoredChange | LaurelError
"""What was done, the answer given before, or the reason against it."""


@dataclass(slots=True)
class CommittedBatch:
    """What a batch did, for the boards and the callers."""

    batch_no: int
    rules: Rules
    results: list[Result]
    accounts: dict[str, Account]
    new_boards: set[BoardKey] = field(default_factory=set)
    wrote: bool = False


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
        await self._make_partition(connection)
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

    async def _make_partition(self, connection: Connection) -> None:
        """Make the partition of this month outside of a transaction: beside the locks of one it would deadlock."""
        month = month_of(self._clock.now())
        if month not in self._known_months:
            await ledger.make_partition(connection, month)
            self._known_months.add(month)

    async def _run(self, connection: Connection, items: Sequence[Item]) -> CommittedBatch:
        opened = await ledger.open_batch(
            connection, {*users_of(items), *referred_by(items)}, [item.key for item in items]
        )
        rules = await self._rule_book.at(opened.rules_version, connection)
        now = self._clock.now()
        if month_of(now) not in self._known_months:
            raise MonthTurnedError
        await self._add_new_users(connection, opened, users_rewarded(items, rules, now), items)
        await self._read_more(connection, opened, items, rules, now)
        await self._read_windows(connection, opened, rules, now)
        await self._read_holdings(connection, opened, items, now)
        rules = await self._lock_budgets(connection, items, rules)
        work = BatchWork(opened, rules, now, tells=self._tells)
        results = [work.do(item, place) for place, item in enumerate(items)]
        if work.unlocking.chances:
            await work.unlock(connection, results)
        batch = CommittedBatch(opened.batch_no, rules, results, opened.accounts)
        await self._write(connection, work, batch)
        return batch

    async def _add_new_users(
        self, connection: Connection, opened: OpenBatch, rewarded: Collection[str], items: Sequence[Item]
    ) -> None:
        tried = [item for item in items if item.command.validate_only]
        unknown = {*rewarded, *users_of(items), *referred_by(tried)} - opened.accounts.keys()
        if not unknown:
            return
        coming = sorted(unknown & {*rewarded})
        numbers = await ledger.take_user_numbers(connection, len(coming))
        if len(coming) < len(unknown):  # the others only try out how it would be
            following = await ledger.next_user_number(connection)
            coming += sorted(unknown - set(coming))
            numbers += range(following, following + len(coming) - len(numbers))
        for user_no, user_id in zip(numbers, coming, strict=True):
            opened.accounts[user_id] = Account(user_no, user_id, is_new=True)

    async def _read_more(
        self, connection: Connection, opened: OpenBatch, items: Sequence[Item], rules: Rules, now: datetime
    ) -> None:
        accounts = opened.accounts.values()
        timed = [account for account in accounts if needs_lot_times(account, now)]
        if timed:
            await ledger.read_lot_times(connection, timed, now)
        actions = awarded_actions(items) & rules.actions.keys()
        tracked = [action for action in actions if is_tracked(rules.actions[action], rules)]
        if tracked:
            await ledger.read_usage(connection, accounts, tracked)
        counted = actions & rules.badges.counted
        if counted:
            await self._count_awards(connection, opened, items, counted)

    async def _count_awards(
        self, connection: Connection, opened: OpenBatch, items: Sequence[Item], counted: Collection[str]
    ) -> None:
        """Fill in how often counted actions were awarded to users of whom nobody has counted them yet."""
        pairs = {
            (account.user_no, item.command.action): account
            for item in items
            if isinstance(item.command, AwardCommand)
            and item.command.action in counted
            and not (account := opened.accounts[item.command.user_id]).is_new
            and ((usage := account.usage.get(item.command.action)) is None or usage.awards is None)
        }
        if not pairs:
            return
        for (user_no, action), awards in (await badges.count_awards(connection, sorted(pairs))).items():
            usage = pairs[user_no, action].usage.setdefault(action, Usage("", 0, None))
            usage.awards = awards

    async def _read_windows(
        self, connection: Connection, opened: OpenBatch, rules: Rules, now: datetime
    ) -> None:
        """Fill in what users had earned before the window of the tier policy, where it has one."""
        start = rules.tiers.window_start(now)
        if start is None:
            return
        known = [account.user_no for account in opened.accounts.values() if not account.is_new]
        window_from = transaction_id(start, 0)
        earned = await read_windows(connection, known, window_from) if known else {}
        for account in opened.accounts.values():
            account.window_from, account.earned_before = window_from, earned.get(account.user_no, 0)

    async def _read_holdings(
        self, connection: Connection, opened: OpenBatch, items: Sequence[Item], now: datetime
    ) -> None:
        commands = [item.command for item in items if isinstance(item.command, Command)]
        if not commands:
            return
        needs = [(opened.accounts[command.user_id], command.needs) for command in commands]
        for account, _ in needs:
            account.holdings = Holdings()
        await read_holdings(connection, needs, now)

    async def _lock_budgets(self, connection: Connection, items: Sequence[Item], rules: Rules) -> Rules:
        actions = awarded_actions(items)
        bounded = [
            campaign.campaign_id
            for campaign in rules.campaigns
            if campaign.budget_points
            and campaign.active
            and (not campaign.actions or campaign.actions & actions)
        ]
        if not bounded:
            return rules
        return with_spending(rules, await ledger.lock_spending(connection, bounded))

    async def _write(self, connection: Connection, work: "BatchWork", batch: CommittedBatch) -> None:
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
        self, connection: Connection, work: "BatchWork", batch: CommittedBatch, changed: Sequence[Account]
    ) -> None:
        """Do what few batches need before their rows fit: users, boards, spilled totals, limits."""
        new_users = [account for account in changed if account.is_new]
        if new_users:
            await ledger.create_users(connection, new_users, work.now)
        batch.new_boards = await self._register_boards(connection, work)
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

    async def _register_boards(self, connection: Connection, work: "BatchWork") -> set[BoardKey]:
        matrix = work.rules.matrix
        if matrix is not self._matrix:
            # Boards were configured, and perhaps some deleted: what is known of them is void.
            self._matrix, self._known_boards = matrix, set()
        unknown = sorted(work.boards - self._known_boards)
        if not unknown:
            return set()
        periods = {board: parse_period_id(board.period_id, zone=work.rules.zone) for board in unknown}
        created = await ledger.register_boards(connection, periods)
        self._known_boards |= set(unknown) - created
        return {board for board in created if not matrix.is_filling(board)}


def month_of(now: datetime) -> int:
    """Return the month, counted from 1970-01, that ids of entries made now are in."""
    return transaction_id(now, 0) >> SEQUENCE_BITS


def users_of(items: Sequence[Item]) -> set[str]:
    """Return the users that the commands are about."""
    return {item.command.user_id for item in items}


def referred_by(items: Sequence[Item]) -> set[str]:
    """Return the users that awards name as the other side, whether that is rewarded or not."""
    return {
        item.command.referral_id
        for item in items
        if isinstance(item.command, AwardCommand)
        and item.command.referral_id
        and is_user_id(item.command.referral_id)
    }


def users_rewarded(items: Sequence[Item], rules: Rules, now: datetime) -> set[str]:
    """Return the users whom commands may change, on both sides of a referral: those that are only tried out do not."""
    kept = [item.command for item in items if not item.command.validate_only]
    users = {command.user_id for command in kept}
    for command in kept:
        if isinstance(command, AwardCommand) and command.referral_id:
            with suppress(LaurelError):  # it will be the result of its item
                other = referral_of(command, rules, now)
                users |= {other.user_id} if other else set()
    return users


def awarded_actions(items: Sequence[Item]) -> set[str]:
    """Return the actions that the batch awards."""
    return {item.command.action for item in items if isinstance(item.command, AwardCommand)}


def with_spending(rules: Rules, spent: dict[str, int]) -> Rules:
    """Return the rules with campaigns that know what they have spent."""
    campaigns = [
        replace(campaign, spent_points=spent.get(campaign.campaign_id, campaign.spent_points))
        for campaign in rules.campaigns
    ]
    return replace(rules, campaigns=campaigns)


class BatchWork:
    """The computing part of a batch: takes the items one by one and collects what has to be written."""

    def __init__(self, opened: OpenBatch, rules: Rules, now: datetime, *, tells: bool = True) -> None:
        self.rules = rules
        self._tells = tells
        self.now = now
        self.posted: list[PostedEntry] = []
        self.answers: list[Answer] = []
        self.boards: set[BoardKey] = set()
        self.debits: dict[int, tuple[Debit, ...]] = {}
        self.spent: dict[str, int] = {}
        self.unlocking = Unlocking(rules, now)
        self.achieved: list[tuple[int, Achievement]] = []
        self.tier_changes: list[TierRecord] = []
        self.spilled = [
            total
            for account in opened.accounts.values()
            for total in account.spill(now, rules.grace, rules.zone, rules.matrix)
        ]
        self._opened = opened
        self._taken = 0
        self._events: list[dict[str, object]] = []

    def do(self, item: Item, place: int) -> Result:
        """Return the result of one item and keep what it writes."""
        command = item.command
        if command.validate_only:
            return self._try_out(command, place)
        answered = self._opened.answers.get(item.key)
        if answered is not None:
            return replay(answered, command)
        result: Posting | Change
        try:
            if isinstance(command, AwardCommand):
                result = self._award(command, place)
                outcome = encode_award(result)
            else:
                result = self._carry_out(command)
                outcome = encode_change(result, self.now)
        except LaurelError as refusal:
            if is_sticky(refusal):
                self._answer(Answer(item.key, command.request_hash, encode_refusal(refusal)))
            return refusal
        self._answer(Answer(item.key, command.request_hash, outcome))
        return result

    def events(self) -> str:
        """Return what happened, as JSON for the outbox: one event an entry, in the order of the ledger."""
        return orjson.dumps(self._events).decode()

    async def unlock(self, connection: Connection, results: list[Result]) -> None:
        """Give the badges that the awards have unlocked, and add them to the results."""
        for place, unlocked in (await self.unlocking.give(connection)).items():
            posting = results[place]
            assert isinstance(posting, Posting)  # noqa: S101 - nothing else unlocks
            results[place] = structs.replace(posting, badges=unlocked)
        for user_no, badge, award_id in self.unlocking.given if self._tells else ():
            self._events.append(unlock_event(badge, award_id))
            self.achieved.append((user_no, badge))

    def _try_out(self, command: AwardCommand | Command, place: int) -> Result:
        assert isinstance(command, AwardCommand)  # noqa: S101 - no other command can be tried out
        account = self._opened.accounts[command.user_id].copy()
        before = self.unlocking.before(account, command.action)
        try:
            other = referral_of(command, self.rules, self.now)
            posting = award(command, account, self.rules, self._next_sequence(), self.now)
            if other is not None:
                posting = structs.replace(posting, referral=self._try_out_other(other, place))
        except LaurelError as refusal:
            return refusal
        self.unlocking.note(place, account, before, posting, keeps=False)
        return posting

    def _try_out_other(self, command: AwardCommand, place: int) -> Posting:
        account = self._opened.accounts[command.user_id].copy()
        before = self.unlocking.before(account, command.action)
        posting = award(command, account, self.rules, self._next_sequence(), self.now)
        self.unlocking.note(place, account, before, posting, keeps=False)
        return posting

    def _carry_out(self, command: Command) -> Change:
        account = self._opened.accounts[command.user_id]
        before = account.rewards()
        change = command.post(account, Turn(self.rules, self._next_sequence(), self.now))
        if change.entry is not None:
            inputs = change_inputs(change, change.entry, before)
            self.posted.append(PostedEntry(change.entry, change.lot, account.user_no, inputs))
            self.debits[change.entry.transaction_id] = change.debits
            self._events.append(change_event(change, change.entry))
        if change.tier_change is not None:
            self._events.append(tier_event(change.tier_change, change.entry))
        self.boards.update(change.boards)
        if change.tier_change:
            self._note_tier_change(account, change.tier_change, change.entry)
        return change

    def _note_tier_change(self, account: Account, change: TierChange, entry: LedgerEntry | None) -> None:
        cause, cause_id = (entry.action, entry.transaction_id) if entry else ("REVIEW", None)
        self.achieved.append((account.user_no, change))
        self.tier_changes.append(
            TierRecord(
                account.user_no,
                change.from_tier,
                change.to_tier,
                change.changed_at,
                cause,
                cause_id,
                account.qualifying_points,
            )
        )

    def _award(self, command: AwardCommand, place: int) -> Posting:
        other = referral_of(command, self.rules, self.now)
        if other is None:
            return self._post(command, place)
        check_exact(self._opened.accounts[other.user_id].lifetime_points + (other.granted_points or 0))
        posting = self._post(command, place)
        return structs.replace(posting, referral=self._post(other, place))

    def _post(self, command: AwardCommand, place: int) -> Posting:
        account = self._opened.accounts[command.user_id]
        before = self.unlocking.before(account, command.action)
        posting = award(command, account, self.rules, self._next_sequence(), self.now)
        self.unlocking.note(place, account, before, posting, keeps=True)
        inputs = award_inputs(command, posting)
        self.posted.append(PostedEntry(posting.entry, posting.lot, account.user_no, inputs))
        self.boards.update(posting.boards)
        self._events.append(award_event(posting))
        milestone = milestone_of_points(account.user_id, before.points, account.lifetime_points)
        if milestone:
            self.achieved.append((account.user_no, milestone))
        if posting.tier_change:
            self._note_tier_change(account, posting.tier_change, posting.entry)
        if posting.breakdown.campaigns:
            self._spend(posting)
        return posting

    def _spend(self, posting: Posting) -> None:
        before = {each.campaign_id: each for each in self.rules.campaigns if each.budget_points}
        for campaign_id, points in campaign_spending(posting.breakdown, self.rules.campaigns).items():
            if campaign_id in before:
                self.spent[campaign_id] = before[campaign_id].spent_points + points
        self.rules = with_spending(self.rules, self.spent)

    def _answer(self, answer: Answer) -> None:
        self.answers.append(answer)
        self._opened.answers[answer.key] = answer

    def _next_sequence(self) -> int:
        """Return the place of the next entry in the order of the ledger; a referral takes two."""
        place, self._taken = self._taken, self._taken + 1
        if place >= BATCH_NUMBERS:  # the items are then run one by one
            raise OverflowError("the batch has more entries than it has numbers")
        return self._opened.batch_no * BATCH_NUMBERS + place


def replay(answered: Answer, command: AwardCommand | Command) -> StoredAward | StoredChange | LaurelError:
    """Return the answer given before, or IDEMPOTENCY_CONFLICT when it was given to another body."""
    if answered.request_hash != command.request_hash:
        return idempotency_conflict(command.request_id)
    stored = decode(answered.outcome)
    return stored.error() if isinstance(stored, StoredRefusal) else stored


def boards_left(posting: Posting | Change, account: Account, rules: Rules) -> list[BoardKey]:
    """Return the boards that a change of tier takes the user off."""
    if posting.tier_change is None:
        return []
    return open_boards(account, rules, f"tier:{posting.tier_change.from_tier.name.lower()}")
