"""Orders about people, and how they are refused."""

import hashlib

import pytest

from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.domain.people import Order


def order(user_id: str, request_id: str = "r-1", actor: str = "joe", reason: str = "asked to") -> Order:
    """Return an order as the transport makes it."""
    key = hashlib.blake2b(request_id.encode(), digest_size=16).digest()
    body = hashlib.blake2b(f"{user_id} {actor} {reason}".encode(), digest_size=16).digest()
    return Order(user_id, request_id, key, body, actor, reason)


async def refusal_of(call: object) -> Reason:
    """Return why a call was refused."""
    with pytest.raises(LaurelError) as refused:
        await call  # type: ignore[misc]
    return refused.value.reason
