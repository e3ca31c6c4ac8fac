"""Sends notifications that are due, and again later those that nobody took."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final, NamedTuple

import structlog

from laurel_server.domain.clock import Clock
from laurel_server.domain.notifications import moment_for
from laurel_server.events.sinks import Refusal, Sink
from laurel_server.metrics import NOTIFICATIONS_SENT
from laurel_server.postgres import notifications
from laurel_server.postgres.notifications import Attempt, Due, State
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

AT_ONCE: Final = 100
FIRST_RETRY: Final = timedelta(seconds=30)
LAST_RETRY: Final = timedelta(hours=1)

_OUTCOMES: Final = {State.SENT: "sent", State.WAITING: "failed", State.GIVEN_UP: "given_up"}


class Delivered(NamedTuple):
    """What a delivery has done."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


@dataclass(slots=True)
class _Offer:
    """A notification that is handed to the sinks: who has taken it by now, and why others have not."""

    due: Due
    taken_by: list[str]
    failed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def note(self, sink: str, refusal: Refusal | None) -> None:
        """Keep what a sink said."""
        if refusal is None:
            self.taken_by.append(sink)
        else:
            (self.refused if refusal.for_good else self.failed).append(refusal.error)

    def attempt(self, now: datetime, max_attempts: int) -> Attempt:
        """Return how it went in all."""
        name, attempts, error = self.due.notification.id, self.due.attempts + 1, "; ".join(self.errors)
        if self.failed and attempts < max_attempts:
            return Attempt(name, State.WAITING, now + retry_after(attempts), error, self.taken_by)
        return Attempt(name, State.GIVEN_UP if error else State.SENT, now, error, self.taken_by)

    @property
    def errors(self) -> Sequence[str]:
        """What went wrong."""
        return [*self.failed, *self.refused]


class Delivery:
    """Hands what is due to all sinks; after `max_attempts` a notification is given up.

    It comes again only to those sinks that did not take it, and is given up at once where none of them ever will.
    `zone` is that of users who have none.
    """

    def __init__(
        self, pool: Pool, sinks: Sequence[Sink], clock: Clock, zone: tzinfo, max_attempts: int
    ) -> None:
        self._pool = pool
        self._sinks = sinks
        self._clock = clock
        self._zone = zone
        self._max_attempts = max_attempts

    async def deliver(self) -> Delivered:
        """Send all that is due now."""
        total = Delivered()
        while due := await notifications.read_due(self._pool, self._clock.now(), AT_ONCE):
            attempts = await self._attempts(await self._sendable(due))
            if attempts:
                await notifications.note(self._pool, attempts)
            states = [attempt.state for attempt in attempts]
            for state in states:
                NOTIFICATIONS_SENT.labels(_OUTCOMES[state]).inc()
            total = Delivered(
                total.sent + states.count(State.SENT),
                total.failed + states.count(State.WAITING),
                total.given_up + states.count(State.GIVEN_UP),
            )
        return total

    async def _sendable(self, due: Sequence[Due]) -> Sequence[Due]:
        """Return what may be sent now, and put the rest off: what was due may come late, by an attempt that failed."""
        users, now = {each.notification.user_id for each in due}, self._clock.now()
        preferences = await notifications.read_preferences(self._pool, users, self._zone)
        moments = [moment_for(each.notification, preferences, now) for each in due]
        others = [
            (each.notification.id, moment)
            for each, moment in zip(due, moments, strict=True)
            if moment is None or moment > now
        ]
        if others:
            await notifications.put_off(self._pool, others)
        put_off = {name for name, _ in others}
        return [each for each in due if each.notification.id not in put_off]

    async def _attempts(self, due: Sequence[Due]) -> list[Attempt]:
        offers = [_Offer(each, list(each.taken_by)) for each in due]
        await asyncio.gather(*(_hand_over(sink, offers) for sink in self._sinks))
        now = self._clock.now()  # a sink that is away takes its time to say so
        for offer in offers:
            if offer.errors:
                log.warning(
                    "notification.not_sent", notification_id=offer.due.notification.id, errors=offer.errors
                )
        return [offer.attempt(now, self._max_attempts) for offer in offers]


async def _hand_over(sink: Sink, offers: Sequence[_Offer]) -> None:
    """Hand a sink what it has not taken yet."""
    open_offers = [offer for offer in offers if sink.name not in offer.due.taken_by]
    if not open_offers:
        return
    refusals: Sequence[Refusal | None]
    try:
        refusals = await sink.send([offer.due.notification for offer in open_offers])
    except Exception as error:  # otherwise what other sinks have taken would go to them for ever
        log.exception("notifications.failed", sink=sink.name)
        refusals = [Refusal(f"{sink.name}: {error!r}"[:300])] * len(open_offers)
    for offer, refusal in zip(open_offers, refusals, strict=True):
        offer.note(sink.name, refusal)


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: from 30 s on, doubling up to an hour."""
    return min(LAST_RETRY, FIRST_RETRY * (1 << min(attempts - 1, 10)))
