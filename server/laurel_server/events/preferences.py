"""What users want to be told: reading and writing it."""

from datetime import tzinfo

from laurel_server.domain.errors import user_not_found
from laurel_server.domain.notifications import Preferences
from laurel_server.postgres import notifications
from laurel_server.postgres.pool import Pool, ledger_errors


class NotificationPreferences:
    """The preferences of all users. `zone` is that of users who have none."""

    def __init__(self, pool: Pool, zone: tzinfo) -> None:
        self._pool = pool
        self._zone = zone

    async def read(self, user_id: str) -> Preferences:
        """Return what a user wants. USER_NOT_FOUND."""
        async with ledger_errors():
            found = await notifications.read_preferences(self._pool, [user_id], self._zone)
        if user_id not in found:
            raise user_not_found(user_id)
        return found[user_id]

    async def write(self, user_id: str, preferences: Preferences) -> None:
        """Replace what a user wants; his time zone is that of his profile. USER_NOT_FOUND."""
        async with ledger_errors():
            known = await notifications.prefer(self._pool, user_id, preferences)
        if not known:
            raise user_not_found(user_id)
