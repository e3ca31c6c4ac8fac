"""Opening balances of people who are new to the ledger, a batch in a few statements whatever its size."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from laurel_server.domain.accounts import Account
from laurel_server.domain.awards import AwardCommand, Rules
from laurel_server.domain.badges import Unlock
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.openings import OpeningBadges, leaves_nothing_open, post_opening
from laurel_server.postgres import openings
from laurel_server.postgres.errors import RETRYABLE
from laurel_server.postgres.ledger import Answer, PostedEntry
from laurel_server.postgres.openings import BadgeOfSet, NewPerson, Written
from laurel_server.postgres.pool import Connection
from laurel_server.rewards.batch_items import BATCH_NUMBERS, Item
from laurel_server.rewards.batch_records import award_event, award_inputs
from laurel_server.rewards.ledger_batch import LedgerWriter
from laurel_server.rewards.outcomes import encode_award
from laurel_server.rewards.rule_book import RuleBook


class NewBalance(NamedTuple):
    """A person with what he has, and the award that would give it."""

    person: NewPerson
    points: int
    item: Item


class OpenedAccounts(NamedTuple):
    """People who were new, how many of them have points, and what was left to do because it needs a look at each."""

    people: int
    balances: int
    left: Sequence[NewBalance]


class OpeningWriter:
    """Writes what a batch of awards would write, for people who had nothing and rules that leave nothing open."""

    def __init__(self, rule_book: RuleBook, writer: LedgerWriter, clock: Clock) -> None:
        self._rule_book = rule_book
        self._writer = writer
        self._clock = clock

    async def write(self, connection: Connection, balances: Sequence[NewBalance]) -> OpenedAccounts:
        """Make accounts for those who are new, at most `BATCH_NUMBERS`. What clashes with others is left, as a whole.

        Cost: 5 round trips, and about 90 us of processor time a person here and in PostgreSQL.
        """
        if not leaves_nothing_open(self._rule_book.latest_read, self._clock.now()):
            return OpenedAccounts(0, 0, balances)
        await self._writer.make_partition(connection)
        try:
            async with connection.transaction():
                return await self._write(connection, balances)
        except (*RETRYABLE, _RulesChanged):
            return OpenedAccounts(0, 0, balances)

    async def _write(self, connection: Connection, balances: Sequence[NewBalance]) -> OpenedAccounts:
        now = self._clock.now()
        people = sorted((each.person for each in balances), key=lambda person: person.user_id)
        numbers = await openings.add_people(connection, people, now)
        opened: list[tuple[int, NewBalance]] = []
        left: list[NewBalance] = []
        unopened = dict(numbers)
        for each in balances:  # of somebody who is in the file twice the first line opens the account
            user_no = unopened.pop(each.person.user_id, None)
            if user_no is None:
                left.append(each)
            else:
                opened.append((user_no, each))
        await self._write_accounts(connection, opened, now)
        return OpenedAccounts(len(opened), sum(each.points > 0 for _, each in opened), left)

    async def _write_accounts(
        self, connection: Connection, opened: Sequence[tuple[int, NewBalance]], now: datetime
    ) -> None:
        empty = [user_no for user_no, each in opened if not each.points]
        if empty:
            await openings.add_empty_accounts(connection, empty)
        if len(empty) == len(opened):
            return
        batch_no, version = await openings.open_batch(connection)
        rules = await self._rule_book.at(version, connection)
        if not leaves_nothing_open(rules, now):
            raise _RulesChanged
        self._writer.check_month(now)
        work = _OpeningWork(rules, batch_no, now)
        for user_no, each in opened:
            if each.points:
                work.post(user_no, each)
        await self._writer.register_boards(connection, work.boards, rules)
        await openings.write_balances(connection, batch_no, work.written(), now)


class _RulesChanged(Exception):
    """The rules do not leave nothing open any more."""


class _OpeningWork:
    """The computing part of a batch."""

    def __init__(self, rules: Rules, batch_no: int, now: datetime) -> None:
        self.boards: set[BoardKey] = set()
        self._rules = rules
        self._now = now
        self._sequence = batch_no * BATCH_NUMBERS
        self._badges = OpeningBadges(rules.badges)
        self._posted: list[PostedEntry] = []
        self._answers: list[Answer] = []
        self._tiers: list[int] = []
        self._badge_sets: list[int] = []
        self._sets: dict[tuple[Unlock, ...], int] = {}
        self._events: list[dict[str, object]] = []

    def post(self, user_no: int, new: NewBalance) -> None:
        """Post the balance of one person."""
        command = new.item.command
        assert isinstance(command, AwardCommand)  # noqa: S101 - a balance is an award
        account = Account(
            user_no, command.user_id, is_new=True, country=new.person.country, region=new.person.region
        )
        sequence = self._sequence + len(self._posted)
        posting = post_opening(command, new.points, account, self._rules, sequence, self._now)
        inputs = award_inputs(command, posting)
        self._posted.append(PostedEntry(posting.entry, posting.lot, user_no, inputs))
        self._answers.append(Answer(new.item.key, command.request_hash, encode_award(posting)))
        self._tiers.append(int(account.tier))
        unlocked = self._badges.unlocked(new.points, user_no)
        self._badge_sets.append(self._sets.setdefault(unlocked, len(self._sets)))
        self._events.append(award_event(posting, user_no))
        self.boards.update(posting.boards)

    def written(self) -> Written:
        """Return what is to be written."""
        badges = [
            BadgeOfSet(set_no, unlock.badge_type, unlock.level, unlock.expires_at(self._now))
            for unlocks, set_no in self._sets.items()
            for unlock in unlocks
        ]
        return Written(
            self._posted,
            self._answers,
            self._tiers,
            self._badge_sets,
            badges,
            orjson.dumps(self._events).decode(),
        )
