"""Moving users between boards because of what they are, not of what they earn: profile, visibility, erasure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from laurel_server.domain.accounts import Account, PastTotal
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.clock import Clock
from laurel_server.domain.periods import parse_period_id, period_type_of
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.errors import BoardsUnavailable
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projection
from laurel_server.leaderboards.repair import Confirmations
from laurel_server.leaderboards.score_seats import seatings_of_removed, seatings_of_scorers
from laurel_server.leaderboards.seating import Seating, seat
from laurel_server.leaderboards.size_caps import SizeCaps
from laurel_server.postgres import ledger, scores
from laurel_server.postgres.pool import Connection
from laurel_server.postgres.profiles import note_moves, user_moved
from laurel_server.postgres.standings import Erased
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.rewards.batch_items import BATCH_NUMBERS
from laurel_server.rewards.rule_book import RuleBook


@dataclass(slots=True)
class Moved:
    """One committed change of where users belong, for the boards."""

    batch_no: int
    placements: list[Placement] = field(default_factory=list)
    new_boards: set[BoardKey] = field(default_factory=set)
    seatings: dict[BoardKey, Seating] = field(default_factory=dict)
    """What becomes of the users on score boards."""


class Moves:
    """Writes moves into the ledger and takes them to the boards."""

    def __init__(
        self,
        clock: Clock,
        rule_book: RuleBook,
        catalogue: Catalogue,
        redis: RedisConnection,
        projection: Projection,
        confirmations: Confirmations,
        size_caps: SizeCaps,
    ) -> None:
        self._clock = clock
        self._catalogue = catalogue
        self._redis = redis
        self._rule_book = rule_book
        self._projection = projection
        self._confirmations = confirmations
        self._size_caps = size_caps

    async def write(
        self, connection: Connection, batch_no: int, changes: Sequence[tuple[Account, Account]]
    ) -> Moved:
        """Note in the ledger where users go; `changes` are the locked accounts as they are and as they become.

        Totals of the past leave the hot row first: the boards of the past keep those who were on them.
        """
        await self._rule_book.seen_by(connection)  # the boards as this batch must see them
        spilled = self._spill([before for before, _ in changes])
        placements = {
            before.user_no: placement
            for before, after in changes
            if (placement := self._placement(before, after, batch_no * BATCH_NUMBERS))
        }
        moved = Moved(batch_no, list(placements.values()))
        if placements:
            accounts = {before.user_no: before for before, _ in changes}
            await self._write(connection, batch_no, accounts, placements, spilled)
            moved.new_boards = await self._register(connection, moved.placements)
        hidden_or_shown = [before for before, after in changes if before.visibility is not after.visibility]
        if hidden_or_shown:
            moved.seatings = await self._move_scores(connection, batch_no, hidden_or_shown)
        return moved

    async def _move_scores(
        self, connection: Connection, batch_no: int, accounts: Sequence[Account]
    ) -> dict[BoardKey, Seating]:
        """Note that users take a position on their score boards, or none any more. Their profiles are written."""
        user_nos = [account.user_no for account in accounts]
        if not await scores.of_users(connection, user_nos):
            return {}
        moved = [user_moved(account, (), self._clock.now()) for account in accounts]
        await scores.note_change(connection, batch_no, user_nos, batch_no * BATCH_NUMBERS, moved)
        return seatings_of_scorers(await scores.of_users(connection, user_nos), self._catalogue)

    async def remove_scores(
        self, connection: Connection, account: Account, version: int
    ) -> dict[BoardKey, Seating]:
        """Delete all that a user has on score boards; return which he leaves: archived ones may be in Redis, too."""
        scorers = await scores.of_user(connection, account.user_id)
        await scores.delete_of_user(connection, account.user_no)
        left = [Erased(account.user_id, version, [scorer.board for scorer in scorers])]
        return seatings_of_removed(left, self._catalogue)

    async def project(self, moved: Moved) -> None:
        """Take committed moves to the boards; what does not arrive is left to repair."""
        if not moved.placements and not moved.seatings:
            return
        try:
            await self._projection.project(moved.placements, moved.new_boards)
            await seat(self._redis, moved.seatings, ranked=False, tell=True)
        except (BoardsUnavailable, RedisUnavailable):
            return  # the ledger has it; repair moves the users
        self._confirmations.confirm(moved.batch_no)
        await self._size_caps.hold(board.scope for board, seating in moved.seatings.items() if seating.on)

    def boards_of(self, account: Account) -> tuple[BoardKey, ...]:
        """Return the boards over the account's open totals on which it takes a position."""
        matrix = self._rule_book.latest_read.matrix
        return tuple(
            BoardKey(scope, period_id)
            for period_id in account.totals
            for scope in matrix.boards_of(account.membership, period_type_of(period_id))
        )

    async def _write(
        self,
        connection: Connection,
        batch_no: int,
        accounts: Mapping[int, Account],
        placements: Mapping[int, Placement],
        spilled: Sequence[PastTotal],
    ) -> None:
        past = [total for total in spilled if total.user_no in placements]
        if past:
            await ledger.spill_totals(connection, past)
        moved = [(accounts[user_no], placement.left) for user_no, placement in placements.items()]
        await note_moves(connection, batch_no, moved, batch_no * BATCH_NUMBERS, self._clock.now())

    def _spill(self, accounts: Iterable[Account]) -> list[PastTotal]:
        rules, now = self._rule_book.latest_read, self._clock.now()
        return [
            total
            for account in accounts
            for total in account.spill(now, rules.grace, rules.zone, rules.matrix)
        ]

    def _placement(self, before: Account, after: Account, version: int) -> Placement | None:
        """Return where the user goes; None: he stays where he is."""
        was_on, goes_on = self.boards_of(before), self.boards_of(after)
        if was_on == goes_on:
            return None
        left = tuple(board for board in was_on if board not in goes_on)
        return Placement(before.user_id, version, before.totals, goes_on, left)

    async def _register(self, connection: Connection, placements: Sequence[Placement]) -> set[BoardKey]:
        boards = sorted({board for placement in placements for board in placement.boards})
        if not boards:
            return set()
        rules = self._rule_book.latest_read
        periods = {board: parse_period_id(board.period_id, rules.zone) for board in boards}
        created = await ledger.register_boards(connection, periods)
        return {board for board in created if not rules.matrix.is_filling(board)}
