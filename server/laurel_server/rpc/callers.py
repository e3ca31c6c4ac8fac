"""Who may call: static tokens, each with the name of its caller and the scopes that it has."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from laurel_server.rpc.methods import Scope

_DIGEST_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows; `caller` is part of the scope of every idempotency key."""

    caller: str
    scopes: frozenset[Scope]


class Callers:
    """Knows tokens by digests under a key of this process alone, so that none can be read back or aimed at."""

    def __init__(self, grants: Mapping[str, Grant]) -> None:
        self._key = secrets.token_bytes(32)
        kept = ((self._digest(token), grant) for token, grant in grants.items())
        self._grants = {digest: (digest, grant) for digest, grant in kept}

    def grant_of(self, token: str) -> Grant | None:
        """Return what `token` allows, None for an unknown one. Costs about a microsecond."""
        presented = self._digest(token)
        digest, grant = self._grants.get(presented, _UNKNOWN)
        return grant if compare_digest(digest, presented) else None

    def _digest(self, token: str) -> bytes:
        return blake2b(token.encode(), digest_size=_DIGEST_SIZE, key=self._key).digest()


_UNKNOWN: Final = (b"", Grant("", frozenset()))
