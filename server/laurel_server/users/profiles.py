"""Creating and changing profiles. A change of country, region or segments moves the user on the boards."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from msgspec.structs import replace

from laurel_server.domain.accounts import Account
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import invalid_field, user_not_found
from laurel_server.domain.ledger import User
from laurel_server.postgres import ledger
from laurel_server.postgres.errors import RETRYABLE
from laurel_server.postgres.pool import Connection, Pool, ledger_errors
from laurel_server.postgres.profiles import read_profiles, write_profiles
from laurel_server.users.moves import Moved, Moves

RETRIES = 5
"""How often a change that was rolled back is run again."""


class UpsertCounts(NamedTuple):
    """How many profiles were new and how many were known."""

    created: int
    updated: int


class _Change(NamedTuple):
    """One committed change of profiles."""

    counts: UpsertCounts
    moved: Moved


class Profiles:
    """Reads and writes profiles."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        moves: Moves,
        faces_changed: Callable[[Sequence[str]], None],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._moves = moves
        self._faces_changed = faces_changed

    async def get(self, user_id: str) -> User:
        """Return one profile. USER_NOT_FOUND."""
        async with ledger_errors():
            found = await read_profiles(self._pool, [user_id])
        if user_id not in found:
            raise user_not_found(user_id)
        return found[user_id]

    async def upsert(self, users: Sequence[User]) -> UpsertCounts:
        """Create or replace profiles, all or none; tier and visibility stay. INVALID_FIELD for a user named twice."""
        twice = [user_id for user_id, count in Counter(user.user_id for user in users).items() if count > 1]
        if twice:
            raise invalid_field("users", f"{twice[0]} is in the request more than once")
        change = await self._commit(users)
        self._faces_changed([user.user_id for user in users])
        await self._moves.project(change.moved)
        return change.counts

    async def _commit(self, users: Sequence[User]) -> _Change:
        """Write in one transaction; it is run again when somebody else creates one of the users meanwhile."""
        for _ in range(RETRIES):
            with suppress(*RETRYABLE):
                return await self._try_commit(users)
        return await self._try_commit(users)

    async def _try_commit(self, users: Sequence[User]) -> _Change:
        async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
            return await self._write(connection, users)

    async def _write(self, connection: Connection, users: Sequence[User]) -> _Change:
        opened = await ledger.open_batch(connection, [user.user_id for user in users], [])
        known = opened.accounts
        new = await self._create(connection, [user for user in users if user.user_id not in known])
        numbers = {account.user_id: account.user_no for account in (*known.values(), *new)}
        await write_profiles(connection, [(numbers[user.user_id], user) for user in users])
        changes = [
            (account, replace(account, country=user.country, region=user.region, segments=user.segments))
            for user in users
            if (account := known.get(user.user_id))
        ]
        moved = await self._moves.write(connection, opened.batch_no, changes)
        return _Change(UpsertCounts(len(new), len(known)), moved)

    async def _create(self, connection: Connection, users: Sequence[User]) -> list[Account]:
        if not users:
            return []
        numbers = await ledger.take_user_numbers(connection, len(users))
        accounts = [Account(number, user.user_id) for number, user in zip(numbers, users, strict=True)]
        await ledger.create_users(connection, accounts, self._clock.now())
        return accounts
