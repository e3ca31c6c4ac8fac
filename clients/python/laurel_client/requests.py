"""Making requests out of plain Python values."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias, TypedDict, Unpack
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel.type.v1.board_pb2 import (
    PERIOD_ALL_TIME,
    PERIOD_DAILY,
    PERIOD_MONTHLY,
    PERIOD_QUARTERLY,
    PERIOD_WEEKLY,
    PERIOD_YEARLY,
    BoardRef,
)

PeriodName: TypeAlias = Literal["daily", "weekly", "monthly", "quarterly", "yearly", "all"]
Attributes: TypeAlias = Mapping[str, str | int | Decimal]

_PERIODS: Final = {
    "daily": PERIOD_DAILY,
    "weekly": PERIOD_WEEKLY,
    "monthly": PERIOD_MONTHLY,
    "quarterly": PERIOD_QUARTERLY,
    "yearly": PERIOD_YEARLY,
    "all": PERIOD_ALL_TIME,
}


class AwardOptions(TypedDict, total=False):
    """What else an award may carry; see `AwardPointsRequest` for each. Moments must be aware."""

    request_id: str
    order_id: str
    referral_id: str
    reference_id: str
    reason: str
    occurred_at: datetime | None
    activates_at: datetime | None
    validate_only: bool


def award(
    user_id: str, action: str, attributes: Attributes | None = None, **options: Unpack[AwardOptions]
) -> AwardPointsRequest:
    """Return the request for an award, with a new request_id unless one is given.

    Sent again, the same request counts once. TypeError for an attribute that is a float, which would not be exact.
    """
    return AwardPointsRequest(
        request_id=options.get("request_id") or new_request_id(),
        user_id=user_id,
        action=action,
        attributes={name: _decimal_text(name, value) for name, value in (attributes or {}).items()},
        order_id=options.get("order_id", ""),
        referral_id=options.get("referral_id", ""),
        reference_id=options.get("reference_id", ""),
        reason=options.get("reason", ""),
        occurred_at=timestamp(options.get("occurred_at")),
        activates_at=timestamp(options.get("activates_at")),
        validate_only=options.get("validate_only", False),
    )


def board(scope: str = "global", period: PeriodName = "all", period_id: str = "") -> BoardRef:
    """Return the name of a board: the current one of its period, or that of `period_id` such as `2026-W48`.

    `scope` is `global`, `country:US`, `region:NAME`, `tier:gold` or `segment:NAME`.
    """
    return BoardRef(scope=scope, period=_PERIODS[period], period_id=period_id)


def new_request_id() -> str:
    """Return an idempotency key that nobody else has."""
    return str(uuid4())


def timestamp(moment: datetime | None) -> Timestamp | None:
    """Return an aware moment as a message. ValueError for a naive one."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _decimal_text(name: str, value: str | int | Decimal) -> str:
    if isinstance(value, float):
        raise TypeError(f"attribute {name} is a float, which is not exact: give a Decimal or a string")
    return str(value)
