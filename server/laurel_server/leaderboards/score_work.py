"""The computing part of a batch of score commands."""

from collections.abc import Sequence
from datetime import datetime

import orjson

from laurel_server.domain.accounts import Account
from laurel_server.domain.awards import Rules
from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.boards import BoardKey, SortOrder, Visibility
from laurel_server.domain.errors import LaurelError, idempotency_conflict, user_not_found
from laurel_server.domain.periods import Period
from laurel_server.domain.scores import (
    Score,
    ScoreCommand,
    board_of,
    is_better,
    period_to_write,
    updated_score,
)
from laurel_server.leaderboards.score_caps import CappedListing
from laurel_server.leaderboards.score_items import (
    Done,
    Item,
    Result,
    ScoreBatch,
    StoredUpdate,
    encode_update,
    stored_outcome,
)
from laurel_server.postgres import scores
from laurel_server.postgres.ledger import Answer, OpenBatch
from laurel_server.postgres.scores import Instance, Seat
from laurel_server.rewards.batch_items import BATCH_NUMBERS
from laurel_server.rewards.outcomes import StoredRefusal, encode_refusal, is_sticky


class ScoreWork:
    """Takes the commands one by one and collects what has to be written."""

    def __init__(self, opened: OpenBatch, rules: Rules, now: datetime, items: Sequence[Item]) -> None:
        self.batch_no = opened.batch_no
        self.number = opened.batch_no
        """What versions are made of. On a capped board a batch drops users whom it has not locked, so there it is drawn
        under the lock of the board: by the number of its batch one who comes back might be older than his drop.
        """
        self.accounts = opened.accounts
        self.rows: dict[Seat, Score] = {}
        self.created: set[Instance] = set()
        self.answers: list[Answer] = []
        self.changed: dict[Seat, None] = {}
        self.removed: dict[Seat, None] = {}
        self.periods: dict[Instance, Period] = {}
        self.configs: dict[int, BoardConfig] = {}
        self._rules = rules
        self._answered = opened.answers
        self._ids: dict[int, str] = {}
        self._listed: dict[Instance, CappedListing] = {}
        self._now = now
        as_of = max(now, rules.closed_through)  # whatever this server's clock says
        self._places = [self._resolve(item, as_of) for item in items]
        self._items = items

    @property
    def users_to_create(self) -> set[str]:
        """Users of updates that nobody knows yet."""
        return {
            item.command.user_id
            for item, place in zip(self._items, self._places, strict=True)
            if isinstance(place, Instance)
            and item.command.user_id not in self.accounts
            and self._creates_user(item.command, place)
        }

    @property
    def changed_periods(self) -> dict[Instance, Period]:
        """The instances that somebody has got a score on, with their periods."""
        return {seat.instance: self.periods[seat.instance] for seat in self.changed}

    @property
    def user_nos(self) -> set[int]:
        """The users whose rows are changed or removed."""
        return {seat.user_no for seat in (*self.changed, *self.removed)}

    def seats(self) -> list[Seat]:
        """Return the rows that the commands are about."""
        return sorted(
            {
                Seat(place, self.accounts[item.command.user_id].user_no)
                for item, place in zip(self._items, self._places, strict=True)
                if isinstance(place, Instance) and item.command.user_id in self.accounts
            }
        )

    def last_wanted(self, instance: Instance) -> tuple[SortOrder, int]:
        """Return how many of the last on an instance the commands may be about, and in which order they are."""
        return self.configs[instance.board_no].sort_order, self._places.count(instance) + 1

    def note_last(self, instance: Instance, count: int, last: Sequence[tuple[Seat, str, Score, int]]) -> None:
        """Know how many are on an instance with a size cap, and who are the last; who is beyond the cap is dropped."""
        config = self.configs[instance.board_no]
        listing = self._listed[instance] = CappedListing(config, count)
        known = {seat: score for seat, _, score, _ in last}
        self._ids.update((seat.user_no, user_id) for seat, user_id, _, _ in last)
        for account in self.accounts.values():
            seat = Seat(instance, account.user_no)
            if seat in self.rows and account.visibility is Visibility.PUBLIC:
                known[seat] = self.rows[seat]
                self._ids[account.user_no] = account.user_id
        listing.know(known)
        self._drop_beyond(listing, config.max_entries)

    def do(self, item: Item, place: int) -> Result:
        """Return the result of one command and keep what it writes."""
        answered = self._answered.get(item.key)
        if answered is not None:
            return self._replay(answered, item.command, self._places[place])
        try:
            done = self._carry_out(item.command, self._places[place], self.number * BATCH_NUMBERS + place)
        except LaurelError as refusal:
            if is_sticky(refusal):
                self._answer(item, encode_refusal(refusal))
            return refusal
        self._answer(
            item, encode_update(StoredUpdate((done.board.scope, done.board.period_id), done.updated))
        )
        return done

    def events(self) -> str:
        """Return what happened, as JSON for the outbox; repair must know of it who is on a board no longer."""
        updated = [
            scores.update_event(self._ids[seat.user_no], self._key(seat.instance), self._now)
            for seat in self.changed
        ]
        removed = [
            scores.removal_event(
                self._ids[seat.user_no], self._key(seat.instance), self._last_version, self._now
            )
            for seat in self.removed
        ]
        return orjson.dumps([*updated, *removed]).decode()

    def committed(self, results: list[Result]) -> ScoreBatch:
        """Return what the batch did, once it is committed."""
        batch = ScoreBatch(self.batch_no, self._rules, results, wrote=bool(self.changed or self.removed))
        batch.new_boards = {self._key(instance) for instance in self.created}
        names = {account.user_no: account for account in self.accounts.values()}
        for seat in self.seats():
            account = names[seat.user_no]
            if seat in self.rows:
                batch.standing[self._key(seat.instance), account.user_id] = self.rows[seat]
            if seat.instance not in self.periods:
                batch.past.add(self._key(seat.instance))
        for seat in self.removed:
            batch.off[self._key(seat.instance), self._ids[seat.user_no]] = self._last_version
            batch.drops = batch.drops or seat.user_no not in names
        return batch

    @property
    def _last_version(self) -> int:
        return self.number * BATCH_NUMBERS + BATCH_NUMBERS - 1

    def _resolve(self, item: Item, now: datetime) -> Instance | LaurelError:
        """Return the instance that a command is about, or why there is none; that of before, if it was answered."""
        command, answered = item.command, self._answered.get(item.key)
        try:
            config = board_of(command.scope, self._rules.boards)
            stored = None if answered is None else stored_outcome(answered)
            if isinstance(stored, StoredUpdate):
                self.configs[config.board_no] = config
                return Instance(config.board_no, stored.board[1])
            period = period_to_write(config, command.period_id, now, self._rules.zone)
        except LaurelError as refusal:
            return refusal
        instance = Instance(config.board_no, period.id)
        self.periods[instance], self.configs[config.board_no] = period, config
        return instance

    def _creates_user(self, command: ScoreCommand, instance: Instance) -> bool:
        if command.is_removal:
            return False
        try:
            return updated_score(self.configs[instance.board_no], command, None, 0) is not None
        except LaurelError:
            return False

    def _key(self, instance: Instance) -> BoardKey:
        return BoardKey(self.configs[instance.board_no].board_id, instance.period_id)

    def _answer(self, item: Item, outcome: bytes) -> None:
        answer = Answer(item.key, item.command.request_hash, outcome)
        self.answers.append(answer)
        self._answered[item.key] = answer

    def _replay(self, answered: Answer, command: ScoreCommand, place: Instance | LaurelError) -> Result:
        if answered.request_hash != command.request_hash:
            return idempotency_conflict(command.request_id)
        stored = stored_outcome(answered)
        if isinstance(stored, StoredRefusal):
            return stored.error()
        account = self.accounts.get(command.user_id)
        is_listed = (
            isinstance(place, Instance)
            and account is not None
            and account.visibility is Visibility.PUBLIC
            and Seat(place, account.user_no) in self.rows
        )
        return Done(BoardKey(*stored.board), stored.updated, is_listed, replayed=True)

    def _carry_out(self, command: ScoreCommand, place: Instance | LaurelError, sequence: int) -> Done:
        if isinstance(place, LaurelError):
            raise place
        account = self.accounts.get(command.user_id)
        if account is None:
            if not command.is_removal:  # nobody was created for it, because it is refused
                updated_score(self.configs[place.board_no], command, None, sequence)
            raise user_not_found(command.user_id)
        self._ids[account.user_no] = account.user_id
        seat = Seat(place, account.user_no)
        if command.is_removal:
            return self._remove(seat)
        return self._update(command, seat, account, sequence)

    def _remove(self, seat: Seat) -> Done:
        is_there = seat in self.rows
        if is_there:
            self._drop(seat)
        return Done(self._key(seat.instance), is_there, is_listed=False)

    def _update(self, command: ScoreCommand, seat: Seat, account: Account, sequence: int) -> Done:
        config, stored = self.configs[seat.instance.board_no], self.rows.get(seat)
        score = updated_score(config, command, stored, sequence)
        is_listed = account.visibility is Visibility.PUBLIC
        if score is None:
            return Done(self._key(seat.instance), updated=False, is_listed=is_listed)
        listing = self._listed.get(seat.instance) if is_listed else None
        if listing is not None:
            if stored is None and not self._make_room(config, listing, score):
                return Done(self._key(seat.instance), updated=False, is_listed=False)
            listing.put(seat, score)
        self.rows[seat] = score
        self.changed[seat] = None
        self.removed.pop(seat, None)
        updated = stored is None or stored.pair != score.pair
        return Done(self._key(seat.instance), updated, is_listed)

    def _make_room(self, config: BoardConfig, listing: CappedListing, score: Score) -> bool:
        """Drop the last ones for a newcomer; False if he himself would be the last."""
        if listing.count < config.max_entries:
            return True
        if not is_better(config, score.pair, listing.last()[1].pair):
            return False
        self._drop_beyond(listing, config.max_entries - 1)
        return True

    def _drop_beyond(self, listing: CappedListing, room: int) -> None:
        """Drop the last ones, so that no more than `room` are listed."""
        while listing.count > room:
            self._drop(listing.last()[0])

    def _drop(self, seat: Seat) -> None:
        self.rows.pop(seat, None)
        self.changed.pop(seat, None)
        self.removed[seat] = None
        if (listing := self._listed.get(seat.instance)) is not None:
            listing.remove(seat)
