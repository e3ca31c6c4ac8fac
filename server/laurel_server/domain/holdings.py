"""What a batch knows of a user beyond his balances: open lots, holds and reversals, where a command needs them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple

from laurel_server.domain.lots import Lot, LotKey


class HoldState(IntEnum):
    """What became of a hold; the numbers are those of the contract and the ledger."""

    ACTIVE = 1
    CAPTURED = 2
    RELEASED = 3
    EXPIRED = 4


class Hold(NamedTuple):
    """Points set aside until `expires_at`, exclusive, to be captured or released."""

    hold_id: int
    user_id: str
    points: int
    captured_points: int
    state: HoldState
    created_at: datetime
    expires_at: datetime
    reference_id: str = ""
    reason: str = ""

    def at(self, now: datetime) -> "Hold":
        """Return the hold as it is at `now`: past its time it has expired, swept or not."""
        if self.state is HoldState.ACTIVE and self.expires_at <= now:
            return self._replace(state=HoldState.EXPIRED)
        return self


class Reversed(NamedTuple):
    """How far an entry has been reversed: points taken back, and the parts of it that were asked back so far."""

    points: int = 0
    part: Fraction = Fraction()


class Needs(NamedTuple):
    """What a command reads under the lock: lots for `spend` points in the order of spending, and what it names."""

    spend: int = 0
    lots: tuple[LotKey, ...] = ()
    reversals: tuple[int, ...] = ()
    holds: tuple[int, ...] = ()


@dataclass(slots=True)
class Holdings:
    """Lots, holds and reversals by id; `changed_*` name those that the batch must write."""

    lots: dict[int, Lot] = field(default_factory=dict)
    holds: dict[int, Hold] = field(default_factory=dict)
    reversals: dict[int, Reversed] = field(default_factory=dict)
    changed_lots: set[int] = field(default_factory=set)
    changed_holds: set[int] = field(default_factory=set)
    changed_reversals: set[int] = field(default_factory=set)

    def put_lot(self, lot: Lot) -> None:
        """Keep what is left of a lot, 0 included."""
        self.lots[lot.lot_id] = lot
        self.changed_lots.add(lot.lot_id)

    def put_hold(self, hold: Hold) -> None:
        """Keep a new state of a hold."""
        self.holds[hold.hold_id] = hold
        self.changed_holds.add(hold.hold_id)

    def put_reversal(self, transaction_id: int, reversed_: Reversed) -> None:
        """Keep how far an entry has been reversed."""
        self.reversals[transaction_id] = reversed_
        self.changed_reversals.add(transaction_id)
