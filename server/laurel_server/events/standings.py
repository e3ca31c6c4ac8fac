"""Where users stand, as parts of the records that tell of it.

A user's standings go into every record about him. Serialized once, they are joined to the other fields of a record: a
message on the wire is the sequence of its fields, in any order.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from google.protobuf.message import Message

from laurel.events.v1.events_pb2 import BoardStanding, LeaderboardUpdated, RewardsEarned
from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel_server.domain.boards import BoardKey, is_score_board
from laurel_server.domain.periods import period_type_of
from laurel_server.domain.views import RanksOnBoard

_LENGTH_DELIMITED: Final = 2  # the wire type of messages
_NUMBER: Final = 0  # that of integers
_WORD: Final = 1 << 64

Standing: TypeAlias = tuple[str, bytes]
"""A rank as a serialized BoardStanding behind its length, after the period in which entries count for it.

The period is empty on score boards, which count no entries.
"""

Standings: TypeAlias = Mapping[str, Sequence[Standing]]
"""Present ranks by user id."""


def standings_of(boards: Iterable[RanksOnBoard]) -> Standings:
    """Return ranks as parts of records. Cost: less than 1 us each."""
    standings: dict[str, list[Standing]] = defaultdict(list)
    for each in boards:
        period_id, board = _board(each.board)
        total = _field(_TOTAL, each.total)
        for user_id, rank, score in zip(each.user_ids, each.ranks, each.scores, strict=True):
            if rank:
                message = board + _field(_RANK, rank) + _field(_SCORE, score) + total
                standings[user_id].append((period_id, _varint(len(message)) + message))
    return standings


def field_of(message: type[RewardsEarned | LeaderboardUpdated], standings: Sequence[bytes]) -> bytes:
    """Return the field `standings` of a record with these."""
    tag = _STANDINGS[message]
    return tag + tag.join(standings) if standings else b""


@lru_cache(maxsize=8192)
def _board(board: BoardKey) -> tuple[str, bytes]:
    """Return the period that entries count in, and the field `board` of a BoardStanding."""
    period_id = "" if is_score_board(board.scope) else board.period_id
    return period_id, BoardStanding(board=board_ref(board)).SerializeToString()


@lru_cache(maxsize=8192)
def board_ref(board: BoardKey) -> BoardRef:
    """Return the board as messages name it."""
    ref = BoardRef(scope=board.scope, period_id=board.period_id)
    if not is_score_board(board.scope):
        ref.period = Period.ValueType(period_type_of(board.period_id))
    return ref


@lru_cache(maxsize=65_536)
def _field(tag: bytes, number: int) -> bytes:
    """Return an int64 field; one that is 0 is not written."""
    return tag + _varint(number % _WORD) if number else b""


@lru_cache(maxsize=1024)
def _varint(number: int) -> bytes:
    """Return a number that is not negative in base 128, the lowest digits first."""
    rest, digit = divmod(number, 128)
    return bytes([digit | 128]) + _varint(rest) if rest else bytes([digit])


def _tag(message: type[Message], field: str, wire_type: int) -> bytes:
    return _varint(message.DESCRIPTOR.fields_by_name[field].number << 3 | wire_type)


_RANK: Final = _tag(BoardStanding, "rank", _NUMBER)
_SCORE: Final = _tag(BoardStanding, "score", _NUMBER)
_TOTAL: Final = _tag(BoardStanding, "total", _NUMBER)
_STANDINGS: Final = {
    message: _tag(message, "standings", _LENGTH_DELIMITED) for message in (RewardsEarned, LeaderboardUpdated)
}
