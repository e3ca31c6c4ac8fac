import pytest

from laurel.admin.v1.people_pb2 import EraseUserRequest, ListUsersRequest, SetVisibilityRequest
from laurel.type.v1.user_pb2 import Visibility as WireVisibility
from laurel_server.domain.boards import Visibility
from laurel_server.domain.errors import Reason
from laurel_server.domain.ledger import User
from laurel_server.domain.people import Order
from laurel_server.domain.user_filter import Text, UserFilter
from tests.integration.rpc.harness import Served, refused


async def test_pages_of_users(served: Served) -> None:
    request = ListUsersRequest(filter="u*", page_size=4)
    listed = []
    while True:
        page = await served.admin.ListUsers(request)
        listed.append([user.user_id for user in page.users])
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert [len(page) for page in listed] == [4, 4, 2]
    assert sum(listed, []) == [f"u{number}" for number in range(10)]  # noqa: RUF017 - a few short lists
    assert served.people.asked[1] == (UserFilter(user_id=Text("u", is_prefix=True)), "u3", 5)


async def test_a_token_of_another_filter_is_refused(served: Served) -> None:
    first = await served.admin.ListUsers(ListUsersRequest(filter="u*", page_size=4))
    with refused(Reason.PAGE_TOKEN_INVALID):
        await served.admin.ListUsers(ListUsersRequest(filter="v*", page_token=first.next_page_token))


async def test_what_is_no_filter_is_refused(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.ListUsers(ListUsersRequest(filter="age > 3"))
    assert refusal.fields.keys() == {"filter"}


async def test_visibility_is_set_by_somebody_for_a_reason(served: Served) -> None:
    served.profiles.users["u1"] = User("u1", visibility=Visibility.HIDDEN)
    answer = await served.admin.SetVisibility(
        SetVisibilityRequest(
            request_id="r-1",
            user_id="u1",
            visibility=WireVisibility.VISIBILITY_HIDDEN,
            actor="joe",
            reason="cheated",
        )
    )
    assert (answer.user.user_id, answer.user.visibility) == ("u1", WireVisibility.VISIBILITY_HIDDEN)
    order, visibility = served.people.asked[0]
    assert isinstance(order, Order)
    assert (order.user_id, order.request_id, order.actor, order.reason) == ("u1", "r-1", "joe", "cheated")
    assert visibility is Visibility.HIDDEN


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SetVisibilityRequest(request_id="r", user_id="u"), "visibility"),
        (SetVisibilityRequest(user_id="u", visibility=WireVisibility.VISIBILITY_HIDDEN), "request_id"),
        (SetVisibilityRequest(request_id="r", user_id="u", visibility=7), "visibility"),  # type: ignore[arg-type]
    ],
)
async def test_a_malformed_visibility_is_refused(
    served: Served, request_: SetVisibilityRequest, field: str
) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.SetVisibility(request_)
    assert refusal.fields.keys() == {field}


async def test_an_erasure_names_the_caller_if_nobody_else(served: Served) -> None:
    answer = await served.admin.EraseUser(EraseUserRequest(request_id="r-1", user_id="u1"))
    assert answer.replayed
    ((order,),) = served.people.asked
    assert isinstance(order, Order)
    assert (order.user_id, order.actor) == ("u1", "anonymous")
