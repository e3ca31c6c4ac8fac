"""The reading scripts, called and understood. Each costs one round trip to Redis."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import orjson
from msgspec import Struct

from laurel_server.domain.boards import BoardKey, SortOrder, Traits
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.ranks import MILESTONES, Pair
from laurel_server.domain.views import ANY_SCORE, Board, ScoreRange, Unlisted
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.leaderboards.registry import BoardRegistry
from laurel_server.leaderboards.split import SplitBoard
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.errors import RedisUnavailable
from laurel_server.redis.keys import (
    SUB_SCORE_LENGTH,
    TIE_LENGTH,
    board_keys,
    extra_keys,
    slot_names,
    sub_score_in,
    sub_score_text,
    tie,
    width_of,
)
from laurel_server.redis.scripts import script

NEW_BOARD_SECONDS = 0.05
"""The award that registers a board writes its marker some milliseconds after COMMIT; a read between waits for it."""

_MILESTONES: Final = " ".join(map(str, MILESTONES))

_MARK = re.compile(r"(-?[0-9]{1,17}):([\x21-\x7e]{1,90})")

Metadata = tuple[tuple[str, str], ...]


class Listed(Struct, frozen=True, gc=False):
    """One line as a board has it: `sorted_score` and `member` are what the board orders it by."""

    user_id: str
    score: int
    sub_score: int
    sorted_score: int
    member: str
    metadata: Metadata = ()

    @property
    def pair(self) -> Pair:
        """Score and sub-score."""
        return Pair(self.score, self.sub_score)

    @property
    def mark(self) -> str:
        """The name of its place in the order of the board."""
        return f"{self.sorted_score}:{self.member}"


class Stretch(NamedTuple):
    """Lines that stand next to each other; `position` of the first from 0, `end` behind the last one in range."""

    total: int
    position: int
    end: int
    rank: int
    lines: Sequence[Listed]


class Found(NamedTuple):
    """Where one user stands."""

    rank: int
    line: Listed


class Ranks(NamedTuple):
    """How many users a board lists, and where some stand, in the order in which they were given; rank 0: not on it."""

    total: int
    ranks: Sequence[int]
    scores: Sequence[int]


class Holder(NamedTuple):
    """A better rank, and the score that it takes."""

    rank: int
    pair: Pair


class Around(NamedTuple):
    """Where one user stands and the listed lines around; `position` is None if there is no place for him."""

    total: int
    position: int | None
    rank: int
    stretch: Stretch
    following: Holder | None
    milestone: Holder | None


class BoardScripts:
    """Reads boards as Redis has them; `damaged` is called when one is found to be lost.

    `bring_back` fills a board that is archived, and says whether it is; None: no board ever is.
    """

    def __init__(
        self,
        redis: RedisConnection,
        registry: BoardRegistry,
        catalogue: Catalogue,
        damaged: Callable[[], None],
        bring_back: Callable[[BoardKey], Awaitable[bool]] | None = None,
    ) -> None:
        self._redis = redis
        self._catalogue = catalogue
        self._registry = registry
        self._damaged = damaged
        self._bring_back = bring_back

    async def stretch(
        self, board: Board, limit: int, *, after: str = "", scores: ScoreRange = ANY_SCORE
    ) -> Stretch:
        """Return up to `limit` lines with these scores, from the best or behind a mark on.

        PAGE_TOKEN_INVALID if `after` is no mark, BOARDS_REBUILDING.
        """
        lowest, highest = _bounds(board.traits, scores)
        reply = await self._run(
            "page", board, lowest, highest, *_place_of(after), limit, int(board.traits.has_scores)
        )
        position, end = reply[2]
        return Stretch(reply[1], position, end, reply[3], _lines(board.traits, reply[4], reply[5]))

    async def places(self, board: Board, user_ids: Sequence[str]) -> tuple[int, list[Found]]:
        """Return how many users the board lists, and those asked for who are on it. BOARDS_REBUILDING."""
        reply = await self._run("places", board, int(board.traits.has_scores), *user_ids)
        return reply[1], list(map(Found, reply[2], _lines(board.traits, reply[3], reply[4])))

    async def ranks(self, board: Board, user_ids: Sequence[str]) -> Ranks:
        """Return what `places` does, but only ranks and scores: a tenth of its cost for many users."""
        _, total, ranks, scores = await self._run("ranks", board, *user_ids)
        if board.traits.sort_order is not SortOrder.DESCENDING:
            scores = [sorted_score(board.traits, score) for score in scores]
        return Ranks(total, ranks, scores)

    async def around(self, board: Board, user_id: str, range_: int, own: Unlisted | None = None) -> Around:
        """Return a user's place with `range_` lines on both sides; with `own`, where one would stand who is not listed.

        BOARDS_REBUILDING.
        """
        traits = board.traits
        place = ("", "") if own is None else (str(sorted_score(traits, own.pair.score)), _member(traits, own))
        reply = await self._run(
            "surrounding", board, int(traits.has_scores), user_id, range_, *place, _MILESTONES
        )
        total, position, first, first_rank, flat, following, milestone, metadata, rank = reply[1:]
        lines = _lines(traits, flat, metadata)
        return Around(
            total,
            None if position < 0 else position,
            rank,
            Stretch(total, first, first + len(lines), first_rank, lines),
            _holder(traits, following),
            _holder(traits, milestone),
        )

    async def _run(self, name: str, board: Board, *args: str | int) -> Any:  # noqa: ANN401 - a script's reply
        """Run a reading script. A board that the ledger never put anybody on is empty, any other gap is a loss."""
        if self._catalogue.is_filling(board.key):
            raise rebuilding(board.key)
        reply = await self._ask(name, board, args)
        if reply[0] or not await self._registry.has(board.key):
            return reply
        await asyncio.sleep(NEW_BOARD_SECONDS)
        reply = await self._ask(name, board, args)
        if reply[0]:
            return reply
        if self._bring_back is None or not await self._bring_back(board.key):
            self._damaged()
            raise rebuilding(board.key)
        reply = await self._ask(name, board, args)
        if reply[0]:
            return reply
        raise rebuilding(board.key)

    async def _ask(self, name: str, board: Board, args: Sequence[str | int]) -> Any:  # noqa: ANN401 - a script's reply
        traits, plain = board.traits, board_keys(board.key)[:2]
        if traits.slots > 1:
            return await self._ask_split(name, board, args)
        keys = plain if traits.is_plain else (*plain, *extra_keys(board.key))
        try:
            return await script(name).run(self._redis, keys, int(traits.tie_policy), width_of(traits), *args)
        except RedisUnavailable as away:
            raise rebuilding(board.key) from away

    async def _ask_split(self, name: str, board: Board, args: Sequence[str | int]) -> Any:  # noqa: ANN401 - as `_ask`
        try:
            return await SplitBoard(self._redis, board.key, board.traits).ask(name, args)
        except RedisUnavailable as away:
            raise rebuilding(board.key) from away


def rebuilding(board: BoardKey) -> LaurelError:
    """Return the error for a board that cannot be read before it has been filled from the ledger."""
    return LaurelError(
        Reason.BOARDS_REBUILDING,
        "the board is being filled from the ledger",
        metadata={"board": f"{board.scope} {board.period_id}"},
        retry_after=timedelta(seconds=1),
    )


def sorted_score(traits: Traits, score: int) -> int:
    """Return the score as boards sort it, which list the greatest first; its own inverse."""
    return score if traits.sort_order is SortOrder.DESCENDING else -score


async def look(redis: RedisConnection, board: BoardKey, slots: int = 1) -> tuple[bool, int]:
    """Return whether nothing of a board is lost, and how many members it has. RedisUnavailable, RedisRefused."""
    every = (board_keys(board, slot)[:2] for slot in slot_names(slots))
    replies = await asyncio.gather(*(script("ahead").run(redis, keys) for keys in every))
    return all(reply[0] for reply in replies), sum(reply[1] for reply in replies)


def _bounds(traits: Traits, scores: ScoreRange) -> tuple[str | int, str | int]:
    lowest = "-inf" if scores.lowest is None else scores.lowest
    highest = "+inf" if scores.highest is None else scores.highest
    if traits.sort_order is SortOrder.DESCENDING:
        return lowest, highest
    return (
        "-inf" if scores.highest is None else -scores.highest,
        "+inf" if scores.lowest is None else -scores.lowest,
    )


def _place_of(mark: str) -> tuple[str, str]:
    if not mark:
        return "", ""
    match = _MARK.fullmatch(mark)
    if match is None:
        raise LaurelError(
            Reason.PAGE_TOKEN_INVALID, "the page token is not one of Laurel", field="page_token"
        )
    return match[1], match[2]


def _member(traits: Traits, own: Unlisted) -> str:
    sub_score = sub_score_text(sorted_score(traits, own.pair.sub_score)) if traits.has_scores else ""
    return f"{sub_score}{tie(own.reached)}{own.user_id}"


def _lines(traits: Traits, flat: Sequence[str], metadata: Sequence[str | None]) -> list[Listed]:
    members, scores = flat[::2], list(map(int, flat[1::2]))
    if traits.has_scores:
        return [_scored_line(traits, *each) for each in zip(members, scores, metadata, strict=True)]
    sign, each = sorted_score(traits, 1), zip(members, scores, strict=True)
    return [Listed(member[TIE_LENGTH:], sign * score, 0, score, member) for member, score in each]


def _scored_line(traits: Traits, member: str, score: int, metadata: str | None) -> Listed:
    return Listed(
        member[SUB_SCORE_LENGTH + TIE_LENGTH :],
        sorted_score(traits, score),
        _sub_score(traits, member),
        score,
        member,
        tuple(orjson.loads(metadata).items()) if metadata else (),
    )


def _sub_score(traits: Traits, member: str) -> int:
    return sorted_score(traits, sub_score_in(member[:SUB_SCORE_LENGTH])) if traits.has_scores else 0


def _holder(traits: Traits, reply: Sequence[Any]) -> Holder | None:
    if not reply:
        return None
    rank, member, score = reply
    return Holder(rank, Pair(sorted_score(traits, int(score)), _sub_score(traits, member)))
