"""Who was told of his rank lately, as far as this server knows."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from laurel_server.domain.notifications import ToldRank

USERS_KNOWN: Final = 100_000
"""How many users are remembered at most, with some 150 bytes each; those who were told longest ago go first."""


class LatelyTold:
    """Until when users are told of nothing but milestones, so that the ledger is not asked what is known.

    Another server may tell them more meanwhile, which the ledger says then.
    """

    def __init__(self, every: timedelta, limit: int = USERS_KNOWN) -> None:
        self._every = every
        self._limit = limit
        self._until: dict[str, datetime] = {}

    def others(self, user_ids: Iterable[str], now: datetime) -> list[str]:
        """Return those of whom nothing is known that keeps them from being told."""
        until = self._until
        return [user_id for user_id in user_ids if user_id not in until or until[user_id] <= now]

    def note(self, told: Mapping[str, ToldRank]) -> None:
        """Remember who was told when."""
        for user_id, last in told.items():
            self._until.pop(user_id, None)
            self._until[user_id] = last.told_at + self._every
        for user_id in list(self._until)[: max(0, len(self._until) - self._limit)]:
            del self._until[user_id]

    def forget(self, user_id: str) -> None:
        """Remember nothing of a user."""
        self._until.pop(user_id, None)
