"""What boards show of people, kept in memory: one bulk look-up for those who are not."""

import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from laurel_server.domain.clock import Clock
from laurel_server.domain.tiers import Tier
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.standings import read_faces

MAX_FACES = 200_000
MAX_AGE_SECONDS = 60.0
"""Changes are signalled; the age bounds what a lost signal can do, and how long a badge is shown that has expired."""


class Face(NamedTuple):
    """What a board shows of a user beside rank and score."""

    username: str
    avatar_url: str
    tier: Tier
    country: str
    badges: tuple[str, ...]


NOBODY = Face("", "", Tier.BRONZE, "", ())


class ProfileCache:
    """Faces by user id. When full it starts anew, which costs less than keeping an order of use."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._faces: dict[str, tuple[float, Face]] = {}

    async def faces(self, user_ids: Collection[str]) -> dict[str, Face]:
        """Return the faces of the users; who is unknown has none. LEDGER_UNAVAILABLE."""
        fresh_from = time.monotonic() - MAX_AGE_SECONDS
        found = {
            user_id: kept[1]
            for user_id in user_ids
            if (kept := self._faces.get(user_id)) is not None and kept[0] >= fresh_from
        }
        missing = [user_id for user_id in user_ids if user_id not in found]
        if missing:
            found.update(await self._read(missing))
        return found

    def forget(self, user_ids: Sequence[str]) -> None:
        """Drop faces that have changed."""
        for user_id in user_ids:
            self._faces.pop(user_id, None)

    def forget_all(self) -> None:
        """Drop all faces, because changes may have been missed."""
        self._faces.clear()

    async def _read(self, user_ids: Collection[str]) -> dict[str, Face]:
        read_at, now = time.monotonic(), self._clock.now()
        async with ledger_errors():
            read = {row.user_id: Face(*row[1:]) for row in await read_faces(self._pool, user_ids, now)}
        if len(self._faces) + len(read) > MAX_FACES:
            self._faces.clear()
        self._faces.update((user_id, (read_at, face)) for user_id, face in read.items())
        return read
