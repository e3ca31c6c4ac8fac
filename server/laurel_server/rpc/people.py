"""AdminService: people."""

from collections.abc import Sequence
from typing import Final, Protocol

from laurel.admin.v1.people_pb2 import (
    EraseUserRequest,
    EraseUserResponse,
    ListUsersRequest,
    ListUsersResponse,
    SetVisibilityRequest,
    SetVisibilityResponse,
)
from laurel_server.domain.boards import Visibility
from laurel_server.domain.identifiers import idempotency_key
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Order
from laurel_server.domain.user_filter import UserFilter
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.awards import request_hash
from laurel_server.rpc.convert.users import write_user
from laurel_server.rpc.paging import PageTokens, page_size, query_of, write_page
from laurel_server.rpc.ports import Profiles

DEFAULT_PAGE_SIZE: Final = 100


class People(Protocol):
    """Finds people and takes measures."""

    async def find(self, wanted: UserFilter, after: str, limit: int) -> Sequence[User]:
        """Return up to `limit` people by id, those after `after`."""
        ...

    async def set_visibility(self, order: Order, visibility: Visibility) -> bool:
        """Set who sees a user; True: this was answered before. USER_NOT_FOUND, IDEMPOTENCY_CONFLICT."""
        ...

    async def erase(self, order: Order) -> bool:
        """Erase a person; True: this was answered before. USER_NOT_FOUND, IDEMPOTENCY_CONFLICT."""
        ...


class PeopleServicer:
    """Lists, hides and erases people, for operators."""

    service = methods.ADMIN

    def __init__(self, people: People, profiles: Profiles) -> None:
        self._people = people
        self._profiles = profiles
        self._tokens = PageTokens("ListUsers")

    async def ListUsers(self, request: ListUsersRequest, call: CallContext) -> ListUsersResponse:
        """Read a page of users."""
        query = query_of(request)
        after = self._tokens.position(request.page_token, query)
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        users = await self._people.find(UserFilter.parse(request.filter), after, size + 1)
        response = ListUsersResponse()
        written = write_page(response.users, users[:size], write_user)
        if written < len(users):
            response.next_page_token = self._tokens.issue(users[written - 1].user_id, query)
        return response

    async def SetVisibility(self, request: SetVisibilityRequest, call: CallContext) -> SetVisibilityResponse:
        """Set who sees a user on boards."""
        order = _order("SetVisibility", request, call.caller)
        replayed = await self._people.set_visibility(order, Visibility(request.visibility))
        response = SetVisibilityResponse(replayed=replayed)
        write_user(response.user, await self._profiles.get(request.user_id))
        return response

    async def EraseUser(self, request: EraseUserRequest, call: CallContext) -> EraseUserResponse:
        """Erase a person for good."""
        return EraseUserResponse(replayed=await self._people.erase(_order("EraseUser", request, call.caller)))


def _order(family: str, request: SetVisibilityRequest | EraseUserRequest, caller: str) -> Order:
    return Order(
        user_id=request.user_id,
        request_id=request.request_id,
        key=idempotency_key(family, caller, request.request_id),
        request_hash=request_hash(request),
        actor=request.actor or caller,
        reason=request.reason,
    )
