"""Boards that are split over several slots: each slot keeps those users whose ids fall to it, and ranks are summed up.

A split board orders and tells the same as one in one piece, member by member: how many are ahead of a place is the sum
over the slots. What is one script call for a board in one piece is two or three here, so that reads made while scores
change may count a user who moves between them before or after his move; the metadata of scores are one more. Boards
under DENSE, whose rank is no sum, stay in one piece.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from math import isqrt
from typing import Any, Final, NamedTuple

from laurel_server.domain.boards import BoardKey, TiePolicy, Traits
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.keys import TIE_LENGTH, board_keys, extra_keys, slot_names, slot_of, width_of
from laurel_server.redis.scripts import script

LAST_OF_EQUALS: Final = ""
FIRST_OF_EQUALS: Final = "\xff"
"""Places before and behind all members of a score."""

GATHERED: Final = 64
"""Lines a slot that are looked at one by one once a line was narrowed down to them."""

_WITHOUT_METADATA: Final = 0


class Line(NamedTuple):
    """A line as a slot has it; the greatest is listed first."""

    score: int
    member: str


class Standing(NamedTuple):
    """A user's rank and line."""

    rank: int
    line: Line


class SplitBoard:
    """One split board instance in Redis. All raise RedisUnavailable."""

    def __init__(self, redis: RedisConnection, board: BoardKey, traits: Traits) -> None:
        self._redis = redis
        self._traits = traits
        self._width = width_of(traits)
        self._places = (int(TiePolicy.EARLIEST_FIRST), self._width)
        """How slots are asked: for places, of which ranks are made here."""
        self._keys = [board_keys(board, slot)[:2] for slot in slot_names(traits.slots)]
        self._metadata_keys = [extra_keys(board, slot).metadata for slot in slot_names(traits.slots)]

    async def ask(self, name: str, args: Sequence[str | int]) -> Sequence[Any]:
        """Return what the script of that name, called with these further arguments, says of a board in one piece."""
        if name == "page":
            return await self._page(args)
        if name == "places":
            complete, total, found = await self.standings([str(user) for user in args[1:]])
            ranks, lines = [each.rank for each in found.values()], [each.line for each in found.values()]
            return [int(complete), total, ranks, _flat(lines), await self._metadata(lines)]
        if name == "ranks":
            complete, total, found = await self.standings([str(user) for user in args])
            standings = [found.get(str(user), _NOBODY) for user in args]
            return [
                int(complete),
                total,
                [each.rank for each in standings],
                [each.line.score for each in standings],
            ]
        return await self._surrounding(args)

    async def standings(self, user_ids: Sequence[str]) -> tuple[bool, int, dict[str, Standing]]:
        """Return whether nothing is lost, how many members there are, and where those users stand who are on it."""
        by_slot = shares(user_ids, self._traits.slots)
        replies = await asyncio.gather(
            *(
                self._run("places", slot, *self._places, _WITHOUT_METADATA, *users)
                for slot, users in by_slot.items()
            )
        )
        found = {self._user(line): line for reply in replies for line in _lines_of(reply[3])}
        complete, total, ranks = await self.ranks(found.values())
        standings = {user: Standing(rank, found[user]) for user, rank in zip(found, ranks, strict=True)}
        return complete and all(reply[0] for reply in replies), total, standings

    async def ranks(self, lines: Iterable[Line]) -> tuple[bool, int, list[int]]:
        """Return whether nothing is lost, how many members there are, and the ranks of lines."""
        places = [self._rank_place(line) for line in lines]
        complete, total, ahead = await self._ahead(places)
        return complete, total, [1 + sum(counts) for counts in ahead]

    def _rank_place(self, line: Line) -> Line:
        if self._traits.tie_policy is TiePolicy.EARLIEST_FIRST:
            return line
        return line._replace(member=line.member[: self._width] + FIRST_OF_EQUALS)

    def _user(self, line: Line) -> str:
        return line.member[self._width + TIE_LENGTH :]

    def _others(self, lines: Iterable[Line], user_id: str) -> list[Line]:
        return [line for line in lines if self._user(line) != user_id]

    async def _metadata(self, lines: Sequence[Line]) -> list[Any]:
        """Return what is stored with the scores of lines, in their order; nothing where there are none."""
        if not self._traits.has_scores:
            return []
        by_slot = shares(map(self._user, lines), self._traits.slots)
        replies = await asyncio.gather(
            *(self._redis.call("HMGET", self._metadata_keys[slot], *users) for slot, users in by_slot.items())
        )
        stored = {
            user_id: metadata
            for users, reply in zip(by_slot.values(), replies, strict=True)
            for user_id, metadata in zip(users, reply, strict=True)
        }
        return [stored[self._user(line)] for line in lines]

    async def _ahead(self, places: Sequence[Line]) -> tuple[bool, int, list[Sequence[int]]]:
        """Return for each place how many members each slot lists before it."""
        flat = [part for place in places for part in place]
        replies = await asyncio.gather(*(self._run("ahead", slot, *flat) for slot in range(len(self._keys))))
        counts: list[Sequence[int]] = [*zip(*(reply[2] for reply in replies), strict=True)] if places else []
        return all(reply[0] for reply in replies), sum(reply[1] for reply in replies), counts

    async def _page(self, args: Sequence[str | int]) -> Sequence[Any]:
        replies = await asyncio.gather(
            *(
                self._run("page", slot, *self._places, *args[:-1], _WITHOUT_METADATA)
                for slot in range(len(self._keys))
            )
        )
        complete, total = all(reply[0] for reply in replies), sum(reply[1] for reply in replies)
        bounds = [sum(reply[2][side] for reply in replies) for side in (0, 1)]
        lines = _merged(reply[4] for reply in replies)[: int(args[4])]
        rank = bounds[0] + 1 if lines else 0
        if lines and self._traits.tie_policy is not TiePolicy.EARLIEST_FIRST:
            _, _, (rank,) = await self.ranks(lines[:1])
        return [int(complete), total, bounds, rank, _flat(lines), await self._metadata(lines)]

    async def _surrounding(self, args: Sequence[str | int]) -> Sequence[Any]:
        user_id, range_, score, member = str(args[1]), int(args[2]), str(args[3]), str(args[4])
        complete, total, found = await self.standings([user_id])
        listed = user_id in found
        if not listed and not member:
            return [int(complete), total, -1, 0, 0, [], [], [], [], 0]
        own = found[user_id].line if listed else Line(int(score), member)
        near = await asyncio.gather(
            *(self._run("near", slot, *own, range_ + 1) for slot in range(len(self._keys)))
        )
        position = sum(reply[2] for reply in near)
        before, after = (_merged(reply[side] for reply in near) for side in (3, 4))
        if listed:  # with the line that he had: he may have moved, or left, since it was read
            before, after = self._others(before, user_id), [own, *self._others(after, user_id)]
        above = before[len(before) - min(range_, len(before)) :]
        lines = above + after[: range_ + listed]
        first = position - len(above)
        _, _, ranks = await self.ranks([own, *lines[:1]])
        rank, first_rank = ranks[0], ranks[-1]
        milestone = max((each for each in map(int, str(args[5]).split()) if each < rank), default=0)
        following, best = await asyncio.gather(self._holder(rank - 1), self._holder(milestone))
        whole = all(reply[0] for reply in near)
        return [
            int(complete and whole),
            total,
            position,
            first,
            first_rank,
            _flat(lines),
            following,
            best,
            await self._metadata(lines),
            rank,
        ]

    async def _holder(self, rank: int) -> Sequence[Any]:
        """Return { rank, member, score } of who must be reached for this rank or a better one; empty if nobody."""
        if rank < 1:
            return []
        line = await self.line_at(rank - 1)
        if line is None:
            return []
        _, _, (held,) = await self.ranks([line])
        return [held, line.member, line.score]

    async def line_at(self, position: int) -> Line | None:
        """Return the line at a position from 0; None if there is none.

        Narrows down: users fall to slots by hash, so that a slot's own share of the position is a good guess. Three or
        four rounds for ten million members.
        """
        _, _, (ends,) = await self._ahead([Line(-(1 << 62), LAST_OF_EQUALS)])
        low, high = [0] * len(self._keys), list(ends)
        while sum(high) - sum(low) > GATHERED * len(self._keys):
            slot = max(range(len(low)), key=lambda each: high[each] - low[each])
            lines = await self._guess(slot, low, high, position)
            _, _, ahead = await self._ahead([line for _, line in lines])
            for (index, line), counts in zip(lines, ahead, strict=True):
                if sum(counts) == position:
                    return line
                if sum(counts) < position:
                    low = list(map(max, low, counts))
                    low[slot] = max(low[slot], index + 1)
                else:
                    high = list(map(min, high, counts))
                    high[slot] = min(high[slot], index)
            if not lines:
                break
        candidates = _merged(await asyncio.gather(*map(self._lines, range(len(low)), low, high)))
        at = position - sum(low)
        return candidates[at] if 0 <= at < len(candidates) else None

    async def _guess(
        self, slot: int, low: Sequence[int], high: Sequence[int], position: int
    ) -> list[tuple[int, Line]]:
        """Return two lines of a slot between which the position most probably lies, with their places in the slot."""
        width = high[slot] - low[slot]
        left, all_ = position - sum(low), sum(high) - sum(low)
        middle, spread = low[slot] + width * left // all_, 2 * isqrt(width) + 1
        around = {middle - spread, middle + spread}
        indexes = sorted({min(max(index, low[slot]), high[slot] - 1) for index in around})
        found = await asyncio.gather(*(self._lines(slot, index, index + 1) for index in indexes))
        return [(index, _lines_of(flat)[0]) for index, flat in zip(indexes, found, strict=True) if flat]

    async def _lines(self, slot: int, first: int, end: int) -> Sequence[str]:
        if first >= end:
            return ()
        flat = await self._redis.call("ZREVRANGE", self._keys[slot][0], first, end - 1, "WITHSCORES")
        return [text.decode() for text in flat]

    async def _run(self, name: str, slot: int, *args: str | bytes | int) -> Any:  # noqa: ANN401 - a script's reply
        return await script(name).run(self._redis, self._keys[slot], *args)


_NOBODY: Final = Standing(0, Line(0, ""))


def shares(user_ids: Iterable[str], slots: int) -> Mapping[int, list[str]]:
    """Return which users fall to which slot."""
    by_slot: dict[int, list[str]] = {}
    for user_id in user_ids:
        by_slot.setdefault(slot_of(user_id, slots), []).append(user_id)
    return by_slot


def _lines_of(flat: Sequence[str]) -> list[Line]:
    return [Line(int(score), member) for member, score in zip(flat[::2], flat[1::2], strict=True)]


def _merged(parts: Iterable[Sequence[str]]) -> list[Line]:
    """Return the lines of all slots, best first."""
    return sorted(chain.from_iterable(map(_lines_of, parts)), reverse=True)


def _flat(lines: Iterable[Line]) -> list[Any]:
    return list(chain.from_iterable((line.member, line.score) for line in lines))
