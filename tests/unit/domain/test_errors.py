from datetime import timedelta

import pytest

from laurel_server.domain.errors import LaurelError, Reason, invalid_field


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_its_own_name_as_value_and_a_code(reason: Reason) -> None:
    assert reason.value == reason.name
    assert reason.code.isupper()


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Reason.INVALID_FIELD, "INVALID_ARGUMENT"),
        (Reason.FORMULA_INVALID, "INVALID_ARGUMENT"),
        (Reason.USER_NOT_FOUND, "NOT_FOUND"),
        (Reason.NOT_ON_BOARD, "NOT_FOUND"),
        (Reason.INSUFFICIENT_POINTS, "FAILED_PRECONDITION"),
        (Reason.ANALYTICS_DISABLED, "FAILED_PRECONDITION"),
        (Reason.IDEMPOTENCY_CONFLICT, "ALREADY_EXISTS"),
        (Reason.COOLDOWN_ACTIVE, "RESOURCE_EXHAUSTED"),
        (Reason.BOARDS_REBUILDING, "UNAVAILABLE"),
        (Reason.CREDENTIALS_INVALID, "UNAUTHENTICATED"),
        (Reason.SCOPE_MISSING, "PERMISSION_DENIED"),
        (Reason.INTERNAL, "INTERNAL"),
    ],
)
def test_code(reason: Reason, code: str) -> None:
    assert reason.code == code


def test_an_error_carries_what_a_caller_needs() -> None:
    error = LaurelError(
        Reason.OVERLOADED, "try later", metadata={"queue": "awards"}, retry_after=timedelta(seconds=1)
    )
    assert str(error) == error.message == "try later"
    assert error.metadata == {"queue": "awards"}
    assert (error.field, error.retry_after) == ("", timedelta(seconds=1))
    assert repr(error) == "LaurelError(OVERLOADED, 'try later')"


def test_an_invalid_field_is_named_in_the_field_and_in_the_metadata() -> None:
    error = invalid_field("attributes", "no number", attribute="order_value")
    assert (error.reason, error.field) == (Reason.INVALID_FIELD, "attributes")
    assert error.metadata == {"field": "attributes", "attribute": "order_value"}
