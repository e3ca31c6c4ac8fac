"""The computing part of a batch, between reading and writing."""

from dataclasses import replace
from datetime import datetime

import orjson
from msgspec import structs

from laurel_server.domain.accounts import Account
from laurel_server.domain.achievements import Achievement, milestone_of_points
from laurel_server.domain.awards import (
    AwardCommand,
    Posting,
    Rules,
    award,
    referral_of,
)
from laurel_server.domain.badges import unlock_event
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.commands import Change, Command, Turn
from laurel_server.domain.errors import LaurelError, idempotency_conflict
from laurel_server.domain.ledger import LedgerEntry
from laurel_server.domain.lots import Debit
from laurel_server.domain.points import campaign_spending
from laurel_server.domain.tiers import TierChange
from laurel_server.postgres.achievements import TierRecord
from laurel_server.postgres.ledger import Answer, OpenBatch, PostedEntry
from laurel_server.postgres.pool import Connection
from laurel_server.rewards.batch_items import BATCH_NUMBERS, Item, Result
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
from laurel_server.rewards.unlocking import Unlocking


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
                outcome = encode_change(result, self._opened.accounts[command.user_id].user_no, self.now)
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
            self._events.append(unlock_event(badge, user_no, award_id))
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
            self._events.append(change_event(change, change.entry, account.user_no))
        if change.tier_change is not None:
            self._events.append(tier_event(change.tier_change, change.entry, account.user_no))
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
        self._check(other)
        posting = self._post(command, place)
        return structs.replace(posting, referral=self._post(other, place))

    def _check(self, command: AwardCommand) -> None:
        """Raise the refusal of an award that is to follow another one: neither is made then."""
        account = self._opened.accounts[command.user_id].copy()
        award(command, account, self.rules, self._opened.batch_no * BATCH_NUMBERS, self.now)

    def _post(self, command: AwardCommand, place: int) -> Posting:
        account = self._opened.accounts[command.user_id]
        before = self.unlocking.before(account, command.action)
        posting = award(command, account, self.rules, self._next_sequence(), self.now)
        self.unlocking.note(place, account, before, posting, keeps=True)
        inputs = award_inputs(command, posting)
        self.posted.append(PostedEntry(posting.entry, posting.lot, account.user_no, inputs))
        self.boards.update(posting.boards)
        self._events.append(award_event(posting, account.user_no))
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


def with_spending(rules: Rules, spent: dict[str, int]) -> Rules:
    """Return the rules with campaigns that know what they have spent."""
    campaigns = [
        replace(campaign, spent_points=spent[campaign.campaign_id])
        if campaign.campaign_id in spent
        else campaign
        for campaign in rules.campaigns
    ]
    return replace(rules, campaigns=campaigns)
