"""Commands about one user other than awards: what they have in common, and what comes of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, NamedTuple

from laurel_server.domain.accounts import Account
from laurel_server.domain.awards import Rules
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.decimals import ONE
from laurel_server.domain.errors import LaurelError, Reason, user_not_found
from laurel_server.domain.holdings import Hold, Needs
from laurel_server.domain.identifiers import transaction_id
from laurel_server.domain.ledger import BoardRank, LedgerEntry, RankState, Rewards
from laurel_server.domain.lots import Debit, Lot
from laurel_server.domain.tiers import Tier, TierChange
from laurel_server.domain.wording import counted


class RequestKey(NamedTuple):
    """Who asked, and under which id; the hash is a digest of the whole request."""

    caller: str
    request_id: str
    request_hash: bytes


class Turn(NamedTuple):
    """A command's turn in its batch: the rules, its place in the order of the ledger, and the time."""

    rules: Rules
    sequence: int
    now: datetime

    @property
    def new_id(self) -> int:
        """The id of what the command makes: an entry or a hold."""
        return transaction_id(self.now, self.sequence)


@dataclass(frozen=True, slots=True)
class Change:
    """What a command did. `entry` is None where no points moved; `boards` are those on which the user moved."""

    rewards: Rewards
    tier_before: Tier
    entry: LedgerEntry | None = None
    lot: Lot | None = None
    debits: tuple[Debit, ...] = ()
    hold: Hold | None = None
    tier_change: TierChange | None = None
    period_ids: tuple[str, ...] = ()
    boards: tuple[BoardKey, ...] = ()
    part: Fraction = Fraction()
    """Of a reversal: the parts of the original that have been asked back by now."""


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """What a caller learns of a command; the ranks as in AwardAnswer."""

    rewards: Rewards
    entry: LedgerEntry | None
    hold: Hold | None
    tier_change: TierChange | None
    ranks: tuple[BoardRank, ...]
    rank_state: RankState
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(ABC):
    """What a caller asks for. `request_hash` is a digest of the whole request.

    `needs` names what is read under the lock before `post` runs; `creates_user`: an unknown user is no error.
    `user_no` is set where the command is about an entry: by now somebody else may have the id of its user.
    """

    caller: str
    request_id: str
    user_id: str
    request_hash: bytes
    user_no: int = 0

    validate_only: ClassVar[bool] = False

    @property
    def needs(self) -> Needs:
        """What must be read of the user's lots, holds and reversals."""
        return Needs()

    @property
    def creates_user(self) -> bool:
        """Whether the command may be the first that the ledger hears of the user."""
        return False

    def post(self, account: Account, turn: Turn) -> Change:
        """Apply the command to `account`. Raises LaurelError and then has changed nothing."""
        is_unknown = account.is_new and not account.changed and not self.creates_user
        if is_unknown or self.user_no not in {0, account.user_no}:
            raise user_not_found(self.user_id)
        return self._post(account, turn)

    @abstractmethod
    def _post(self, account: Account, turn: Turn) -> Change:
        """Apply the command to an account that exists."""


def new_entry(
    command: Command,
    account: Account,
    action: str,
    points: int,
    turn: Turn,
    *,
    order_id: str = "",
    reference_id: str = "",
    reason: str = "",
    created_by: str = "",
    expires_at: datetime | None = None,
    reverses: int = 0,
    balance_after: int | None = None,
) -> LedgerEntry:
    """Return the entry of a command; `balance_after` is given where the balance of `account` is not changed yet."""
    return LedgerEntry(
        transaction_id=turn.new_id,
        request_id=command.request_id,
        user_id=command.user_id,
        action=action,
        points=points,
        base_points=Decimal(points),
        multiplier=ONE,
        order_id=order_id,
        referral_id="",
        reference_id=reference_id,
        reason=reason,
        created_by=created_by or command.caller,
        transaction_time=turn.now,
        occurred_at=turn.now,
        balance_after=account.balance if balance_after is None else balance_after,
        expires_at=expires_at,
        reverses_transaction_id=reverses,
    )


def insufficient_points(available: int, requested: int) -> LaurelError:
    """Return the refusal to spend more than there is."""
    return LaurelError(
        Reason.INSUFFICIENT_POINTS,
        f"available: {counted(max(available, 0), 'point')}; requested: {requested:,}",
        metadata={"available": str(max(available, 0)), "requested": str(requested)},
    )
