from collections.abc import Iterator
from typing import cast

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from laurel.admin.v1.admin_service_pb2 import BatchUpsertUsersRequest
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetLeaderboardRequest, GetRankRequest
from laurel.rewards.v1.corrections_pb2 import ReverseTransactionRequest
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, BatchAwardPointsRequest
from laurel.type.v1.board_pb2 import BoardRef
from laurel.type.v1.user_pb2 import User
from laurel_server.rpc.methods import SERVICES, Method, methods_of
from laurel_server.rpc.rule_words import words
from laurel_server.rpc.violations import violations

METHODS = [method for service in SERVICES for method in methods_of(service)]
VALID = {"request_id": "r-1", "user_id": "u", "action": "PURCHASE"}
NUL = "must not contain the character NUL"


def award(**fields: object) -> AwardPointsRequest:
    return AwardPointsRequest(**(VALID | fields))  # type: ignore[arg-type]


def patterns(message_type: Descriptor, seen: set[str]) -> Iterator[str]:
    """Yield each pattern that the contract declares for a text in it, also for items of lists and keys of maps."""
    if message_type.full_name in seen:
        return
    seen.add(message_type.full_name)
    for field in message_type.fields:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        for each in (rules, rules.repeated.items, rules.map.keys, rules.map.values):
            if each.string.pattern:
                yield each.string.pattern
        if field.message_type is not None:
            yield from patterns(field.message_type, seen)


PATTERNS = sorted(
    {
        each
        for method in METHODS
        for each in patterns(cast("Descriptor", method.request_type.DESCRIPTOR), set())
    }
)


def fields_of(message: Message) -> list[str]:
    return [violation.field for violation in violations(message)]


def test_a_valid_message_breaks_no_rule() -> None:
    assert violations(award(attributes={"order_value": "9.90"}, reason="ü" * 1000)) == []


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name)
def test_the_rules_of_every_request_compile(method: Method) -> None:
    assert isinstance(violations(method.request_type()), list)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (AwardPointsRequest(), ["request_id", "user_id", "action"]),
        (award(user_id="has space"), ["user_id"]),
        (award(user_id="u\n"), ["user_id"]),
        (award(attributes={"a": "x" * 257}), ['attributes["a"]']),
        (award(attributes={"a b": "1"}), ['attributes["a b"]']),
        (GetLeaderboardRequest(page_size=-1), ["page_size"]),
        (GetRankRequest(user_id="u", board=BoardRef(period_id="x" * 33)), ["board.period_id"]),
        (BatchUpsertUsersRequest(users=[User(user_id="u"), User(user_id="!")]), ["users[1].user_id"]),
        (BatchUpsertUsersRequest(), ["users"]),
        (BatchAwardPointsRequest(), ["awards"]),
        (BatchAwardPointsRequest(awards=[award()] * 1001), ["awards"]),
    ],
)
def test_a_broken_rule_names_the_field_by_its_proto_path(message: Message, fields: list[str]) -> None:
    assert fields_of(message) == fields


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (award(request_id="x" * 129), "must be at most 128 characters"),
        (award(request_id=""), "must not be empty"),
        (BatchAwardPointsRequest(), "must not be empty"),
        (award(user_id="a b"), "must be 1 to 64 characters out of A-Z, a-z, 0-9 and _.:@-"),
        (
            ReverseTransactionRequest(request_id="r", transaction_id="1", numerator="-1"),
            "must be a decimal such as 33.33, with up to 20 digits before and after the point; or empty",
        ),
    ],
)
def test_the_rule_is_said_in_words(message: Message, said: str) -> None:
    (violation,) = violations(message)
    assert violation.description == said


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_of_the_contract_has_words(pattern: str) -> None:
    assert words("string.pattern", pattern, "").startswith("must ")


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (award(reason="a\0b"), ["reason"]),
        (award(request_id="\0"), ["request_id"]),
        (award(attributes={"a": "\0", "b": "1"}), ['attributes["a"]']),
        (
            BatchUpsertUsersRequest(users=[User(user_id="u"), User(user_id="v", username="\0")]),
            ["users[1].username"],
        ),
    ],
)
def test_nul_is_refused_in_every_text(message: Message, fields: list[str]) -> None:
    broken = violations(message)
    assert [violation.field for violation in broken] == fields
    assert {violation.description for violation in broken} == {NUL}


def test_a_zero_byte_elsewhere_in_a_message_is_no_nul() -> None:
    message = GetRankRequest(user_id="u", board=BoardRef())
    assert b"\0" in message.SerializeToString()
    assert violations(message) == []


def test_the_items_of_an_award_batch_are_left_to_the_servicer() -> None:
    assert violations(BatchAwardPointsRequest(awards=[AwardPointsRequest(), award(reason="\0")])) == []


def test_a_serialized_form_may_be_given() -> None:
    message = award(reason="\0")
    assert violations(message, message.SerializeToString()) == violations(message)
