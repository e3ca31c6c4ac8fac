"""The names of all keys.

One board instance has three keys with one hash tag, so that a script finds them in one slot.
"""

import binascii
from collections.abc import Iterable
from typing import Final, NamedTuple

from laurel_server.domain.boards import GLOBAL, BoardKey
from laurel_server.domain.periods import ALL_TIME, parse_period_id

MARKER: Final = "\0"
"""Field of the members hash that says "this board is complete". No user id contains NUL."""

FILLING: Final = "\1"
"""Field of the members hash while a rebuild fills the board: one field too many, so that the board is not complete."""

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

TIE_LENGTH: Final = 8


class BoardKeys(NamedTuple):
    """The keys of one board instance.

    standings: sorted set, score = points, member = tie + user id.
    members: hash, user id -> tie + version, and the marker; always one field more than the sorted set has members.
    gone: hash, user id -> version, of users who left; keeps a late old write from bringing them back.
    """

    standings: str
    members: str
    gone: str


def board_keys(board: BoardKey) -> BoardKeys:
    """Return the keys of a board: `{leaderboard:global}`, `{leaderboard:country:US:weekly:2026-W48}`, ..."""
    standings = "{" + board_name(board) + "}"
    return BoardKeys(standings, f"{standings}:members", f"{standings}:gone")


def board_name(board: BoardKey) -> str:
    """Return the name operators know: `leaderboard:global`, `leaderboard:weekly:2026-W48`, `leaderboard:tier:gold`."""
    parts = ["leaderboard"]
    if board.scope != GLOBAL or board.period_id == ALL_TIME.id:
        parts.append(board.scope)
    if board.period_id != ALL_TIME.id:
        parts += [parse_period_id(board.period_id).type.name.lower(), board.period_id]
    return ":".join(parts)


def signal_of(boards: Iterable[BoardKey]) -> str:
    """Return the message that says that boards have changed."""
    return "\n".join(f"{board.scope}\t{board.period_id}" for board in boards)


def boards_in(signal: str) -> list[BoardKey]:
    """Return the boards that a message says have changed."""
    return [BoardKey(*line.split("\t")) for line in signal.split("\n")]


def tie(reached: int) -> str:
    """Return 8 characters that sort the later the earlier a score was reached.

    Among equal scores ZREVRANGE lists the greatest member first, and that must be who was there first.
    """
    complement = (_MAX_REACHED - reached).to_bytes(6, "big")
    return binascii.b2a_base64(complement, newline=False).translate(_TO_SORTED).decode("ascii")
