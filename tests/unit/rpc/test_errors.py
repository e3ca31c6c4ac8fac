import re
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from laurel.errors.v1.error_reason_pb2 import ErrorReason
from laurel_server.domain.errors import LaurelError, Reason, invalid_field
from laurel_server.rpc.errors import InvalidRequestError, Violation, to_status

PREFIX = "ERROR_REASON_"
CONTRACT = Path(__file__).parents[3] / "proto/laurel/errors/v1/error_reason.proto"


def details(status: Status) -> list[Message]:
    found: list[Message] = []
    for packed in status.details:
        detail = {"ErrorInfo": ErrorInfo, "BadRequest": BadRequest, "RetryInfo": RetryInfo}[
            packed.TypeName().rsplit(".", 1)[1]
        ]()
        assert packed.Unpack(detail)
        found.append(detail)
    return found


def test_the_reasons_are_exactly_those_of_the_contract() -> None:
    declared = {name.removeprefix(PREFIX) for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    assert {reason.value for reason in Reason} == declared


def test_the_contract_states_the_code_of_every_reason() -> None:
    comment = re.compile(rf"// ([A-Z_]+)\b.*\n(?: *//.*\n)* *{PREFIX}(\w+) = [1-9]")
    stated = {name: code for code, name in comment.findall(CONTRACT.read_text("utf-8"))}
    assert stated == {reason.value: reason.code for reason in Reason}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_becomes_a_status_with_its_code_and_name(reason: Reason) -> None:
    status = to_status(LaurelError(reason, "No."), "r-1")
    assert grpc.StatusCode[reason.code].value[0] == status.code
    assert status.message == "No."
    assert details(status) == [ErrorInfo(reason=reason.value, domain="laurel")]


def test_metadata_goes_into_the_error_info() -> None:
    error = LaurelError(Reason.NOT_ON_BOARD, "No.", metadata={"user_id": "u", "board": "global"})
    (info,) = details(to_status(error, "r-1"))
    assert info == ErrorInfo(
        reason="NOT_ON_BOARD", domain="laurel", metadata={"user_id": "u", "board": "global"}
    )


def test_a_field_becomes_a_bad_request() -> None:
    status = to_status(invalid_field("board.scope", "must be a scope"), "r-1")
    assert status.message == "board.scope: must be a scope"
    info, bad = details(status)
    assert info == ErrorInfo(reason="INVALID_FIELD", domain="laurel", metadata={"field": "board.scope"})
    violation = BadRequest.FieldViolation(field="board.scope", description="must be a scope")
    assert bad == BadRequest(field_violations=[violation])


def test_all_broken_rules_are_named() -> None:
    error = InvalidRequestError([Violation("user_id", "must not be empty"), Violation("action", "is odd")])
    info, bad = details(to_status(error, "r-1"))
    assert isinstance(info, ErrorInfo)
    assert isinstance(bad, BadRequest)
    assert info.metadata == {"field": "user_id"}
    assert [violation.field for violation in bad.field_violations] == ["user_id", "action"]
    assert to_status(error, "r-1").message == "user_id: must not be empty"


@pytest.mark.parametrize(
    ("asked", "told"), [(timedelta(seconds=90, milliseconds=5), 90.005), (timedelta(seconds=-1), 0)]
)
def test_a_delay_becomes_retry_info(asked: timedelta, told: float) -> None:
    _, retry = details(to_status(LaurelError(Reason.OVERLOADED, "No.", retry_after=asked), "r-1"))
    assert isinstance(retry, RetryInfo)
    assert retry.retry_delay.ToTimedelta().total_seconds() == told


def test_nothing_of_a_foreign_exception_gets_out() -> None:
    status = to_status(ValueError("password=hunter2"), "r-1")
    assert b"hunter2" not in status.SerializeToString()
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    expected = ErrorInfo(reason="INTERNAL", domain="laurel", metadata={"request_id": "r-1"})
    assert details(status) == [expected]


def test_a_timeout_is_the_deadline() -> None:
    status = to_status(TimeoutError("secret"), "r-1")
    assert status.code == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
    assert b"secret" not in status.SerializeToString()
    assert not status.details


@pytest.mark.parametrize("letter", ["x", "ä", "\N{GRINNING FACE}"])
def test_a_status_fits_into_headers_whatever_it_quotes(letter: str) -> None:
    long = letter * 100_000
    error = InvalidRequestError([Violation(f"attributes[{long}{index}]", long) for index in range(1000)])
    error.metadata.update({f"{name}{long}": long for name in "abc"})
    status = to_status(error, "r-1")
    on_the_wire = len(status.SerializeToString()) * 4 / 3 + len(status.message.encode()) * 3
    assert on_the_wire < 8000
