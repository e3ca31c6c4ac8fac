"""What the ledger says of boards: which exist, and on which a user belongs."""

from collections.abc import Collection, Sequence

from laurel_server.domain.boards import BoardKey, BoardMatrix, Visibility, is_score_board
from laurel_server.domain.errors import user_not_found
from laurel_server.domain.ranks import Pair
from laurel_server.domain.views import Board, Unlisted
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.placing import boards_of
from laurel_server.postgres import scores
from laurel_server.postgres.pool import Pool, ledger_errors
from laurel_server.postgres.standings import Member, is_registered, past_shadows, read_member, shadows_among


class BoardRegistry:
    """Answers whether a board instance has ever had a member. "Yes" is kept until other boards are configured."""

    def __init__(self, pool: Pool, catalogue: Catalogue) -> None:
        self._pool = pool
        self._catalogue = catalogue
        self._as_of = catalogue.boards
        self._registered: set[BoardKey] = set()

    async def has(self, board: BoardKey) -> bool:
        """Return whether the ledger has put anybody on the board. LEDGER_UNAVAILABLE."""
        if self._as_of is not self._catalogue.boards:
            self._as_of = self._catalogue.boards
            self._registered.clear()
        if board in self._registered:
            return True
        as_of = self._as_of
        async with ledger_errors():
            registered = await is_registered(self._pool, board)
        if registered and as_of is self._as_of is self._catalogue.boards:
            self._registered.add(board)  # otherwise it may be of a board that was deleted meanwhile
        return registered

    async def boards_of(self, user_id: str, matrix: BoardMatrix) -> tuple[BoardKey, ...]:
        """Return the boards on which the user belongs now, or would belong if he is a shadow user.

        USER_NOT_FOUND, LEDGER_UNAVAILABLE.
        """
        member = await self._member(user_id)
        async with ledger_errors():
            scored = await scores.of_user(self._pool, user_id)
        return (*boards_of(_shown(member), matrix), *(scorer.board for scorer in scored))

    async def shadows(self, user_ids: Sequence[str], past: BoardKey | None = None) -> Collection[str]:
        """Return who of these is a shadow user, or was one when the board `past` was frozen. LEDGER_UNAVAILABLE."""
        if not user_ids:
            return ()
        async with ledger_errors():
            then = await past_shadows(self._pool, past, user_ids) if past else ()
            return {*await shadows_among(self._pool, user_ids), *(each.user_id for each in then)}

    async def shadow_on(self, board: Board, user_id: str, matrix: BoardMatrix) -> Unlisted | None:
        """Return what a shadow user would have on the board; None for everybody else. USER_NOT_FOUND.

        On a frozen board that is who was one when it was frozen.
        """
        member = await self._member(user_id)
        own = await self._unlisted_now(board, member, matrix)
        return own or await self._unlisted_then(board, user_id)

    async def _unlisted_now(self, board: Board, member: Member, matrix: BoardMatrix) -> Unlisted | None:
        if member.membership.visibility is not Visibility.SHADOW:
            return None
        if is_score_board(board.key.scope):
            return await self._unlisted_score(board, member.user_id)
        score, reached = member.totals.get(board.key.period_id, (0, 0))
        if score <= 0 or board.key not in boards_of(_shown(member), matrix):
            return None
        return Unlisted(member.user_id, Pair(score), reached)

    async def _unlisted_score(self, board: Board, user_id: str) -> Unlisted | None:
        async with ledger_errors():
            for scorer in await scores.of_user(self._pool, user_id):
                if scorer.board == board.key and scorer.visibility is Visibility.SHADOW:
                    return Unlisted(user_id, scorer.score.pair, scorer.score.reached)
        return None

    async def _unlisted_then(self, board: Board, user_id: str) -> Unlisted | None:
        if not self._may_be_frozen(board):
            return None
        async with ledger_errors():
            return next(iter(await past_shadows(self._pool, board.key, [user_id])), None)

    def _may_be_frozen(self, board: Board) -> bool:
        """Return whether the board may be over: one without an end is once it was given resets."""
        if board.period.ends_at is not None:
            return True
        config = self._catalogue.score_board(board.key.scope)
        return config is not None and bool(config.reset_cron)

    async def _member(self, user_id: str) -> Member:
        async with ledger_errors():
            member = await read_member(self._pool, user_id)
        if member is None:
            raise user_not_found(user_id)
        return member


def _shown(member: Member) -> Member:
    """Return a shadow user as he sees himself; all others as they are."""
    return member._replace(membership=member.membership.as_seen_by_himself)
