from typing import cast

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from protovalidate import collect_violations

from buf.validate import validate_pb2
from laurel.admin.v1.admin_service_pb2 import ListCampaignsRequest, UpsertUserRequest
from laurel.leaderboard.v1.leaderboard_service_pb2 import (
    BatchGetRanksRequest,
    GetLeaderboardRequest,
    GetRankRequest,
    GetSurroundingRequest,
    WatchLeaderboardRequest,
)
from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    BatchAwardPointsRequest,
    GetRewardsRequest,
    GetTransactionRequest,
)
from laurel.type.v1.board_pb2 import BoardRef
from laurel_server.rpc.methods import SERVICES, methods_of
from laurel_server.rpc.quick_rules import quick_check

CHECKS = {
    method.request_type: check
    for service in SERVICES
    for method in methods_of(service)
    if (check := quick_check(method.request_type))
}
BOARD = BoardRef(scope="country:US", period=2, period_id="2026-W48")  # type: ignore[arg-type]
VALID = [
    AwardPointsRequest(request_id="r" * 128, user_id="a_.:@-Z9", action="PURCHASE", attributes={"a": "1"}),
    GetRewardsRequest(user_id="u"),
    GetTransactionRequest(transaction_id="123"),
    GetLeaderboardRequest(),
    GetLeaderboardRequest(board=BOARD, page_size=5000, user_id="u"),
    GetRankRequest(board=BOARD, user_id="u"),
    GetSurroundingRequest(user_id="u", range=100),
    WatchLeaderboardRequest(top_n=100),
    ListCampaignsRequest(page_size=3),
]
# What rules are sensitive to: their bounds, line ends, and characters of other alphabets.
LENGTHS = (1, 32, 64, 80, 100, 128, 256, 512, 1000)
TEXTS = st.one_of(
    st.sampled_from(["", "u", "A", "USER:1", "u\n", "\n", "\0", "é", "\N{FULLWIDTH DIGIT ONE}", "1" * 20]),
    st.sampled_from([letter * (length + over) for letter in "Aé" for length in LENGTHS for over in (0, 1)]),
    st.text(max_size=5),
)
NUMBERS = st.sampled_from([0, 1, -1, 99, 100, 101, 1000, 1001, 2**31 - 1, -(2**31)])


def values_of(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return st.one_of(st.dictionaries(TEXTS, TEXTS, max_size=3), st.just({f"k{n}": "" for n in range(65)}))
    if field.message_type is not None:
        return messages(GetMessageClass(field.message_type))
    if field.type == FieldDescriptor.TYPE_STRING:
        return TEXTS
    if field.type == FieldDescriptor.TYPE_ENUM:
        return st.integers(min_value=-1, max_value=9)
    return st.booleans() if field.type == FieldDescriptor.TYPE_BOOL else NUMBERS


def messages(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Generate messages of that type whose fields are set at random."""
    fields = {field.name: values_of(field) for field in cast("Descriptor", kind.DESCRIPTOR).fields}
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: kind(**values))


@pytest.mark.parametrize("message", VALID, ids=lambda message: type(message).__name__)
def test_ordinary_requests_are_recognized(message: Message) -> None:
    assert CHECKS[type(message)](message)
    assert not collect_violations(message)


@given(st.sampled_from(sorted(CHECKS, key=lambda kind: kind.DESCRIPTOR.full_name)).flatmap(messages))
def test_no_request_is_recognized_that_breaks_a_rule(message: Message) -> None:
    if CHECKS[type(message)](message):
        assert not collect_violations(message)


@pytest.mark.parametrize("kind", [BatchAwardPointsRequest, BatchGetRanksRequest, UpsertUserRequest])
def test_rules_of_other_kinds_are_left_to_protovalidate(kind: type[Message]) -> None:
    assert quick_check(kind) is None


@pytest.mark.parametrize(
    ("pattern", "known"),
    [
        ("^[a-z]{1,3}$", True),
        ("^([0-9]+([.][0-9]+)?)?$", True),
        ("[a-z]", False),
        ("^a|b$", False),
        (r"^\d$", False),
        ("^(?i)a$", False),
        ("^a$\n", False),
    ],
)
def test_only_patterns_that_mean_the_same_to_both_are_known(pattern: str, known: bool) -> None:
    assert (quick_check(type_with_pattern(pattern)) is not None) is known


def type_with_pattern(pattern: str) -> type[Message]:
    """Return a message type with one text that must match `pattern`."""
    file = descriptor_pb2.FileDescriptorProto(name="test/text.proto", package="test", syntax="proto3")
    file.dependency.append(validate_pb2.DESCRIPTOR.name)
    field = file.message_type.add(name="Text").field.add(
        name="text", number=1, type=FieldDescriptor.TYPE_STRING, label=FieldDescriptor.LABEL_OPTIONAL
    )
    field.options.Extensions[validate_pb2.field].string.pattern = pattern
    pool = descriptor_pool.DescriptorPool()
    for name in ("descriptor", "duration", "field_mask", "timestamp"):
        known = descriptor_pool.Default().FindFileByName(f"google/protobuf/{name}.proto")
        pool.AddSerializedFile(known.serialized_pb)
    pool.AddSerializedFile(validate_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("test.Text"))
