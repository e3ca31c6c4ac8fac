"""One batch of awards in one transaction: lock, read, compute, write, commit.

A refusal is the result of its own item and hurts no neighbour. Whatever else goes wrong rolls the whole batch back.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple, TypeAlias

import orjson

from laurel_server.domain.accounts import Account, changed_accounts, needs_lot_times
from laurel_server.domain.awards import AwardCommand, Posting, Rules, award, is_limited, open_boards
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.identifiers import SEQUENCE_BITS
from laurel_server.domain.periods import parse_period_id
from laurel_server.domain.points import campaign_spending
from laurel_server.postgres import ledger
from laurel_server.postgres.ledger import Answer, OpenBatch, PostedAward
from laurel_server.postgres.pool import Connection
from laurel_server.rewards.outcomes import (
    StoredAward,
    StoredRefusal,
    decode,
    encode_award,
    encode_refusal,
    is_sticky,
)
from laurel_server.rewards.rule_book import RuleBook

BATCH_NUMBERS = 1024
"""Sequences that a batch owns: batch_no * 1024 + place."""


class Item(NamedTuple):
    """One award to make; `key` is the digest of caller, RPC family and request_id."""

    command: AwardCommand
    key: bytes


Result: TypeAlias = Posting | StoredAward | LaurelError
"""A new entry, the answer given before, or the reason against it."""


@dataclass(slots=True)
class CommittedBatch:
    """What a batch did, for the boards and the callers."""

    batch_no: int
    rules: Rules
    results: list[Result]
    accounts: dict[str, Account]
    new_boards: set[BoardKey] = field(default_factory=set)
    months: set[int] = field(default_factory=set)
    wrote: bool = False


class LedgerWriter:
    """Commits batches. One instance a process: it remembers which boards and partitions exist."""

    def __init__(self, rule_book: RuleBook, clock: Clock) -> None:
        self._rule_book = rule_book
        self._clock = clock
        self._known_boards: set[BoardKey] = set()
        self._known_months: set[int] = set()

    async def commit(self, connection: Connection, items: Sequence[Item]) -> CommittedBatch:
        """Make the awards durable. Cost: 4 round trips; one more for each of: new users, new boards, limits, budgets.

        Raises one of `postgres.errors.RETRYABLE` or `UNAVAILABLE`; then nothing happened, except that a connection
        lost during COMMIT leaves the outcome open: retried with the same request_id it is found out.
        """
        await connection.execute("BEGIN")
        try:
            batch = await self._run(connection, items)
            await connection.execute("COMMIT")
        except BaseException:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            raise
        self._known_boards |= batch.new_boards
        self._known_months |= batch.months
        return batch

    async def _run(self, connection: Connection, items: Sequence[Item]) -> CommittedBatch:
        opened = await ledger.open_batch(
            connection, {item.command.user_id for item in items}, [item.key for item in items]
        )
        rules = await self._rule_book.at(opened.rules_version, connection)
        now = self._clock.now()
        await self._add_new_users(connection, opened, items)
        await self._read_more(connection, opened, items, rules, now)
        rules = await self._lock_budgets(connection, items, rules)
        work = BatchWork(opened, rules, now)
        results = [work.do(item, place) for place, item in enumerate(items)]
        batch = CommittedBatch(opened.batch_no, rules, results, opened.accounts)
        await self._write(connection, work, batch)
        return batch

    async def _add_new_users(self, connection: Connection, opened: OpenBatch, items: Sequence[Item]) -> None:
        unknown = sorted({item.command.user_id for item in items} - opened.accounts.keys())
        if unknown:
            numbers = await ledger.take_user_numbers(connection, len(unknown))
            for user_no, user_id in zip(numbers, unknown, strict=True):
                opened.accounts[user_id] = Account(user_no, user_id, is_new=True)

    async def _read_more(
        self, connection: Connection, opened: OpenBatch, items: Sequence[Item], rules: Rules, now: datetime
    ) -> None:
        accounts = opened.accounts.values()
        timed = [account for account in accounts if needs_lot_times(account, now)]
        if timed:
            await ledger.read_lot_times(connection, timed, now)
        actions = {item.command.action for item in items} & rules.actions.keys()
        limited = [action for action in actions if is_limited(rules.actions[action])]
        if limited:
            await ledger.read_usage(connection, accounts, limited)

    async def _lock_budgets(self, connection: Connection, items: Sequence[Item], rules: Rules) -> Rules:
        actions = {item.command.action for item in items}
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
        if not work.posted:
            if work.answers:
                await ledger.keep_answers(connection, work.answers, work.now)
            return
        changed = changed_accounts(batch.accounts.values())
        await self._make_room(connection, work, batch, changed)
        await ledger.write_batch(
            connection, batch.batch_no, work.posted, work.answers, changed, work.events(), work.now
        )
        batch.wrote = True

    async def _make_room(
        self, connection: Connection, work: "BatchWork", batch: CommittedBatch, changed: Sequence[Account]
    ) -> None:
        """Do what few batches need before their rows fit: a partition, users, boards, spilled totals, limits."""
        month = work.posted[0].posting.entry.transaction_id >> SEQUENCE_BITS
        if month not in self._known_months:
            await ledger.make_partition(connection, month)
            batch.months.add(month)  # known once this is committed: rolled back, the partition is gone again
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

    async def _register_boards(self, connection: Connection, work: "BatchWork") -> set[BoardKey]:
        moved = {board for award in work.posted for board in award.posting.boards}
        unknown = sorted(moved - self._known_boards)
        if not unknown:
            return set()
        periods = {board: parse_period_id(board.period_id, zone=work.rules.zone) for board in unknown}
        created = await ledger.register_boards(connection, periods)
        self._known_boards |= set(unknown) - created
        return created


def with_spending(rules: Rules, spent: dict[str, int]) -> Rules:
    """Return the rules with campaigns that know what they have spent."""
    campaigns = [
        replace(campaign, spent_points=spent.get(campaign.campaign_id, campaign.spent_points))
        for campaign in rules.campaigns
    ]
    return replace(rules, campaigns=campaigns)


class BatchWork:
    """The computing part of a batch: takes the items one by one and collects what has to be written."""

    def __init__(self, opened: OpenBatch, rules: Rules, now: datetime) -> None:
        self.rules = rules
        self.now = now
        self.posted: list[PostedAward] = []
        self.answers: list[Answer] = []
        self.spent: dict[str, int] = {}
        self.spilled = [
            total
            for account in opened.accounts.values()
            for total in account.spill(now, rules.grace, rules.zone, rules.matrix)
        ]
        self._opened = opened

    def do(self, item: Item, place: int) -> Result:
        """Return the result of one item and keep what it writes."""
        command = item.command
        if command.validate_only:
            return self._try_out(command, place)
        answered = self._opened.answers.get(item.key)
        if answered is not None:
            return replay(answered, command)
        try:
            posting = self._post(command, place)
        except LaurelError as refusal:
            if is_sticky(refusal):
                self._answer(Answer(item.key, command.request_hash, encode_refusal(refusal)))
            return refusal
        self._answer(Answer(item.key, command.request_hash, encode_award(posting)))
        return posting

    def events(self) -> str:
        """Return what happened, as JSON for the outbox: one event an entry, in the order of the ledger."""
        return orjson.dumps([event_of(award.posting) for award in self.posted]).decode()

    def _try_out(self, command: AwardCommand, place: int) -> Result:
        try:
            return award(
                command,
                self._opened.accounts[command.user_id].copy(),
                self.rules,
                self._sequence(place),
                self.now,
            )
        except LaurelError as refusal:
            return refusal

    def _post(self, command: AwardCommand, place: int) -> Posting:
        account = self._opened.accounts[command.user_id]
        posting = award(command, account, self.rules, self._sequence(place), self.now)
        self.posted.append(PostedAward(posting, account.user_no, inputs_of(command, posting)))
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

    def _sequence(self, place: int) -> int:
        return self._opened.batch_no * BATCH_NUMBERS + place


def replay(answered: Answer, command: AwardCommand) -> StoredAward | LaurelError:
    """Return the answer given before, or IDEMPOTENCY_CONFLICT when it was given to another body."""
    if answered.request_hash != command.request_hash:
        return LaurelError(
            Reason.IDEMPOTENCY_CONFLICT,
            "this request_id was used before with another body",
            metadata={"request_id": command.request_id},
        )
    stored = decode(answered.outcome)
    return stored.error() if isinstance(stored, StoredRefusal) else stored


def inputs_of(command: AwardCommand, posting: Posting) -> str:
    """Return what the points were computed from, as JSON; with the entry it is enough to compute them again."""
    breakdown = posting.breakdown
    return orjson.dumps(
        {
            "attributes": command.attributes,
            "config": posting.config_version,
            "tier": posting.tier_before.name,
            "tier_multiplier": str(breakdown.tier_multiplier),
            "campaigns": [(each.campaign_id, str(each.multiplier)) for each in breakdown.campaigns],
            "uncapped": breakdown.uncapped_points,
            "cap": breakdown.cap,
            "periods": [period.id for period in posting.counted],
        }
    ).decode()


def event_of(posting: Posting) -> dict[str, object]:
    """Return the `rewards.earned` event of an entry."""
    entry, rewards = posting.entry, posting.rewards
    return {
        "type": "rewards.earned",
        "transaction_id": str(entry.transaction_id),
        "user_id": entry.user_id,
        "action": entry.action,
        "points": entry.points,
        "total_points": rewards.total_points,
        "lifetime_points": rewards.lifetime_points,
        "tier": rewards.tier.name,
        "tier_before": posting.tier_before.name,
        "occurred_at": entry.occurred_at,
        "recorded_at": entry.transaction_time,
        "periods": [period.id for period in posting.counted],
    }


def boards_left(posting: Posting, account: Account, rules: Rules) -> list[BoardKey]:
    """Return the boards that a promotion takes the user off."""
    if posting.tier_change is None:
        return []
    return open_boards(account, rules, f"tier:{posting.tier_change.from_tier.name.lower()}")
