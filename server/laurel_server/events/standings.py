"""Where users stand, as parts of the records that tell of it.

A user's standings go into every record about him. Serialized once, they are joined to the other fields of a record: a
message on the wire is the sequence of its fields, in any order.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from google.protobuf.descriptor import Descriptor

from laurel.events.v1.events_pb2 import BoardStanding, LeaderboardUpdated, RewardsEarned
from laurel.type.v1.board_pb2 import BoardRef, Period
from laurel_server.domain.boards import BoardKey, is_score_board
from laurel_server.domain.ledger import BoardRank
from laurel_server.domain.periods import parse_period_id

_LENGTH_DELIMITED = 2  # the wire type of messages


class Standing(NamedTuple):
    """A rank as a serialized BoardStanding behind its length.

    `period_id` is empty on score boards, which count no entries.
    """

    period_id: str
    message: bytes


Standings: TypeAlias = Mapping[str, Sequence[Standing]]
"""Present ranks by user id."""


def standings_of(ranks: Mapping[str, Sequence[BoardRank]]) -> Standings:
    """Return ranks as parts of records. Cost: about 1 us each."""
    numbers = BoardStanding()  # one for all: making a message is most of its cost
    return {user_id: [_standing(rank, numbers) for rank in own] for user_id, own in ranks.items()}


def field_of(message: type[RewardsEarned | LeaderboardUpdated], standings: Sequence[bytes]) -> bytes:
    """Return the field `standings` of a record with these."""
    tag = _tag(message.DESCRIPTOR)
    return b"".join([tag + standing for standing in standings])


def _standing(rank: BoardRank, numbers: BoardStanding) -> Standing:
    period_id, board = _board(rank.board)
    numbers.rank, numbers.score, numbers.total = rank.rank, rank.score, rank.total
    message = board + numbers.SerializeToString()
    return Standing(period_id, _varint(len(message)) + message)


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
        ref.period = Period.ValueType(parse_period_id(board.period_id).type)
    return ref


@lru_cache(maxsize=8)
def _tag(message: Descriptor) -> bytes:
    return _varint(message.fields_by_name["standings"].number << 3 | _LENGTH_DELIMITED)


@lru_cache(maxsize=1024)
def _varint(number: int) -> bytes:
    """Return a number that is not negative in base 128, the lowest digits first."""
    rest, digit = divmod(number, 128)
    return bytes([digit | 128]) + _varint(rest) if rest else bytes([digit])
