"""Commands other than awards, as tests send them."""

import hashlib
from itertools import count

from laurel_server.domain.commands import ChangeAnswer, RequestKey
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
    return await parts.spending.cancel(key(request_id, transaction_id), transaction_id, "returned", None)


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
