"""Holds: points set aside for a while, then captured, released, or free again when their time is over."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from laurel_server.domain.accounts import Account
from laurel_server.domain.commands import Change, Command, Turn, insufficient_points
from laurel_server.domain.errors import LaurelError, Reason, invalid_field
from laurel_server.domain.holdings import Hold, HoldState, Needs
from laurel_server.domain.spending import spend
from laurel_server.domain.wording import counted

DEFAULT_TIMEOUT: Final = timedelta(minutes=15)
MAX_TIMEOUT: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateHoldCommand(Command):
    """Set `points`, at least 1, aside for `timeout` (0: 15 minutes). INSUFFICIENT_POINTS, INVALID_FIELD."""

    points: int
    timeout: timedelta = timedelta()
    reference_id: str = ""
    reason: str = ""

    @property
    def needs(self) -> Needs:
        """Nothing: a hold takes from no lot."""
        return Needs()

    def _post(self, account: Account, turn: Turn) -> Change:
        if not timedelta() <= self.timeout <= MAX_TIMEOUT:
            raise invalid_field("timeout", f"must lie between 0 and {MAX_TIMEOUT.days} days")
        if account.available_points < self.points:
            raise insufficient_points(account.available_points, self.points)
        hold = Hold(
            turn.new_id,
            self.user_id,
            self.points,
            0,
            HoldState.ACTIVE,
            turn.now,
            turn.now + (self.timeout or DEFAULT_TIMEOUT),
            self.reference_id,
            self.reason,
        )
        account.change(turn.sequence)
        account.held_points += hold.points
        account.opened.put_hold(hold)
        return Change(account.rewards(), account.tier, hold=hold)


@dataclass(frozen=True, slots=True, kw_only=True)
class _HoldCommand(Command):
    """A command about a hold, which was read before the user was locked; its points never change."""

    held: Hold

    def _active(self, account: Account, turn: Turn) -> Hold:
        hold = account.opened.holds.get(self.held.hold_id)
        if hold is None:
            raise hold_not_found(self.held.hold_id)
        if hold.at(turn.now).state is not HoldState.ACTIVE:
            raise hold_not_active(hold.hold_id)
        return hold


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureHoldCommand(_HoldCommand):
    """Spend `points` of a hold (0: all) and release the rest. HOLD_NOT_ACTIVE, HOLD_EXCEEDED, INSUFFICIENT_POINTS.

    Points that expired while they were held are not there any more.
    """

    points: int = 0

    @property
    def needs(self) -> Needs:
        """The hold, and lots for the points."""
        return Needs(spend=self.points or self.held.points, holds=(self.held.hold_id,))

    def _post(self, account: Account, turn: Turn) -> Change:
        hold = self._active(account, turn)
        points = self.points or hold.points
        if points > hold.points:
            raise LaurelError(
                Reason.HOLD_EXCEEDED,
                f"on hold: {counted(hold.points, 'point')}; to be captured: {points:,}",
                metadata={"hold_id": str(hold.hold_id), "available": str(hold.points)},
            )
        if points > account.active_points:
            raise insufficient_points(account.active_points, points)
        captured = _close(account, hold._replace(state=HoldState.CAPTURED, captured_points=points))
        return spend(
            self, account, points, turn, reference_id=hold.reference_id, reason=hold.reason, hold=captured
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHoldCommand(_HoldCommand):
    """Give all points of a hold free. HOLD_NOT_ACTIVE."""

    @property
    def needs(self) -> Needs:
        """The hold."""
        return Needs(holds=(self.held.hold_id,))

    def _post(self, account: Account, turn: Turn) -> Change:
        released = _close(account, self._active(account, turn)._replace(state=HoldState.RELEASED))
        account.change(turn.sequence)
        return Change(account.rewards(), account.tier, hold=released)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireHoldCommand(_HoldCommand):
    """Note that the time of a hold is over, which it is already for everybody who looks. HOLD_NOT_ACTIVE."""

    @property
    def needs(self) -> Needs:
        """The hold."""
        return Needs(holds=(self.held.hold_id,))

    def _post(self, account: Account, turn: Turn) -> Change:
        hold = account.opened.holds.get(
            self.held.hold_id
        )  # None: somebody else has the id of its user by now
        if hold is None or hold.state is not HoldState.ACTIVE or hold.expires_at > turn.now:
            raise hold_not_active(self.held.hold_id)
        expired = _close(account, hold._replace(state=HoldState.EXPIRED))
        account.lapsed_points -= hold.points
        account.change(turn.sequence)
        return Change(account.rewards(), account.tier, hold=expired)


def _close(account: Account, hold: Hold) -> Hold:
    account.held_points -= hold.points
    account.opened.put_hold(hold)
    return hold


def hold_not_found(hold_id: int) -> LaurelError:
    """Return the error for a hold that the ledger does not know."""
    return LaurelError(Reason.HOLD_NOT_FOUND, "no such hold", metadata={"hold_id": str(hold_id)})


def hold_not_active(hold_id: int) -> LaurelError:
    """Return the refusal to do something with a hold that is over."""
    return LaurelError(
        Reason.HOLD_NOT_ACTIVE,
        "the hold was captured, released or has timed out",
        metadata={"hold_id": str(hold_id)},
    )
