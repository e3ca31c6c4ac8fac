"""The one error of the domain: a reason callers can rely on, with the facts that explain it."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Why a call was refused: the names of `laurel.errors.v1.ErrorReason`, without the prefix.

    The comment beside each names the metadata keys that come with it.
    """

    INVALID_FIELD = "INVALID_FIELD"  # field; attribute, if one attribute of an award is at fault
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a name, no secret
    FORMULA_INVALID = "FORMULA_INVALID"  # field, formula; position (characters from 0), where it is known
    SCORE_OUT_OF_RANGE = "SCORE_OUT_OF_RANGE"  # score, min, max

    USER_NOT_FOUND = "USER_NOT_FOUND"  # user_id
    NOT_ON_BOARD = "NOT_ON_BOARD"  # user_id, board
    BOARD_NOT_FOUND = "BOARD_NOT_FOUND"  # board
    TRANSACTION_NOT_FOUND = "TRANSACTION_NOT_FOUND"  # transaction_id
    HOLD_NOT_FOUND = "HOLD_NOT_FOUND"  # hold_id
    PERIOD_NOT_FOUND = "PERIOD_NOT_FOUND"  # period_id
    ACTION_NOT_FOUND = "ACTION_NOT_FOUND"  # action

    INSUFFICIENT_POINTS = "INSUFFICIENT_POINTS"  # available, requested
    ACTION_INACTIVE = "ACTION_INACTIVE"  # action
    HOLD_NOT_ACTIVE = "HOLD_NOT_ACTIVE"  # hold_id
    HOLD_EXCEEDED = "HOLD_EXCEEDED"  # hold_id, available
    ALREADY_REVERSED = "ALREADY_REVERSED"  # transaction_id
    NOT_REVERSIBLE = "NOT_REVERSIBLE"  # transaction_id
    PERIOD_CLOSED = "PERIOD_CLOSED"  # period_id
    ANALYTICS_DISABLED = "ANALYTICS_DISABLED"  # none

    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"  # request_id
    BOARD_EXISTS = "BOARD_EXISTS"  # board

    DAILY_CAP_REACHED = "DAILY_CAP_REACHED"  # action, limit, remaining, requested
    COOLDOWN_ACTIVE = "COOLDOWN_ACTIVE"  # action, available_at (RFC 3339); comes with RetryInfo
    OVERLOADED = "OVERLOADED"  # none; comes with RetryInfo
    RATE_LIMITED = "RATE_LIMITED"  # none; comes with RetryInfo, where it is known
    READER_TOO_SLOW = "READER_TOO_SLOW"  # none

    LEDGER_UNAVAILABLE = "LEDGER_UNAVAILABLE"  # none
    BOARDS_REBUILDING = "BOARDS_REBUILDING"  # board; comes with RetryInfo
    DRAINING = "DRAINING"  # none

    CREDENTIALS_MISSING = "CREDENTIALS_MISSING"  # none
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"  # none
    SCOPE_MISSING = "SCOPE_MISSING"  # scope (the one that is needed)

    INTERNAL = "INTERNAL"  # request_id: what went wrong stays in the log

    @property
    def code(self) -> str:
        """The canonical gRPC code, by name."""
        return _CODES[self]


_REASONS_BY_CODE = {
    "INVALID_ARGUMENT": (
        Reason.INVALID_FIELD,
        Reason.PAGE_TOKEN_INVALID,
        Reason.FORMULA_INVALID,
        Reason.SCORE_OUT_OF_RANGE,
    ),
    "NOT_FOUND": (
        Reason.USER_NOT_FOUND,
        Reason.NOT_ON_BOARD,
        Reason.BOARD_NOT_FOUND,
        Reason.TRANSACTION_NOT_FOUND,
        Reason.HOLD_NOT_FOUND,
        Reason.PERIOD_NOT_FOUND,
        Reason.ACTION_NOT_FOUND,
    ),
    "FAILED_PRECONDITION": (
        Reason.INSUFFICIENT_POINTS,
        Reason.ACTION_INACTIVE,
        Reason.HOLD_NOT_ACTIVE,
        Reason.HOLD_EXCEEDED,
        Reason.ALREADY_REVERSED,
        Reason.NOT_REVERSIBLE,
        Reason.PERIOD_CLOSED,
        Reason.ANALYTICS_DISABLED,
    ),
    "ALREADY_EXISTS": (Reason.IDEMPOTENCY_CONFLICT, Reason.BOARD_EXISTS),
    "RESOURCE_EXHAUSTED": (
        Reason.DAILY_CAP_REACHED,
        Reason.COOLDOWN_ACTIVE,
        Reason.OVERLOADED,
        Reason.RATE_LIMITED,
        Reason.READER_TOO_SLOW,
    ),
    "UNAVAILABLE": (Reason.LEDGER_UNAVAILABLE, Reason.BOARDS_REBUILDING, Reason.DRAINING),
    "UNAUTHENTICATED": (Reason.CREDENTIALS_MISSING, Reason.CREDENTIALS_INVALID),
    "PERMISSION_DENIED": (Reason.SCOPE_MISSING,),
    "INTERNAL": (Reason.INTERNAL,),
}
_CODES = {reason: code for code, reasons in _REASONS_BY_CODE.items() for reason in reasons}


class LaurelError(Exception):
    """A refusal that reaches the caller as a status with ErrorInfo, BadRequest and RetryInfo.

    `message` is for people, `metadata` for programs (keys: see `Reason`). `field` is the path of the faulty
    field in the request, "" where none is at fault. `retry_after` says when the same call may succeed.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        field: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})
        self.field = field
        self.retry_after = retry_after

    def __repr__(self) -> str:
        return f"LaurelError({self.reason}, {self.message!r})"


def invalid_field(field: str, message: str, **metadata: str) -> LaurelError:
    """Return the error for a field that is malformed or out of its range."""
    return LaurelError(Reason.INVALID_FIELD, message, metadata={"field": field, **metadata}, field=field)


def user_not_found(user_id: str) -> LaurelError:
    """Return the error for a user that the ledger does not know; "": the user of an entry or a hold, who was erased."""
    message = f"no user {user_id}" if user_id else "its user was erased"
    return LaurelError(Reason.USER_NOT_FOUND, message, metadata={"user_id": user_id})


def idempotency_conflict(request_id: str) -> LaurelError:
    """Return the refusal of a request_id that was used before for something else."""
    return LaurelError(
        Reason.IDEMPOTENCY_CONFLICT,
        "this request_id was used before with another body",
        metadata={"request_id": request_id},
    )


def transaction_not_found(transaction_id: int) -> LaurelError:
    """Return the error for an entry that the ledger does not have."""
    return LaurelError(
        Reason.TRANSACTION_NOT_FOUND, "no such transaction", metadata={"transaction_id": str(transaction_id)}
    )
