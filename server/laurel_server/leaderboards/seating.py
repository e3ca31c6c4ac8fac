"""Placing on boards that need more than points: score boards, and points boards with another tie policy.

One script call a board, so that each finds its keys in one slot; the calls of one `seat` go out together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from laurel_server.domain.boards import BoardKey, BoardMatrix, Traits
from laurel_server.domain.ledger import BoardRank
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.reading import sorted_score
from laurel_server.leaderboards.split import SplitBoard, Standing
from laurel_server.redis.connection import RedisConnection
from laurel_server.redis.keys import BOARD_CHANGES, all_keys, signal_of, slot_names, slot_of, tie, width_of
from laurel_server.redis.scripts import script

SEATS_AT_ONCE = 200
"""Users in one script call, which holds Redis for about 20 us each."""

LOOK_ONLY: Final = -1
"""As version of a seat: older than what any board knows, so that only the rank is told."""

_LEFT_ALONE: Final = -1
"""What `place.lua` says of a board that a fill left alone."""

_UNASKED: tuple[bool, int, dict[str, Standing]] = (True, 0, {})

_encode = msgspec.msgpack.Encoder().encode


class Seat(NamedTuple):
    """Where one user belongs on one board, as `place.lua` takes it.

    `score` is as boards sort it, `entry` is sub-score, tie and version as text, `metadata` JSON or "".
    """

    user_id: str
    version: int
    score: str
    entry: str
    metadata: str = ""


@dataclass(slots=True)
class Seating:
    """What changes on one board: who is put on it, and who is taken off as of a version."""

    traits: Traits
    on: list[Seat] = field(default_factory=list)
    off: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class Seated:
    """Ranks after a seating, of those put on and of those taken off.

    `incomplete` are boards that are being rebuilt: the ranks on them mean nothing. `lost` are those on which the claim
    of a fill does not hold any more.
    """

    incomplete: set[BoardKey] = field(default_factory=set)
    lost: set[BoardKey] = field(default_factory=set)
    ranks: list[tuple[str, BoardRank]] = field(default_factory=list)
    left: list[tuple[str, BoardRank]] = field(default_factory=list)

    def add(self, other: "Seated") -> None:
        """Add what was seated on another board."""
        self.incomplete |= other.incomplete
        self.lost |= other.lost
        self.ranks += other.ranks
        self.left += other.left


async def seat(
    redis: RedisConnection,
    seatings: Mapping[BoardKey, Seating],
    created: Collection[BoardKey] = (),
    *,
    ranked: bool,
    tell: bool,
    filling: Callable[[BoardKey], bool] = lambda _: False,
    claim: str = "",
) -> Seated:
    """Put users on boards and take others off. `created` are boards that the ledger has just registered.

    Boards that are `filling` for the first time have no ranks yet, and the others need not wait for them.

    `ranked`: ask for ranks. `tell`: watchers learn of it. `claim`: that of a fill, which leaves alone boards that were
    lost or that another has claimed since. RedisUnavailable.
    """
    run = partial(_seat, redis, ranked=ranked, tell=tell, claim=claim)
    split = {board: seating for board, seating in seatings.items() if seating.traits.slots > 1}
    calls = [
        (board, part) for board, seating in seatings.items() if board not in split for part in _parts(seating)
    ]
    seats = (_seat_split(redis, run, *each, created, ranked=ranked) for each in split.items())
    over_slots, replies = await asyncio.gather(
        asyncio.gather(*seats),
        asyncio.gather(*(run(board, part, int(board in created)) for board, part in calls)),
    )
    seated = Seated()
    for (board, part), reply in zip(calls, replies, strict=True):
        if not filling(board):
            seated.add(_read(board, part, reply))
    for board, result in zip(split, over_slots, strict=True):
        if not filling(board):
            seated.add(result)
    return seated


def _read(board: BoardKey, seating: Seating, reply: Sequence[Any]) -> Seated:
    whole, total, old, new, stood = reply
    seated = Seated()
    if whole == _LEFT_ALONE:
        seated.lost.add(board)
    if seating.on and not whole:
        seated.incomplete.add(board)
    for each, before, now in zip(seating.on, old, new, strict=False):  # empty if not ranked
        score = sorted_score(seating.traits, int(each.score))
        seated.ranks.append((each.user_id, BoardRank(board, now, before, score, total)))
    for (user_id, _), before in zip(seating.off, stood, strict=False):
        seated.left.append((user_id, BoardRank(board, 0, before, 0, total)))
    return seated


async def _seat_split(
    redis: RedisConnection,
    run: Callable[..., Awaitable[Sequence[Any]]],
    board: BoardKey,
    seating: Seating,
    created: Collection[BoardKey],
    *,
    ranked: bool,
) -> Seated:
    """Do the same on a board over several slots: one call each, ranks by reads before and after."""
    whole = SplitBoard(redis, board, seating.traits)
    users = [*(each.user_id for each in seating.on), *(user_id for user_id, _ in seating.off)]
    _, _, before = await whole.standings(users) if ranked else _UNASKED
    new = int(board in created)
    slots = _slots(seating, every=bool(new))
    replies = await asyncio.gather(
        *(
            run(board, part, new, ranked=False, slot=slot)
            for slot, seats in slots.items()
            for part in _parts(seats)
        )
    )
    complete, total, after = await whole.standings(users) if ranked else _UNASKED
    if not ranked:
        return Seated(lost={board} if any(reply[0] == _LEFT_ALONE for reply in replies) else set())

    def rank(user_id: str, score: int) -> BoardRank:
        now, was = after.get(user_id), before.get(user_id)
        told = sorted_score(seating.traits, score)
        return BoardRank(board, now.rank if now else 0, was.rank if was else 0, told, total)

    return Seated(
        {board} if seating.on and not complete else set(),
        ranks=[(each.user_id, rank(each.user_id, int(each.score))) for each in seating.on],
        left=[(user_id, rank(user_id, 0)) for user_id, _ in seating.off],
    )


def _slots(seating: Seating, *, every: bool) -> dict[int, Seating]:
    """Return the seatings by slot; `every` slot is named, or those alone in which something changes."""
    count = seating.traits.slots
    slots = {slot: Seating(seating.traits) for slot in range(count)}
    for each in seating.on:
        slots[slot_of(each.user_id, count)].on.append(each)
    for user_id, version in seating.off:
        slots[slot_of(user_id, count)].off.append((user_id, version))
    return {slot: seats for slot, seats in slots.items() if every or seats.on or seats.off}


async def _seat(
    redis: RedisConnection,
    board: BoardKey,
    seating: Seating,
    created: int,
    *,
    ranked: bool,
    tell: bool,
    claim: str,
    slot: int = 0,
) -> Sequence[Any]:
    traits = seating.traits
    body = (str(int(traits.tie_policy)), width_of(traits), created, seating.on, seating.off)
    channel, signal = (BOARD_CHANGES, signal_of([board])) if tell else ("", "")
    results: Sequence[Sequence[Any]] = await script("place").run(
        redis,
        all_keys(board, slot_names(traits.slots)[slot]),
        _encode(([body], int(ranked), claim)),
        channel,
        signal,
    )
    return results[0]


def _parts(seating: Seating) -> Iterator[Seating]:
    """Yield the seating in parts that hold Redis for a moment only; who leaves goes first."""
    yield Seating(seating.traits, seating.on[:SEATS_AT_ONCE], seating.off)
    for start in range(SEATS_AT_ONCE, len(seating.on), SEATS_AT_ONCE):
        yield Seating(seating.traits, seating.on[start : start + SEATS_AT_ONCE])


def seatings_of(placements: Sequence[Placement], matrix: BoardMatrix) -> dict[BoardKey, Seating]:
    """Return what placements do to those of their boards that are not plain."""
    seatings: dict[BoardKey, Seating] = {}
    for placement in placements:
        for board in (*placement.boards, *placement.left):
            traits = matrix.traits_of(board)
            if traits.is_plain:
                continue
            seating = seatings.setdefault(board, Seating(traits))
            score, reached = placement.totals.get(board.period_id, (0, 0))
            if board in placement.left or score <= 0:
                seating.off.append((placement.user_id, placement.version))
            else:
                entry = f"{tie(reached)}{placement.version}"
                seating.on.append(Seat(placement.user_id, placement.version, str(score), entry))
    return seatings


def without_special(placements: Sequence[Placement], matrix: BoardMatrix) -> list[Placement]:
    """Return the placements with their plain boards alone."""
    return [
        placement._replace(
            boards=tuple(board for board in placement.boards if matrix.traits_of(board).is_plain),
            left=tuple(board for board in placement.left if matrix.traits_of(board).is_plain),
        )
        for placement in placements
    ]
