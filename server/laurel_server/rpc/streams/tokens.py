"""Resume tokens: where a watch stood, bound to what it watches."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from struct import Struct
from typing import Final, NamedTuple

from laurel_server.domain.errors import LaurelError, Reason

_VERSION: Final = 1
_DIGEST_SIZE: Final = 8
_HEAD: Final = Struct("!BQ")  # version, sequence


class Resumed(NamedTuple):
    """Where an earlier stream stood: the number of its last message, and what it had told."""

    sequence: int
    told: bytes


START: Final = Resumed(0, b"")


class ResumeTokens:
    """The tokens of one query of one method. Making one takes under a microsecond: every message carries one.

    The digest tells a token of another query, or one that was changed, from ours. It is no secret: a token
    says nothing but what its holder was told.
    """

    __slots__ = ("_digest",)

    def __init__(self, method: str, *query: str) -> None:
        named = hashlib.blake2b(digest_size=32)
        for part in (method, *query):
            encoded = part.encode()
            named.update(len(encoded).to_bytes(4, "big") + encoded)  # tells ("ab", "c") from ("a", "bc")
        self._digest = hashlib.blake2b(digest_size=_DIGEST_SIZE, key=named.digest())

    def issue(self, sequence: int, told: bytes) -> str:
        """Return the token of the message with that number."""
        content = _HEAD.pack(_VERSION, sequence) + told
        digest = self._digest.copy()
        digest.update(content)
        return urlsafe_b64encode(content + digest.digest()).rstrip(b"=").decode()

    def resume(self, token: str) -> Resumed:
        """Return what `token` says; that nothing was told where it is empty. PAGE_TOKEN_INVALID."""
        return self.read(token) if token else START

    def read(self, token: str) -> Resumed:
        """Return what `token` says. PAGE_TOKEN_INVALID if it is not of this query."""
        content = _decoded(token)[:-_DIGEST_SIZE]
        if len(content) < _HEAD.size:
            raise invalid_token()
        version, sequence = _HEAD.unpack_from(content)
        told = content[_HEAD.size :]
        if version != _VERSION or self.issue(sequence, told) != token:
            raise invalid_token()
        return Resumed(sequence, told)


def _decoded(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Base64Error, ValueError):
        raise invalid_token() from None


def invalid_token() -> LaurelError:
    """Return the refusal of a token that is none of ours."""
    return LaurelError(
        Reason.PAGE_TOKEN_INVALID,
        "the resume token is not one of this watch; start anew without one",
        field="resume_token",
    )
