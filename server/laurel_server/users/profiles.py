"""Creating and changing profiles. A change of country, region or segments moves the user on the boards."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

from laurel_server.domain.accounts import Account, PastTotal
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError, Reason, invalid_field
from laurel_server.domain.ledger import User
from laurel_server.domain.periods import parse_period_id
from laurel_server.leaderboards.projection import BoardsUnavailable, Placement, Projection
from laurel_server.leaderboards.repair import Confirmations
from laurel_server.postgres import ledger
from laurel_server.postgres.errors import RETRYABLE
from laurel_server.postgres.pool import Connection, Pool, ledger_errors
from laurel_server.postgres.profiles import note_moves, read_profiles, write_profiles
from laurel_server.rewards.ledger_batch import BATCH_NUMBERS
from laurel_server.rewards.rule_book import RuleBook

RETRIES = 5
"""How often a change that was rolled back is run again."""


class UpsertCounts(NamedTuple):
    """How many profiles were new and how many were known."""

    created: int
    updated: int


@dataclass(slots=True)
class _Change:
    """One committed change of profiles, for the boards."""

    batch_no: int
    counts: UpsertCounts
    placements: list[Placement]
    new_boards: set[BoardKey]


class Profiles:
    """Reads and writes profiles."""

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        rule_book: RuleBook,
        projection: Projection,
        confirmations: Confirmations,
        faces_changed: Callable[[Sequence[str]], None],
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._rules = rule_book.latest_read
        self._projection = projection
        self._confirmations = confirmations
        self._faces_changed = faces_changed

    async def get(self, user_id: str) -> User:
        """Return one profile. USER_NOT_FOUND."""
        async with ledger_errors():
            found = await read_profiles(self._pool, [user_id])
        if user_id not in found:
            raise LaurelError(Reason.USER_NOT_FOUND, f"no user {user_id}", metadata={"user_id": user_id})
        return found[user_id]

    async def upsert(self, users: Sequence[User]) -> UpsertCounts:
        """Create or replace profiles, all or none; tier and visibility stay. INVALID_FIELD for a user named twice."""
        twice = [user_id for user_id, count in Counter(user.user_id for user in users).items() if count > 1]
        if twice:
            raise invalid_field("users", f"{twice[0]} is in the request more than once")
        change = await self._commit(users)
        self._faces_changed([user.user_id for user in users])
        await self._project(change)
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
        accounts = opened.accounts
        new = await self._create(connection, [user for user in users if user.user_id not in accounts])
        numbers = {account.user_id: account.user_no for account in (*accounts.values(), *new)}
        await write_profiles(connection, [(numbers[user.user_id], user) for user in users])
        counts = UpsertCounts(len(new), len(accounts))
        version = opened.batch_no * BATCH_NUMBERS
        spilled = self._spill(accounts.values())
        placements = [
            placement
            for user in users
            if user.user_id in accounts and (placement := self._move(accounts[user.user_id], user, version))
        ]
        if not placements:
            return _Change(opened.batch_no, counts, [], set())
        moved = [(accounts[placement.user_id], placement.left) for placement in placements]
        moved_nos = {account.user_no for account, _ in moved}
        past = [total for total in spilled if total.user_no in moved_nos]
        if past:
            await ledger.spill_totals(connection, past)
        await note_moves(connection, opened.batch_no, moved, version)
        return _Change(opened.batch_no, counts, placements, await self._register(connection, placements))

    def _spill(self, accounts: Iterable[Account]) -> list[PastTotal]:
        """Take totals of the past out of the accounts: their boards do not follow a change of profile."""
        rules, now = self._rules, self._clock.now()
        return [
            total
            for account in accounts
            for total in account.spill(now, rules.grace, rules.zone, rules.matrix)
        ]

    async def _create(self, connection: Connection, users: Sequence[User]) -> list[Account]:
        if not users:
            return []
        numbers = await ledger.take_user_numbers(connection, len(users))
        accounts = [Account(number, user.user_id) for number, user in zip(numbers, users, strict=True)]
        await ledger.create_users(connection, accounts, self._clock.now())
        return accounts

    def _move(self, account: Account, user: User, version: int) -> Placement | None:
        """Return where the user goes when his profile becomes `user`; None: he stays where he is."""
        before = self._boards(account)
        after = self._boards(
            replace(account, country=user.country, region=user.region, segments=user.segments)
        )
        if before == after:
            return None
        left = tuple(board for board in before if board not in after)
        return Placement(account.user_id, version, account.totals, after, left)

    def _boards(self, account: Account) -> tuple[BoardKey, ...]:
        return tuple(
            BoardKey(scope, period_id)
            for period_id in account.totals
            for scope in self._rules.matrix.boards_of(account.membership, parse_period_id(period_id).type)
        )

    async def _register(self, connection: Connection, placements: Sequence[Placement]) -> set[BoardKey]:
        boards = sorted({board for placement in placements for board in placement.boards})
        if not boards:
            return set()
        return await ledger.register_boards(
            connection, {board: parse_period_id(board.period_id) for board in boards}
        )

    async def _project(self, change: _Change) -> None:
        if not change.placements:
            return
        try:
            await self._projection.project(change.placements, change.new_boards)
        except BoardsUnavailable:
            return  # the ledger has it; repair moves the users
        self._confirmations.confirm(change.batch_no)
