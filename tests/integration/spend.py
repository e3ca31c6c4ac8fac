"""Commands other than awards, as tests send them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from laurel_server.domain.adjustments import AdjustCommand
from laurel_server.domain.commands import ChangeAnswer, RequestKey
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.holds import CreateHoldCommand
from laurel_server.domain.reversals import ReversalRequest
from laurel_server.domain.spending import RedeemCommand
from laurel_server.runtime.wiring import Parts

_numbers = count()


def key(request_id: str | None, *body: object) -> RequestKey:
    """Return the key of a request with an id of its own; equal bodies are equal requests."""
    digest = hashlib.blake2b(repr(body).encode(), digest_size=16).digest()
    return RequestKey("shop", request_id or f"change-{next(_numbers)}", digest)


def redemption(user_id: str, points: int, request_id: str | None = None) -> RedeemCommand:
    """Return the command to spend points."""
    return RedeemCommand(
        **key(request_id, user_id, points)._asdict(), user_id=user_id, points=points, reference_id="gift"
    )


async def redeem(parts: Parts, user_id: str, points: int, request_id: str | None = None) -> ChangeAnswer:
    """Spend points."""
    return await parts.spending.redeem(redemption(user_id, points, request_id), None)


async def cancel(parts: Parts, redeemed: ChangeAnswer, request_id: str | None = None) -> ChangeAnswer:
    """Cancel a redemption."""
    transaction_id = entry_id(redeemed)
    return await parts.spending.cancel(key(request_id, transaction_id), str(transaction_id), "returned", None)


async def hold(
    parts: Parts, user_id: str, points: int, lasting: timedelta = timedelta(), request_id: str | None = None
) -> ChangeAnswer:
    """Set points aside."""
    command = CreateHoldCommand(
        **key(request_id, user_id, points, lasting)._asdict(),
        user_id=user_id,
        points=points,
        timeout=lasting,
        reference_id="table 4",
    )
    return await parts.holds.create(command, None)


async def capture(
    parts: Parts, held: ChangeAnswer, points: int = 0, request_id: str | None = None
) -> ChangeAnswer:
    """Spend points of a hold; 0: all."""
    return await parts.holds.capture(key(request_id, hold_id(held), points), str(hold_id(held)), points, None)


async def release(parts: Parts, held: ChangeAnswer, request_id: str | None = None) -> ChangeAnswer:
    """Release a hold."""
    return await parts.holds.release(key(request_id, hold_id(held)), str(hold_id(held)), None)


async def reverse(
    parts: Parts, transaction_id: int, points: int = 0, *, request_id: str | None = None, **more: Any
) -> ChangeAnswer:
    """Take back points of an entry; 0: all that is left, or the `part` of it."""
    asked = ReversalRequest(str(transaction_id), points, **more)
    return await parts.corrections.reverse(key(request_id, asked), asked, None)


async def adjust(
    parts: Parts,
    user_id: str,
    points: int,
    expires_at: datetime | None = None,
    request_id: str | None = None,
) -> ChangeAnswer:
    """Give or take points by hand."""
    command = AdjustCommand(
        **key(request_id, user_id, points, expires_at)._asdict(),
        user_id=user_id,
        points=points,
        actor="olga",
        reason="goodwill",
        expires_at=expires_at,
    )
    return await parts.corrections.adjust(command, None)


def hold_id(answer: ChangeAnswer) -> int:
    """Return the id of the hold that a command has made or changed."""
    assert answer.hold is not None
    return answer.hold.hold_id


@contextmanager
def refused(reason: Reason, **metadata: str) -> Iterator[None]:
    """Expect a refusal with that reason and, among others, those facts."""
    with pytest.raises(LaurelError) as caught:
        yield
    assert caught.value.reason is reason, caught.value
    assert metadata.items() <= caught.value.metadata.items()


def entry_id(answer: ChangeAnswer) -> int:
    """Return the id of the entry that a command has posted."""
    assert answer.entry is not None
    return answer.entry.transaction_id


async def lots_of(parts: Parts, user_id: str) -> list[int]:
    """Return what remains in the user's open lots, in the order of spending."""
    rows = await parts.pool.fetch(
        "SELECT remaining FROM lots JOIN users USING (user_no) WHERE user_id = $1 ORDER BY expires_at, lot_id",
        user_id,
    )
    return [row["remaining"] for row in rows]


async def available(parts: Parts, user_id: str) -> int:
    """Return the points that the user can spend now."""
    return (await parts.statement.rewards(user_id)).total_points
