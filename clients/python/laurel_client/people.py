"""AdminService: people beside their profiles."""

from collections.abc import AsyncIterator

from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.admin.v1.notifications_pb2 import (
    GetNotificationPreferencesRequest,
    NotificationPreferences,
    PutNotificationPreferencesRequest,
)
from laurel.admin.v1.people_pb2 import EraseUserRequest, ListUsersRequest, SetVisibilityRequest
from laurel.type.v1.user_pb2 import User, Visibility
from laurel_client.caller import Caller
from laurel_client.requests import new_request_id


class People:
    """Finds, hides and erases."""

    def __init__(self, stub: AdminServiceStub, caller: Caller) -> None:
        self._stub = stub
        self._caller = caller

    async def list_users(self, filter: str = "") -> AsyncIterator[User]:  # noqa: A002 - the contract's name
        """Yield users by id: all, or those for whom every term of a filter such as `country=US tier=GOLD` holds."""
        async for page in self._caller.pages(self._stub.ListUsers, ListUsersRequest(filter=filter)):
            for user in page.users:
                yield user

    async def set_visibility(
        self,
        user_id: str,
        visibility: Visibility.ValueType,
        *,
        actor: str = "",
        reason: str = "",
        request_id: str = "",
    ) -> User:
        """Set who sees a user on boards, and return the user."""
        request = SetVisibilityRequest(
            request_id=request_id or new_request_id(),
            user_id=user_id,
            visibility=visibility,
            actor=actor,
            reason=reason,
        )
        return (await self._caller.call(self._stub.SetVisibility, request)).user

    async def get_notification_preferences(self, user_id: str) -> NotificationPreferences:
        """Return what a user wants to be told, and when."""
        request = GetNotificationPreferencesRequest(user_id=user_id)
        return (await self._caller.call(self._stub.GetNotificationPreferences, request)).preferences

    async def put_notification_preferences(
        self, preferences: NotificationPreferences
    ) -> NotificationPreferences:
        """Replace what a user wants to be told, and when; return it as stored."""
        request = PutNotificationPreferencesRequest(preferences=preferences)
        return (await self._caller.call(self._stub.PutNotificationPreferences, request)).preferences

    async def erase_user(
        self, user_id: str, *, actor: str = "", reason: str = "", request_id: str = ""
    ) -> None:
        """Erase a person for good; the entries stay without the id."""
        request = EraseUserRequest(
            request_id=request_id or new_request_id(), user_id=user_id, actor=actor, reason=reason
        )
        await self._caller.call(self._stub.EraseUser, request)
