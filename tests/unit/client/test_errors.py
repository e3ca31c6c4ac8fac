"""What a status becomes for the caller."""

from datetime import timedelta

import grpc
import pytest
from google.rpc.status_pb2 import Status

from laurel_client import FieldViolation, LaurelCallError
from tests.unit.client.standin import Refusal

Code = grpc.StatusCode


def error_of(refusal: Refusal) -> LaurelCallError:
    return LaurelCallError.from_status(refusal.status())


def failure_with(details: bytes | None) -> grpc.aio.AioRpcError:
    trailing = grpc.aio.Metadata(*([("grpc-status-details-bin", details)] if details is not None else []))
    return grpc.aio.AioRpcError(Code.NOT_FOUND, grpc.aio.Metadata(), trailing, "no such user")


def test_all_details_are_decoded() -> None:
    error = error_of(Refusal(Code.INVALID_ARGUMENT, "INVALID_FIELD", 1.5, {"user_id": "too long"}))
    assert (error.code, error.reason, error.message) == (Code.INVALID_ARGUMENT, "INVALID_FIELD", "no")
    assert error.metadata == {"key": "value"}
    assert error.violations == (FieldViolation("user_id", "too long"),)
    assert error.retry_after == timedelta(seconds=1.5)
    assert str(error) == "INVALID_FIELD: no"


def test_a_status_without_details_has_a_code_and_a_message() -> None:
    error = error_of(Refusal(Code.UNAVAILABLE))
    assert (error.reason, error.metadata, error.violations, error.retry_after) == ("", {}, (), None)
    assert str(error) == "UNAVAILABLE: no"


def test_an_unknown_code_is_unknown() -> None:
    assert LaurelCallError.from_status(Status(code=99, message="no")).code is Code.UNKNOWN


@pytest.mark.parametrize("details", [None, b"\xff\xff garbage"])
def test_a_call_whose_details_cannot_be_read_still_has_its_code_and_text(details: bytes | None) -> None:
    error = LaurelCallError.from_call(failure_with(details))
    assert (error.code, error.message, error.reason) == (Code.NOT_FOUND, "no such user", "")


def test_the_details_of_a_call_are_read_from_its_trailing_metadata() -> None:
    details = Refusal(Code.NOT_FOUND, "USER_NOT_FOUND").status().SerializeToString()
    assert LaurelCallError.from_call(failure_with(details)).reason == "USER_NOT_FOUND"


@pytest.mark.parametrize(
    ("refusal", "may_pass"),
    [
        (Refusal(Code.UNAVAILABLE), True),
        (Refusal(Code.DEADLINE_EXCEEDED), True),
        (Refusal(Code.UNAVAILABLE, "LEDGER_UNAVAILABLE"), True),
        (Refusal(Code.UNAVAILABLE, "BOARDS_REBUILDING", 1), True),
        (Refusal(Code.RESOURCE_EXHAUSTED, "OVERLOADED", 0.2), True),
        (Refusal(Code.RESOURCE_EXHAUSTED, "DAILY_CAP_REACHED"), False),
        (Refusal(Code.RESOURCE_EXHAUSTED, "COOLDOWN_ACTIVE", 60), False),
        (Refusal(Code.RESOURCE_EXHAUSTED), False),
        (Refusal(Code.INTERNAL, "INTERNAL"), False),
    ],
    ids=lambda value: value.reason or value.code.name if isinstance(value, Refusal) else "",
)
def test_only_what_is_of_the_moment_may_pass(refusal: Refusal, *, may_pass: bool) -> None:
    assert error_of(refusal).may_pass is may_pass
