"""All reads of boards. Each costs one round trip to Redis, and none to the ledger unless a profile is not in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo

from msgspec.structs import replace

from laurel_server.domain.board_configs import board_not_found
from laurel_server.domain.boards import BoardKey, ScopeKind, is_score_board, parse_scope
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.periods import Period, PeriodType, parse_period_id, period_at
from laurel_server.domain.ranks import Pair, points_needed, ranks_in_list
from laurel_server.domain.resets import named_reset_period, reset_period
from laurel_server.domain.views import (
    ANY_SCORE,
    Board,
    Line,
    OwnRanks,
    Page,
    Place,
    ScoreRange,
    Surrounding,
    Target,
    Unlisted,
)
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.profile_cache import NOBODY, Face, ProfileCache
from laurel_server.leaderboards.reading import Around, BoardScripts, Found, Holder, Listed, Ranks, Stretch
from laurel_server.leaderboards.registry import BoardRegistry

PLACES_AT_ONCE = 1000
"""Users in one script call, which holds Redis for about 3 ms. The ranks of one BatchGetRanks are so of one moment."""


class BoardQueries:
    """Reads boards."""

    def __init__(
        self,
        scripts: BoardScripts,
        registry: BoardRegistry,
        profiles: ProfileCache,
        clock: Clock,
        catalogue: Catalogue,
        zone: tzinfo,
        refresh: Callable[[], Awaitable[object]],
    ) -> None:
        """`refresh` has the catalogue follow the ledger at once."""
        self._scripts = scripts
        self._registry = registry
        self._profiles = profiles
        self._clock = clock
        self._catalogue = catalogue
        self._zone = zone
        self._refresh = refresh

    @property
    def configuration(self) -> object:
        """Another object once other boards are configured, or any other rules."""
        return self._catalogue.boards

    async def find(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        """Return what `resolve` does, also of a board that another server has just created."""
        try:
            board = self.resolve(scope, period_type, period_id)
            if not self._catalogue.is_filling(board.key):
                return board
        except LaurelError as error:
            if error.reason is not Reason.BOARD_NOT_FOUND:
                raise
        await self._refresh()
        return self.resolve(scope, period_type, period_id)

    def resolve(self, scope: str, period_type: PeriodType | None, period_id: str) -> Board:
        """Return the board instance that is meant now: empty scope is global, no period all-time, empty id the current.

        INVALID_FIELD, BOARD_NOT_FOUND outside the matrix, PERIOD_NOT_FOUND in the future.
        """
        parsed = parse_scope(scope)
        if parsed.kind is ScopeKind.BOARD:
            return self._score_board(parsed.text, period_id)
        named = parse_period_id(period_id, self._zone, period_type) if period_id else None
        wanted = named.type if named else period_type or PeriodType.ALL_TIME
        family = self._catalogue.matrix.family_of(parsed.text, wanted)
        if family is None:
            raise LaurelError(
                Reason.BOARD_NOT_FOUND,
                f"there is no board {parsed.text} over {wanted.name.lower()}",
                metadata={"board": f"{parsed.text} {wanted.name}"},
            )
        period = named or period_at(wanted, self._clock.now(), self._zone)
        self._refuse_future(period)
        return Board(BoardKey(parsed.text, period.id), period, family.traits)

    def _score_board(self, board_id: str, period_id: str) -> Board:
        config = self._catalogue.score_board(board_id)
        if config is None:
            raise board_not_found(board_id)
        if period_id:
            period = named_reset_period(config.reset_cron, period_id, self._zone)
        else:
            period = reset_period(config.reset_cron, self._clock.now(), self._zone)
        self._refuse_future(period)
        return Board(BoardKey(board_id, period.id), period, config.traits)

    def _refuse_future(self, period: Period) -> None:
        if period.starts_at is not None and period.starts_at > self._clock.now():
            raise LaurelError(
                Reason.PERIOD_NOT_FOUND,
                f"the period {period.id} has not begun",
                metadata={"period_id": period.id},
            )

    async def page(self, board: Board, after: str, limit: int, scores: ScoreRange = ANY_SCORE) -> Page:
        """Return `limit` lines with these scores, behind the mark `after` or from the best on, with profiles.

        A mark is a place in the order of the board, not a number of lines: whoever keeps his score and stands behind
        it is listed exactly once, however others move meanwhile. PAGE_TOKEN_INVALID, BOARDS_REBUILDING.
        """
        stretch = await self._scripts.stretch(board, limit, after=after, scores=scores)
        return Page(
            board,
            await self._with_profiles(board, stretch),
            stretch.total,
            self._clock.now(),
            [line.mark for line in stretch.lines],
            stretch.position + len(stretch.lines) < stretch.end,
        )

    async def count(self, board: Board, scores: ScoreRange) -> int:
        """Return how many users have these scores. O(log N). BOARDS_REBUILDING."""
        stretch = await self._scripts.stretch(board, 0, scores=scores)
        return max(0, stretch.end - stretch.position)

    async def place(self, board: Board, user_id: str) -> Place:
        """Return where a user stands. USER_NOT_FOUND, NOT_ON_BOARD, BOARDS_REBUILDING."""
        total, found = await self._scripts.places(board, [user_id])
        if found:
            rank, line = found[0]
            return Place(board, user_id, rank, line.score, total)
        own = await self._own_place(board, user_id)
        if own is None:
            raise _not_on(board, user_id)
        return own

    async def places(self, board: Board, user_ids: Sequence[str]) -> tuple[Sequence[Line], Sequence[str]]:
        """Return the lines of those on the board, best first, and the ids of the others in given order."""
        asked = list(dict.fromkeys(user_ids))
        _, found = await self._places(board, asked)
        faces = await self._profiles.faces(found)
        lines = [
            _line(each.rank, each.line, faces.get(user_id, NOBODY))
            for user_id, each in sorted(found.items(), key=lambda item: _order(item[1]))
        ]
        return lines, [user_id for user_id in asked if user_id not in found]

    async def all_places(self, user_id: str) -> Sequence[Place]:
        """Return the user's place on every current board that lists him, as he sees himself. USER_NOT_FOUND."""
        keys = await self._registry.boards_of(user_id, self._catalogue.matrix)
        now = self._clock.now()
        boards = [board for key in keys if (board := self._present(key)) and board.period.contains(now)]
        replies = await asyncio.gather(*(self._scripts.places(board, [user_id]) for board in boards))
        places = {
            board.key: Place(board, user_id, found[0].rank, found[0].line.score, total)
            for board, (total, found) in zip(boards, replies, strict=True)
            if found
        }
        absent = [board for board in boards if board.key not in places]
        if absent and await self._registry.shadows([user_id]):
            own = await asyncio.gather(*(self._own_place(board, user_id) for board in absent))
            places.update({place.board.key: place for place in own if place})
        return [places[board.key] for board in boards if board.key in places]

    def points_board(self, key: BoardKey) -> Board:
        """Return an instance of a points board by its key."""
        return Board(key, parse_period_id(key.period_id, self._zone), self._catalogue.traits_of(key))

    def _present(self, key: BoardKey) -> Board | None:
        """Return an instance by its key; None if its board was deleted meanwhile, or has been reset since then."""
        if not is_score_board(key.scope):
            return self.points_board(key)
        config = self._catalogue.score_board(key.scope)
        if config is None:
            return None
        current = reset_period(config.reset_cron, self._clock.now(), self._zone)
        return Board(key, current, config.traits) if current.id == key.period_id else None

    async def surrounding(self, board: Board, user_id: str, range_: int) -> Surrounding:
        """Return the user's line with `range_` lines on both sides, clipped at the edges of the board.

        USER_NOT_FOUND, NOT_ON_BOARD, BOARDS_REBUILDING.
        """
        own = None
        around = await self._scripts.around(board, user_id, range_)
        if around.position is None:
            own = await self._unlisted(board, user_id)
            around = await self._scripts.around(board, user_id, range_, own)
        lines = await self._with_profiles(board, _with_own(around, own))
        mine = next(line for line in lines if line.user_id == user_id)
        return Surrounding(
            Place(board, user_id, mine.rank, mine.score, around.total + (own is not None)),
            lines,
            _target(board, mine, around.following),
            _target(board, mine, around.milestone),
        )

    async def ranks_of(self, board: Board, user_ids: Sequence[str]) -> tuple[int, dict[str, tuple[int, int]]]:
        """Return how many users the board lists, and rank and score of those asked for who are on it."""
        total, ranks, scores = await self.ranks(board, user_ids)
        found = zip(user_ids, ranks, scores, strict=True)
        return total, {user_id: (rank, score) for user_id, rank, score in found if rank}

    async def ranks(self, board: Board, user_ids: Sequence[str]) -> Ranks:
        """Return how many users the board lists, and ranks and scores of those asked for, in their order."""
        parts = await asyncio.gather(
            *(self._scripts.ranks(board, chunk) for chunk in _chunks(user_ids, PLACES_AT_ONCE))
        )
        if len(parts) == 1:
            return parts[0]
        return Ranks(
            parts[0].total if parts else 0,
            [rank for part in parts for rank in part.ranks],
            [score for part in parts for score in part.scores],
        )

    async def own_ranks(self, board: Board, user_ids: Sequence[str]) -> OwnRanks:
        """Return rank and score of users as they see themselves: of a shadow user those that he would have.

        The board may have been found a while ago.
        """
        board = self._as_it_ranks_now(board)
        total, listed = await self.ranks_of(board, user_ids)
        past = board.key if self._is_over(board) else None
        shadows = await self._registry.shadows([each for each in user_ids if each not in listed], past)
        own = await asyncio.gather(*(self._own_place(board, user_id) for user_id in shadows))
        unlisted = {place.user_id: (place.rank, place.score) for place in own if place}
        return OwnRanks(total, listed | unlisted, shadows)

    def _is_over(self, board: Board) -> bool:
        """Return whether another instance runs now: of a score board the one that its present resets name."""
        now = self._clock.now()
        config = self._catalogue.score_board(board.key.scope)
        if config is None:
            return not board.period.contains(now)
        return reset_period(config.reset_cron, now, self._zone).id != board.key.period_id

    async def top(self, board: Board, n: int) -> Page:
        """Return the best `n` lines with profiles; the board may have been found a while ago. BOARDS_REBUILDING."""
        return await self.page(self._as_it_ranks_now(board), "", n)

    def _as_it_ranks_now(self, board: Board) -> Board:
        return replace(board, traits=self._catalogue.traits_of(board.key))

    async def is_known(self, user_id: str) -> bool:
        """Return whether there is such a user. LEDGER_UNAVAILABLE."""
        return user_id in await self._profiles.faces([user_id])

    async def _places(self, board: Board, user_ids: Sequence[str]) -> tuple[int, dict[str, Found]]:
        replies = await asyncio.gather(
            *(self._scripts.places(board, chunk) for chunk in _chunks(user_ids, PLACES_AT_ONCE))
        )
        found = {each.line.user_id: each for _, chunk in replies for each in chunk}
        return replies[0][0] if replies else 0, found

    async def _with_profiles(self, board: Board, stretch: Stretch) -> tuple[Line, ...]:
        faces = await self._profiles.faces([line.user_id for line in stretch.lines])
        ranks = ranks_in_list(stretch.lines, stretch.position, stretch.rank, board.traits.tie_policy)
        each = zip(ranks, stretch.lines, strict=True)
        return tuple([_line(rank, line, faces.get(line.user_id, NOBODY)) for rank, line in each])

    async def _own_place(self, board: Board, user_id: str) -> Place | None:
        """Return where a shadow user would stand; None if he has nothing there, and of others. USER_NOT_FOUND."""
        own = await self._registry.shadow_on(board, user_id, self._catalogue.matrix)
        if own is None:
            return None
        around = await self._scripts.around(board, user_id, 0, own)
        return Place(board, user_id, around.rank, own.pair.score, around.total + 1)

    async def _unlisted(self, board: Board, user_id: str) -> Unlisted:
        """Return what a shadow user has here: only he is shown where he would stand. USER_NOT_FOUND, NOT_ON_BOARD."""
        own = await self._registry.shadow_on(board, user_id, self._catalogue.matrix)
        if own is None:
            raise _not_on(board, user_id)
        return own


