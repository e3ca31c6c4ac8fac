"""Page sizes, and page tokens that belong to one query."""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from copy import copy
from typing import Final, TypeVar

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from google.protobuf.message import Message

from laurel_server.domain.errors import LaurelError, Reason

MAX_PAGE_SIZE: Final = 1000
"""A larger `page_size` counts as this."""

MAX_PAGE_BYTES: Final = 3 << 20
"""A page ends early rather than outgrow this; clients take messages up to 4 MiB."""

Item = TypeVar("Item")
Entry = TypeVar("Entry", bound=Message)

_OFFSET = re.compile(r"[0-9]{1,18}")
_VERSION = b"\x01"
_DIGEST_SIZE = 12


def page_size(asked: int, default: int) -> int:
    """Return the entries of a page: `default` for 0, at most 1,000. Negative sizes are refused before."""
    return min(asked, MAX_PAGE_SIZE) if asked else default


def query_of(request: Message) -> str:
    """Return what `request` asks for apart from the page, to bind tokens to."""
    query = copy(request)
    query.ClearField("page_size")
    query.ClearField("page_token")
    return query.SerializeToString(deterministic=True).hex()


def write_page(
    target: RepeatedCompositeFieldContainer[Entry],
    items: Sequence[Item],
    write: Callable[[Entry, Item], None],
) -> int:
    """Add `items` to `target` and return how many: not all of them if they would outgrow a message."""
    room = MAX_PAGE_BYTES
    for count, item in enumerate(items, start=1):
        entry = target.add()
        write(entry, item)
        room -= entry.ByteSize()
        if room <= 0:
            return count
    return len(items)


class PageTokens:
    """The tokens of one list method.

    A token holds the position at which the next page starts and a digest of it, the method and the query. The
    digest tells a foreign token from one of ours. It needs no secret: who may ask for a page may ask for all.
    """

    def __init__(self, method: str) -> None:
        self._method = method

    def issue(self, position: int | str, *query: str) -> str:
        """Return the token of the page that starts at `position` of the list that `query` asks for."""
        payload = str(position).encode()
        token = _VERSION + self._digest(payload, query) + payload
        return urlsafe_b64encode(token).rstrip(b"=").decode()

    def position(self, token: str, *query: str) -> str:
        """Return the position in `token`, "" for no token. PAGE_TOKEN_INVALID if it is of another query."""
        if not token:
            return ""
        content = _decoded(token)
        head = 1 + _DIGEST_SIZE
        payload = content[head:]
        if content[:head] != _VERSION + self._digest(payload, query):
            raise _invalid_token()
        return payload.decode(errors="replace")

    def offset(self, token: str, *query: str) -> int:
        """Return the position in `token` as a number, 0 for no token. PAGE_TOKEN_INVALID."""
        position = self.position(token, *query) or "0"
        if not _OFFSET.fullmatch(position):
            raise _invalid_token()
        return int(position)

    def _digest(self, payload: bytes, query: tuple[str, ...]) -> bytes:
        parts = (self._method.encode(), payload, *(part.encode() for part in query))
        digest = hashlib.blake2b(digest_size=_DIGEST_SIZE)
        for part in parts:
            digest.update(
                len(part).to_bytes(4, "big") + part
            )  # the length keeps ("ab", "c") from ("a", "bc")
        return digest.digest()


def _decoded(token: str) -> bytes:
    try:
        content = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (Base64Error, ValueError):
        raise _invalid_token() from None
    # The decoder skips what is not of its alphabet, and ignores spare bits: only the form we issue is ours.
    if urlsafe_b64encode(content).rstrip(b"=").decode() != token:
        raise _invalid_token()
    return content


def _invalid_token() -> LaurelError:
    return LaurelError(
        Reason.PAGE_TOKEN_INVALID,
        "the page token is not one of this query; ask for the first page again",
        field="page_token",
    )
