"""What the gateway of `laurel serve` answers when it or the server refuses."""

import pytest

from tests.e2e.curl import curl
from tests.e2e.serving import Serve, worked


@pytest.mark.parametrize(
    ("path", "data", "status", "code"),
    [
        ("nonsense", None, 404, 5),
        ("", None, 404, 5),
        ("rewards/award", None, 404, 5),  # a user of that name who does not exist
        ("rewards/award/x", {}, 404, 5),
        ("rewards/award", "{", 400, 3),
        ("rewards/award", "[]", 400, 3),
        ("rewards/award", '{"user_id": {}}', 400, 3),
        ("rewards/award", '{"validate_only": "perhaps"}', 400, 3),
        ("leaderboard/global?period=fortnightly", None, 400, 3),
        ("leaderboard/global?limit=many", None, 400, 3),
        ("leaderboard/global?colour=red", None, 400, 3),
        ("rewards/a%00b", None, 400, 3),
    ],
)
def test_errors_of_the_edge_are_json(api: str, path: str, data: object, status: int, code: int) -> None:
    answer = curl(f"{api}/{path}", data=data)
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["message"]
    assert isinstance(answer.json["details"], list)
    if status == 400:
        assert answer.reason == "INVALID_FIELD"


@pytest.mark.parametrize("header", ["grpc-timeout: soon", "grpc-timeout;", "grpc-encoding: x", "x-y-bin: !"])
def test_a_header_that_cannot_be_read_is_the_callers_fault(api: str, header: str) -> None:
    answer = curl(f"{api}/rewards/nobody", "-H", header)
    assert (answer.status, answer.json["code"], answer.reason) == (400, 3, "INVALID_FIELD")
    assert header.partition(":")[0].rstrip(";") in answer.json["message"]


@pytest.mark.parametrize(
    ("path", "data", "field"),
    [
        ("rewards/redeem", '{"points": "five"}', "points"),
        ("rewards/redeem", '{"requestId": 5}', "request_id"),
        ("rewards/award", '{"attributes": [1]}', "attributes"),
        ("rewards/award", '{"attributes": "x"}', "attributes"),
        ("rewards/award", '{"attributes": {"order_value": 5}}', "attributes[0].value"),
        ("rewards/award", '{"attributes": {"order_value": ["x"]}}', "attributes[0].value"),
        ("rewards/award", '{"userId": {}}', "user_id"),
        ("rewards/award", '{"occurredAt": "yester\\"day\\\\"}', "occurred_at"),
        ("rewards/award/batch", '{"awards": [{"userId": 5}]}', "awards[0].user_id"),
        ("rewards/redeem", '{"points": [5]}', "points"),
        ("rewards/award", '{"reason": "a \\"list\\": [", "userId": ["a", "b"]}', "user_id"),
        ("rewards/award", '{"occurredAt": []}', "occurred_at"),
        ("leaderboard/update", '{"score": 5, "board": {"scope": ["x"]}}', "board.scope"),
        ("leaderboard/update", '{"board": [{"scope": "x"}]}', "board"),
        (
            "rewards/award/batch",
            '{"awards": [{}, {"attributes": {"a": "1"}, "reason": ["x"]}]}',
            "awards[1].reason",
        ),
        ("rewards/redeem", "{", ""),
        ("rewards/redeem", "null", ""),
        ("leaderboard/global?limit=many", None, "page_size"),
        ("leaderboard/global?period=fortnightly", None, "board.period"),
        ("leaderboard/global?colour=red", None, "colour"),
    ],
)
def test_what_cannot_be_read_is_named_like_what_is_wrong(
    api: str, path: str, data: object, field: str
) -> None:
    answer = curl(f"{api}/{path}", data=data)
    info, broken = answer.json["details"]
    (violation,) = broken["fieldViolations"]
    assert (answer.status, info["metadata"], violation["field"]) == (400, {"field": field}, field)
    assert answer.json["message"].endswith(violation["description"])
    assert not [name for name in answer.headers if name.startswith("x-laurel")]


def test_a_body_that_is_nested_without_end_keeps_nobody_waiting(laurel: Serve, api: str) -> None:
    list_in_the_middle = '[1,2,{"x":['
    nested = '{"awards":' + "[" * 32_700 + list_in_the_middle
    before = worked(laurel.pids["envoy"])
    for _ in range(20):
        answer = curl(f"{api}/rewards/award/batch", data=nested)
        assert (answer.status, answer.reason) == (400, "INVALID_FIELD")
    # Naming the list by its path would take half a second each time.
    assert worked(laurel.pids["envoy"]) - before < 6


def test_an_object_as_an_attribute_is_named(api: str) -> None:
    answer = curl(f"{api}/rewards/award", data='{"attributes": {"order_value": {"amount": 5}}}')
    info, broken = answer.json["details"]
    assert (answer.status, info["reason"], info["metadata"]["field"]) == (400, "INVALID_FIELD", "attributes")
    assert [each["field"] for each in broken["fieldViolations"]] == ["attributes"]


def test_paths_outside_of_the_api_are_json_errors_too(api: str) -> None:
    answer = curl(api.replace("/api/v1", "/no/such/page"))
    assert (answer.status, answer.json["code"], answer.json["details"]) == (404, 5, [])


def test_errors_of_laurel_keep_their_reason_and_name_fields_of_the_contract(api: str) -> None:
    answer = curl(f"{api}/rewards/award", data={})
    assert (answer.status, answer.reason) == (400, "INVALID_FIELD")
    (broken,) = [each for each in answer.json["details"] if each["@type"].endswith("/google.rpc.BadRequest")]
    assert [violation["field"] for violation in broken["fieldViolations"]] == [
        "request_id",
        "user_id",
        "action",
    ]
    missing = curl(f"{api}/rewards/nobody-at-all")
    assert (missing.status, missing.json["code"], missing.reason) == (404, 5, "USER_NOT_FOUND")
