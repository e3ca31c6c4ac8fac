"""Sends notifications that are due, and again later those that nobody took."""

import asyncio
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from laurel_server.domain.clock import Clock
from laurel_server.events.sinks import NotSent, Sink
from laurel_server.metrics import NOTIFICATIONS_SENT
from laurel_server.postgres import notifications
from laurel_server.postgres.notifications import Attempt, Due, State
from laurel_server.postgres.pool import Pool

log = structlog.get_logger()

AT_ONCE: Final = 100
SIDE_BY_SIDE: Final = 8
FIRST_RETRY: Final = timedelta(seconds=30)
LAST_RETRY: Final = timedelta(hours=1)

_OUTCOMES: Final = {State.SENT: "sent", State.WAITING: "failed", State.GIVEN_UP: "given_up"}


class Delivered(NamedTuple):
    """What a delivery has done."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


class Delivery:
    """Hands what is due to a sink; after `max_attempts` a notification is given up."""

    def __init__(self, pool: Pool, sink: Sink, clock: Clock, max_attempts: int) -> None:
        self._pool = pool
        self._sink = sink
        self._clock = clock
        self._max_attempts = max_attempts
        self._turns = asyncio.Semaphore(SIDE_BY_SIDE)

    async def deliver(self) -> Delivered:
        """Send all that is due now."""
        total = Delivered()
        while due := await notifications.read_due(self._pool, self._clock.now(), AT_ONCE):
            attempts = await asyncio.gather(*(self._attempt(each) for each in due))
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

    async def _attempt(self, due: Due) -> Attempt:
        now, name = self._clock.now(), due.notification.id
        async with self._turns:
            try:
                await self._sink.send(due.notification)
            except NotSent as error:
                return self._failed(due, now, str(error))
        return Attempt(name, State.SENT, now, "")

    def _failed(self, due: Due, now: datetime, error: str) -> Attempt:
        attempts = due.attempts + 1
        state = State.GIVEN_UP if attempts >= self._max_attempts else State.WAITING
        log.warning("notification.not_sent", notification_id=due.notification.id, error=error)
        return Attempt(due.notification.id, state, now + retry_after(attempts), error)


def retry_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: from 30 s on, doubling up to an hour."""
    return min(LAST_RETRY, FIRST_RETRY * (1 << min(attempts - 1, 10)))
