"""What goes into a batch of score commands, and what comes of it."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import msgspec

from laurel_server.domain.awards import Rules
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.scores import (
    Score,
    ScoreCommand,
)
from laurel_server.postgres.ledger import Answer
from laurel_server.rewards.outcomes import StoredRefusal


class StoredUpdate(msgspec.Struct, array_like=True, tag=9, frozen=True):
    """A score command that was carried out. What the user has, and whether he takes a position, is read fresh."""

    board: tuple[str, str]
    updated: bool


encode_update = msgspec.msgpack.Encoder().encode
"""Returns a StoredUpdate as it is kept."""

_decoder: msgspec.msgpack.Decoder[StoredUpdate | StoredRefusal] = msgspec.msgpack.Decoder(
    StoredUpdate | StoredRefusal
)


def stored_outcome(answered: Answer) -> StoredUpdate | StoredRefusal:
    """Return what came of a command that was answered before."""
    return _decoder.decode(answered.outcome)


class Item(NamedTuple):
    """One command; `key` is the digest of caller, RPC family and request_id."""

    command: ScoreCommand
    key: bytes


class Done(NamedTuple):
    """What came of a command. `is_listed`: the user takes a position after it."""

    board: BoardKey
    updated: bool
    is_listed: bool
    replayed: bool = False


Result: TypeAlias = Done | LaurelError

Place: TypeAlias = tuple[BoardKey, str]
"""A board and a user on it."""


@dataclass(slots=True)
class ScoreBatch:
    """What a committed batch did, for the boards and the callers.

    `standing` is what the users of its commands have now, by board and user; `off` are those who were taken off.
    `drops`: among them are some whose rows it had not locked, because a size cap left no room for them.
    `past` are boards over other periods than the present one, of commands that were answered before.
    """

    batch_no: int
    rules: Rules
    results: list[Result]
    standing: dict[Place, Score] = field(default_factory=dict)
    past: set[BoardKey] = field(default_factory=set)
    off: dict[Place, int] = field(default_factory=dict)
    new_boards: set[BoardKey] = field(default_factory=set)
    wrote: bool = False
    drops: bool = False