def _line(rank: int, line: Listed, face: Face) -> Line:
    return Line(rank, line.user_id, line.score, line.sub_score, *face, line.metadata)


def _order(found: Found) -> tuple[int, ...]:
    """Return what sorts lines as their board lists them: by rank, and equals earliest first."""
    return (found.rank, *(-character for character in found.line.member.encode()))


def _not_on(board: Board, user_id: str) -> LaurelError:
    return LaurelError(
        Reason.NOT_ON_BOARD,
        f"{user_id} is not on this board",
        metadata={"user_id": user_id, "board": f"{board.key.scope} {board.key.period_id}"},
    )


def _with_own(around: Around, own: Unlisted | None) -> Stretch:
    """Return the lines around with that of a user who is not listed put in where he would stand."""
    stretch = around.stretch
    if own is None or around.position is None:
        return stretch
    at = around.position - stretch.position
    mine = Listed(own.user_id, *own.pair, 0, "")
    lines = [*stretch.lines[:at], mine, *stretch.lines[at:]]
    return stretch._replace(lines=lines, rank=stretch.rank if at else around.rank)


def _target(board: Board, mine: Line, holder: Holder | None) -> Target | None:
    if holder is None:
        return None
    own, traits = Pair(mine.score, mine.sub_score), board.traits
    return Target(holder.rank, points_needed(own, holder.pair, traits.tie_policy, traits.sort_order))


def _chunks(user_ids: Sequence[str], size: int) -> list[Sequence[str]]:
    return [user_ids[start : start + size] for start in range(0, len(user_ids), size)]
