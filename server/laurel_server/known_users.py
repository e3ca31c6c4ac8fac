"""What a process remembers of users so as not to ask the ledger for it."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final, Generic, TypeVar

T = TypeVar("T")

USERS_KNOWN: Final = 100_000
"""How many users are remembered at most, with some 150 bytes each."""


class KnownUsers(Generic[T]):
    """Something about each of up to `limit` users; of more those go first who were looked at longest ago.

    It holds as long as this process hears all that happens to them: after a time in which another one did, all has to
    be forgotten.
    """

    def __init__(self, limit: int = USERS_KNOWN) -> None:
        self._limit = limit
        self._known: dict[str, T] = {}

    def forget(self, user_ids: Iterable[str]) -> None:
        """Remember nothing of users: others may come under their ids."""
        for user_id in user_ids:
            self._known.pop(user_id, None)

    def forget_all(self) -> None:
        """Remember nobody."""
        self._known.clear()

    def _keep(self, known: Mapping[str, T]) -> None:
        for user_id, each in known.items():
            self._known.pop(user_id, None)  # so that it comes last
            self._known[user_id] = each
        for user_id in list(islice(self._known, max(0, len(self._known) - self._limit))):
            del self._known[user_id]
