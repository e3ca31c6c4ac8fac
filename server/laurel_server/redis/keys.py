"""The names of all keys.

The keys of one board instance have one hash tag, so that a script finds them in one slot.
"""

import binascii
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from laurel_server.domain.boards import GLOBAL, BoardKey, Traits, is_score_board
from laurel_server.domain.periods import ALL_TIME, period_type_of

MARKER: Final = "\0"
"""Field of the members hash that says "this board is complete". No user id contains NUL.

Its value is the board's floor: the version up to which it has all users there are, so that none is new to it.
"""

FILLING: Final = "\1"
"""Field of the members hash while somebody fills the board: one field too many, so that the board is not complete.

Its value is his claim, by which he knows whether he still does.
"""

CANARY: Final = "laurel:canary"
"""The last batch known to be on all boards. Missing or older than it was: Redis has lost something."""

BOARD_CHANGES: Final = "laurel:boards"
"""Channel on which changed boards are published: a line each, scope and period id with a tab between."""

PROFILE_CHANGES: Final = "laurel:profiles"
"""Channel on which ids of users with a changed profile are published."""

EVERY_BOARD: Final = "{leaderboard:*"
"""Pattern of the names of all keys of all boards."""

_REACHED_BITS = 48
_MAX_REACHED = (1 << _REACHED_BITS) - 1
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SORTED = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
_TO_SORTED = bytes.maketrans(_BASE64, _SORTED)
_FROM_SORTED = str.maketrans(_SORTED.decode(), _BASE64.decode())

TIE_LENGTH: Final = 8

SUB_SCORE_LENGTH: Final = 10
"""Characters before the tie on score boards: 60 bits, of which a sub-score of +/- 2^53 takes 55."""

_SUB_SCORE_ZERO = 1 << 53


class BoardKeys(NamedTuple):
    """The keys of one board instance.

    standings: sorted set, score = points, member = tie + user id.
    members: hash, user id -> tie + version, and the marker; always one field more than the sorted set has members.
    gone: hash, user id -> version, of users who left; keeps a late old write from bringing them back. It goes with
    `members`, and after a while where that is not there.
    """

    standings: str
    members: str
    gone: str


@lru_cache(maxsize=8192)  # every read and every award asks
def board_keys(board: BoardKey, slot: str = "") -> BoardKeys:
    """Return the keys of a board: `{leaderboard:global}`, `{leaderboard:country:US:weekly:2026-W48}`, ...

    Those of a split board end in the name of the slot: `{leaderboard:global/0of3}`.
    """
    standings = _standings(board, slot)
    return BoardKeys(standings, f"{standings}:members", f"{standings}:gone")


class ExtraKeys(NamedTuple):
    """The further keys of a board instance whose tie policy or kind needs them.

    levels: sorted set, the distinct pairs of score and sub-score of a DENSE board; score = points, member = pair.
    metadata: hash, user id -> what was stored with the score, as JSON.
    """

    levels: str
    metadata: str


def extra_keys(board: BoardKey, slot: str = "") -> ExtraKeys:
    """Return the keys that most boards do not have."""
    standings = _standings(board, slot)
    return ExtraKeys(f"{standings}:levels", f"{standings}:metadata")


def all_keys(board: BoardKey, slot: str = "") -> tuple[str, ...]:
    """Return every key that a slot of the board may have, those of `board_keys` first."""
    return (*board_keys(board, slot), *extra_keys(board, slot))


@lru_cache(maxsize=64)
def slot_names(slots: int) -> tuple[str, ...]:
    """Return the names of the slots of a board: `0of3`, `1of3`, `2of3`; that of a board in one piece is empty.

    A server that has not heard yet that their number was changed so finds no board, rather than a part of it.
    """
    return ("",) if slots == 1 else tuple(f"{number}of{slots}" for number in range(slots))


def slot_of(user_id: str, slots: int) -> int:
    """Return to which slot of a split board a user falls, by its place among the names."""
    return zlib.crc32(user_id.encode()) % slots


def _standings(board: BoardKey, slot: str) -> str:
    return "{" + board_name(board) + (f"/{slot}" if slot else "") + "}"


def board_name(board: BoardKey) -> str:
    """Return the name operators know: `leaderboard:global`, `leaderboard:weekly:2026-W48`, `leaderboard:tier:gold`."""
    parts = ["leaderboard"]
    if is_score_board(board.scope):
        return ":".join(
            (*parts, board.scope, *(() if board.period_id == ALL_TIME.id else (board.period_id,)))
        )
    if board.scope != GLOBAL or board.period_id == ALL_TIME.id:
        parts.append(board.scope)
    if board.period_id != ALL_TIME.id:
        parts += [period_type_of(board.period_id).name.lower(), board.period_id]
    return ":".join(parts)


def signal_of(boards: Iterable[BoardKey]) -> str:
    """Return the message that says that boards have changed."""
    return "\n".join(f"{board.scope}\t{board.period_id}" for board in boards)


def boards_in(signal: str) -> list[BoardKey]:
    """Return the boards that a message says have changed; none for a change that moved nobody."""
    return [BoardKey(*line.split("\t")) for line in signal.split("\n") if line]


@lru_cache(maxsize=1024)  # an award reaches its scores in all periods at once
def tie(reached: int) -> str:
    """Return 8 characters that sort the later the earlier a score was reached.

    Among equal scores ZREVRANGE lists the greatest member first, and that must be who was there first.
    """
    complement = (_MAX_REACHED - reached).to_bytes(6, "big")
    return binascii.b2a_base64(complement, newline=False).translate(_TO_SORTED).decode("ascii")


def width_of(traits: Traits) -> int:
    """Return how many characters a member begins with for its sub-score."""
    return SUB_SCORE_LENGTH if traits.has_scores else 0


def sub_score_text(sub_score: int) -> str:
    """Return 10 characters that sort as sub-scores of +/- 2^53 do."""
    packed = (sub_score + _SUB_SCORE_ZERO).to_bytes(9, "big")
    return binascii.b2a_base64(packed, newline=False)[2:].translate(_TO_SORTED).decode("ascii")


def sub_score_in(text: str) -> int:
    """Return the sub-score in the 10 characters of `sub_score_text`."""
    packed = binascii.a2b_base64("AA" + text.translate(_FROM_SORTED))
    return int.from_bytes(packed, "big") - _SUB_SCORE_ZERO
