"""AdminService: what users want to be told."""

from datetime import time
from typing import Protocol

from laurel.admin.v1.notifications_pb2 import (
    GetNotificationPreferencesRequest,
    GetNotificationPreferencesResponse,
    PutNotificationPreferencesRequest,
    PutNotificationPreferencesResponse,
)
from laurel.admin.v1.notifications_pb2 import NotificationPreferences as PreferencesMessage
from laurel_server.domain.errors import invalid_field
from laurel_server.domain.notifications import Kind, Preferences
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.times import read_ledger_moment, write_moment


class UserPreferences(Protocol):
    """Keeps what users want to be told."""

    async def read(self, user_id: str) -> Preferences:
        """Return what a user wants. USER_NOT_FOUND."""
        ...

    async def write(self, user_id: str, preferences: Preferences) -> None:
        """Replace what a user wants. USER_NOT_FOUND."""
        ...


class NotificationsServicer:
    """Reads and writes preferences."""

    service = methods.ADMIN

    def __init__(self, preferences: UserPreferences) -> None:
        self._preferences = preferences

    async def PutNotificationPreferences(
        self, request: PutNotificationPreferencesRequest, call: CallContext
    ) -> PutNotificationPreferencesResponse:
        """Replace what a user wants to be told."""
        user_id = request.preferences.user_id
        await self._preferences.write(user_id, _read(request.preferences))
        response = PutNotificationPreferencesResponse()
        _write(response.preferences, user_id, await self._preferences.read(user_id))
        return response

    async def GetNotificationPreferences(
        self, request: GetNotificationPreferencesRequest, call: CallContext
    ) -> GetNotificationPreferencesResponse:
        """Read what a user wants to be told."""
        response = GetNotificationPreferencesResponse()
        _write(response.preferences, request.user_id, await self._preferences.read(request.user_id))
        return response


def _read(message: PreferencesMessage) -> Preferences:
    """Return the preferences in a message. INVALID_FIELD."""
    if bool(message.quiet_from) != bool(message.quiet_until):
        raise invalid_field("preferences.quiet_until", "is set together with quiet_from, or not at all")
    return Preferences(
        frozenset(Kind(kind) for kind in message.muted),
        _read_time(message.quiet_from),
        _read_time(message.quiet_until),
        read_ledger_moment(message, "paused_until", parent="preferences."),
    )


def _write(target: PreferencesMessage, user_id: str, preferences: Preferences) -> None:
    target.user_id = user_id
    target.muted.extend(sorted(kind.value for kind in preferences.muted))
    target.quiet_from = _write_time(preferences.quiet_from)
    target.quiet_until = _write_time(preferences.quiet_until)
    write_moment(target.paused_until, preferences.paused_until)


def _read_time(text: str) -> time | None:
    return time.fromisoformat(text) if text else None


def _write_time(moment: time | None) -> str:
    return "" if moment is None else moment.isoformat("minutes")
