"""What boards show of people, kept in memory: one bulk look-up for those who are not."""

import time
from collections.abc import Collection, Sequence
from typing import NamedTuple

from laurel_server.domain.clock import Clock
from laurel_server.domain.tiers import Tier
from laurel_server.leaderboards.shared_read import SharedRead
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
    """Faces by user id, in two halves: when the younger one is full it takes the place of the older one.

    So what is asked for again stays, at the cost of no order of use.
    """

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._young: dict[str, tuple[float, Face]] = {}
        self._old: dict[str, tuple[float, Face]] = {}
        self._asked: set[str] = set()
        self._read_asked = SharedRead(self._read)

    async def faces(self, user_ids: Collection[str]) -> dict[str, Face]:
        """Return the faces of the users; who is unknown has none. LEDGER_UNAVAILABLE."""
        fresh_from = time.monotonic() - MAX_AGE_SECONDS
        found: dict[str, Face] = {}
        missing: list[str] = []
        for user_id in user_ids:
            kept = self._young.get(user_id) or self._stay(user_id)
            if kept is not None and kept[0] >= fresh_from:
                found[user_id] = kept[1]
            else:
                missing.append(user_id)
        if missing:
            self._asked.update(missing)
            read = await self._read_asked()
            found.update((user_id, read[user_id]) for user_id in missing if user_id in read)
        return found

    def forget(self, user_ids: Sequence[str]) -> None:
        """Drop faces that have changed."""
        for user_id in user_ids:
            self._young.pop(user_id, None)
            self._old.pop(user_id, None)

    def forget_all(self) -> None:
        """Drop all faces, because changes may have been missed."""
        self._young.clear()
        self._old.clear()

    def _stay(self, user_id: str) -> tuple[float, Face] | None:
        kept = self._old.pop(user_id, None)
        if kept is not None:
            self._keep({user_id: kept})
        return kept

    def _keep(self, faces: dict[str, tuple[float, Face]]) -> None:
        if len(self._young) + len(faces) > MAX_FACES // 2:
            self._young, self._old = {}, self._young
        self._young.update(faces)

    async def _read(self) -> dict[str, Face]:
        """Read all faces that are asked for: a statement for many costs little more than one for a few."""
        user_ids, self._asked = self._asked, set()
        read_at, now = time.monotonic(), self._clock.now()
        async with ledger_errors():
            read = {row.user_id: Face(*row[1:]) for row in await read_faces(self._pool, user_ids, now)}
        self._keep({user_id: (read_at, face) for user_id, face in read.items()})
        return read
