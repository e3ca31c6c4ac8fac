"""Who was told of his rank lately, as far as this server knows."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from laurel_server.domain.notifications import ToldRank
from laurel_server.known_users import USERS_KNOWN, KnownUsers


class LatelyTold(KnownUsers[datetime]):
    """Until when users are told of nothing but milestones, so that the ledger is not asked what is known.

    Another server may tell them more meanwhile, which the ledger says then.
    """

    def __init__(self, every: timedelta, limit: int = USERS_KNOWN) -> None:
        super().__init__(limit)
        self._every = every

    def others(self, user_ids: Iterable[str], now: datetime) -> list[str]:
        """Return those of whom nothing is known that keeps them from being told."""
        until = self._known
        return [user_id for user_id in user_ids if user_id not in until or until[user_id] <= now]

    def note(self, told: Mapping[str, ToldRank]) -> None:
        """Remember who was told when."""
        self._keep({user_id: last.told_at + self._every for user_id, last in told.items()})
