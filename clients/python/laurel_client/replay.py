"""Playing events of the past as awards, in their order."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from hashlib import blake2b
from itertools import groupby
from typing import Final, TypeGuard
from zlib import crc32
from zoneinfo import ZoneInfo

import grpc

from laurel.rewards.v1.corrections_pb2 import ReverseTransactionResponse
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardPointsResponse
from laurel.type.v1.user_pb2 import User
from laurel_client.client import Laurel
from laurel_client.errors import LaurelCallError
from laurel_client.requests import award

_USERS_AT_ONCE: Final = 1000
_ATTEMPTS: Final = 5
_FIRST_PAUSE: Final = 0.2
_LONGEST_ID: Final = 128
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)
_REFUSALS: Final = frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.RESOURCE_EXHAUSTED})
"""Codes by which the rules of the program say no: a cap, a cooldown, an action out of its window."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something a user did: at `occurred_at` (aware; None: now), worth `amount` (a decimal) to the action's formula.

    `event_id` is unique among all events that are ever awarded as the same action. An event that refunds another takes
    back that part of its points which `amount` is of `refunds_amount`.
    """

    event_id: str
    user_id: str
    occurred_at: datetime | None
    amount: str
    country: str = ""
    refunds: str = ""
    refunds_amount: str = ""


@dataclass(slots=True)
class Tally:
    """What became of the events: done now, done before, refused by a rule or failed, each with its reason."""

    awarded: int = 0
    replayed: int = 0
    points: int = 0
    reversed: int = 0
    points_reversed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    broken_off_by: LaurelCallError | None = None
    """The call that failed as a whole; what came after it was not played."""

    @property
    def played(self) -> int:
        """How many events have an outcome."""
        return self.awarded + self.reversed + self.replayed + self.refused.total() + self.failed.total()

    def count(self, outcome: AwardPointsResponse | LaurelCallError) -> None:
        """Take in the outcome of one event."""
        if isinstance(outcome, LaurelCallError):
            counter = self.refused if outcome.code in _REFUSALS else self.failed
            counter[outcome.reason or outcome.code.name] += 1
        elif outcome.replayed:
            self.replayed += 1
        else:
            self.awarded += 1
            self.points += outcome.transaction.points

    def count_refund(self, outcome: ReverseTransactionResponse) -> None:
        """Take in a reversal."""
        if outcome.replayed:
            self.replayed += 1
        else:
            self.reversed += 1
            self.points_reversed -= outcome.transaction.points


@dataclass(slots=True)
class Replay:
    """Plays events as awards of `action`, whose formula gets the amount as `attribute`.

    A call has at most `batch` awards and at most one of each user, and a user's next award waits for the one before,
    so that his are made in order whatever the server does at the same time. `concurrency` calls run at once, each
    for users of its own. Request ids are made of action and event id: played again, nothing changes.

    `advance_clock` moves the sandbox clock along: the events go by their time, one call at a time, each with the
    clock at its last event. A call stays within one day of the program's time zone, so that every event counts in
    the periods it belongs to; it may have several awards of a user, made in order since nobody else uses a sandbox.
    """

    laurel: Laurel
    action: str
    attribute: str
    batch: int = 64
    concurrency: int = 4
    advance_clock: bool = False
    progress: Callable[[int], None] = lambda _: None
    """Called with the number of events that have an outcome since the last time."""

    _now: datetime | None = field(default=None, init=False)
    _transactions: dict[str, str] = field(default_factory=dict, init=False)
    _tally: Tally = field(default_factory=Tally, init=False)
    _is_stopped: bool = field(default=False, init=False)

    def stop(self) -> None:
        """End `run` when the calls in progress are answered."""
        self._is_stopped = True

    async def run(self, events: Sequence[Event]) -> Tally:
        """Play the events, after the countries of their users are set, and return what became of them."""
        play = self._play_by_time if self.advance_clock else self._play_at_once
        try:
            await play(events)
        except LaurelCallError as error:
            self._tally.broken_off_by = error
        return self._tally

    async def _set_countries(self, events: Iterable[Event]) -> None:
        """Write the country of each user's last event; it replaces his profile."""
        countries = {event.user_id: event.country for event in events if event.country}
        users = [User(user_id=user_id, country=country) for user_id, country in countries.items()]
        for start in range(0, len(users), _USERS_AT_ONCE):
            await self.laurel.admin.batch_upsert_users(users[start : start + _USERS_AT_ONCE])

    async def _play_at_once(self, events: Sequence[Event]) -> None:
        await self._set_countries(events)
        lanes: list[list[Event]] = [[] for _ in range(self.concurrency)]
        for event in events:
            lanes[crc32(event.user_id.encode()) % self.concurrency].append(event)
        # gather would leave the others running after the first error
        failures = await asyncio.gather(*map(self._play_lane, lanes), return_exceptions=True)
        for failure in failures:
            if failure is not None:
                raise failure

    async def _play_lane(self, events: Iterable[Event]) -> None:
        try:
            for batch in batches(events, self.batch, distinct_users=True):
                if self._is_stopped:
                    return
                await self._play(batch)
        except LaurelCallError:
            self.stop()
            raise

    async def _play_by_time(self, events: Sequence[Event]) -> None:
        timed = sorted(events, key=_moment)
        for event in timed[:1]:
            await self._move_clock(event)  # so that users are not created later than they are awarded
        await self._set_countries(timed)
        zone = await self._time_zone()
        for _, day in groupby(timed, lambda event: _moment(event).astimezone(zone).date()):
            for batch in batches(day, self.batch, distinct_users=False):
                if self._is_stopped:
                    return
                await self._move_clock(batch[-1])
                await self._play(batch)

    async def _time_zone(self) -> tzinfo:
        config = (await self.laurel.admin.get_server_info()).config
        return ZoneInfo(config["program.time_zone"])

    async def _move_clock(self, event: Event) -> None:
        """Set the clock to the time of an event; it is not set back from where an earlier run has left it."""
        if self._now is None:
            clock = await self.laurel.sandbox.get_clock()
            self._now = clock.now if clock.frozen else _BEFORE_ALL
        if self._now < _moment(event):
            self._now = (await self.laurel.sandbox.set_clock(_moment(event))).now

    async def _play(self, batch: Sequence[Event]) -> None:
        """Play some events in order: awards that follow one another in one call, refunds each in its own."""
        for refunds, group in groupby(batch, lambda event: bool(event.refunds)):
            if refunds:
                for event in group:
                    await self._refund(event)
            else:
                await self._award_all(list(group))

    async def _refund(self, event: Event) -> None:
        """Reverse a part of an award; one that was refused has nothing to take back."""
        transaction_id = self._transactions.get(event.refunds)
        if transaction_id is None:
            self._tally.refused["NOT_AWARDED"] += 1
        else:
            try:
                self._tally.count_refund(await self._reverse(transaction_id, event))
            except LaurelCallError as error:
                if error.code not in _REFUSALS:
                    raise
                self._tally.refused[error.reason or error.code.name] += 1
        self.progress(1)

    async def _reverse(self, transaction_id: str, event: Event) -> ReverseTransactionResponse:
        return await self.laurel.rewards.reverse_transaction(
            transaction_id,
            part=(Decimal(event.amount), Decimal(event.refunds_amount)),
            reason=event.event_id,
            request_id=request_id(f"{self.action}_CANCELLATION", event.event_id),
        )

    async def _award_all(self, batch: Sequence[Event]) -> None:
        """Make one call; awards that the server cannot take up at the moment are sent again, a few times."""
        waiting = [self._award(event) for event in batch]
        errors: list[LaurelCallError] = []
        for attempt in range(_ATTEMPTS):
            outcomes = await self.laurel.rewards.batch_award_points(waiting)
            self._note_transactions(waiting, outcomes)
            self._count([outcome for outcome in outcomes if not _may_pass(outcome)])
            errors = [outcome for outcome in outcomes if _may_pass(outcome)]
            if not errors:
                return
            waiting = [
                request for request, outcome in zip(waiting, outcomes, strict=True) if _may_pass(outcome)
            ]
            await asyncio.sleep(_FIRST_PAUSE * 2**attempt)
        raise errors[0]

    def _note_transactions(
        self,
        awards: Sequence[AwardPointsRequest],
        outcomes: Sequence[AwardPointsResponse | LaurelCallError],
    ) -> None:
        for request, outcome in zip(awards, outcomes, strict=False):
            if not isinstance(outcome, LaurelCallError):
                self._transactions[request.reference_id] = outcome.transaction.transaction_id

    def _count(self, outcomes: Sequence[AwardPointsResponse | LaurelCallError]) -> None:
        for outcome in outcomes:
            self._tally.count(outcome)
        self.progress(len(outcomes))

    def _award(self, event: Event) -> AwardPointsRequest:
        return award(
            event.user_id,
            self.action,
            {self.attribute: event.amount} if event.amount else {},
            request_id=request_id(self.action, event.event_id),
            reference_id=event.event_id,
            occurred_at=event.occurred_at,
        )


def batches(events: Iterable[Event], size: int, *, distinct_users: bool) -> Iterator[list[Event]]:
    """Yield the events in order, in batches of at most `size`; a user at most once in each if `distinct_users`."""
    batch: list[Event] = []
    users: set[str] = set()
    for event in events:
        if len(batch) >= size or (distinct_users and event.user_id in users):
            yield batch
            batch, users = [], set()
        batch.append(event)
        users.add(event.user_id)
    if batch:
        yield batch


def request_id(action: str, event_id: str) -> str:
    """Return the idempotency key of an event; readable unless that would be too long."""
    key = f"{action}:{event_id}"
    return key if len(key) <= _LONGEST_ID else blake2b(key.encode(), digest_size=32).hexdigest()


def _may_pass(outcome: AwardPointsResponse | LaurelCallError) -> TypeGuard[LaurelCallError]:
    return isinstance(outcome, LaurelCallError) and outcome.may_pass


def _moment(event: Event) -> datetime:
    if event.occurred_at is None:
        raise ValueError(f"event {event.event_id} has no time to set the clock to")
    return event.occurred_at
