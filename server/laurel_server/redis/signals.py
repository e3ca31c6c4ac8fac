"""What processes tell each other over Redis: which boards have changed, and whose profiles."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from laurel_server.domain.boards import BoardKey
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import BOARD_CHANGES, PROFILE_CHANGES, boards_in

log = structlog.get_logger()

RECONNECT_SECONDS = 0.5


class ProfileSignals:
    """Tells all processes that profiles have changed: this one at once, the others over Redis.

    A signal that Redis does not take is lost; the others then show the old face until its age ends it.
    """

    def __init__(self, redis: RedisConnection, forget: Callable[[Sequence[str]], None]) -> None:
        self._redis = redis
        self._forget = forget
        self._sending: set[asyncio.Task[None]] = set()

    def changed(self, user_ids: Sequence[str]) -> None:
        """Say that what boards show of these users is out of date."""
        self._forget(user_ids)
        task = asyncio.create_task(self._send(user_ids))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, user_ids: Sequence[str]) -> None:
        with suppress(RedisUnavailable):
            await self._redis.call("PUBLISH", PROFILE_CHANGES, "\n".join(user_ids))


class Signals:
    """Listens on its own connection.

    `boards_changed` gets changed boards and `profiles_changed` user ids. After every connection, once Redis has
    confirmed that it listens, each of `any_changed` is called: signals are not kept for those who are away.
    """

    def __init__(
        self,
        redis: RedisConnection,
        boards_changed: Callable[[Sequence[BoardKey]], None],
        profiles_changed: Callable[[Sequence[str]], None],
        *any_changed: Callable[[], None],
    ) -> None:
        self._redis = redis
        self._attempt = 0
        self._boards_changed = boards_changed
        self._profiles_changed = profiles_changed
        self._any_changed = any_changed

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as lost:
                log.warning("signals.lost", error=type(lost).__name__)
            except Exception:  # without this loop no stream would ever be told of anything again
                log.exception("signals.failed")
            self._attempt += 1
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        urls = self._redis.listening_urls()
        url = urls[self._attempt % len(urls)]
        async with (
            Redis.from_url(url, decode_responses=True, health_check_interval=5) as client,
            client.pubsub() as subscription,
        ):
            await subscription.subscribe(BOARD_CHANGES, PROFILE_CHANGES)
            async for message in subscription.listen():
                if message["type"] == "message":
                    self._tell(message["channel"], message["data"])
                elif (
                    message["channel"] == PROFILE_CHANGES
                ):  # the last to be confirmed: from now on nothing is missed
                    self._tell_all()

    def _tell_all(self) -> None:
        for changed in self._any_changed:
            changed()

    def _tell(self, channel: str, signal: str) -> None:
        if channel == BOARD_CHANGES:
            self._boards_changed(boards_in(signal))
        else:
            self._profiles_changed(signal.split("\n"))
