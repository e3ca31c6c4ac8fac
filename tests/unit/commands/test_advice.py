"""What a person is told to do about an error."""

from datetime import timedelta

import grpc
import pytest

from laurel.errors.v1.error_reason_pb2 import ErrorReason
from laurel_client import LaurelCallError
from laurel_server.commands import advice
from laurel_server.commands.advice import advice_on

Code = grpc.StatusCode


def test_every_reason_with_advice_exists() -> None:
    assert set(advice._BY_REASON) <= {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()}  # noqa: SIM118


@pytest.mark.parametrize(
    ("retry_after", "says"), [(None, "again later"), (timedelta(seconds=90), "again in 90 s")]
)
def test_a_cooldown_says_when(retry_after: timedelta | None, says: str) -> None:
    error = LaurelCallError(
        Code.RESOURCE_EXHAUSTED, "cools down", reason="COOLDOWN_ACTIVE", retry_after=retry_after
    )
    assert says in advice_on(error, "here")


def test_what_is_not_laurels_own_has_advice_by_its_code() -> None:
    assert "no Laurel answers at here" in advice_on(LaurelCallError(Code.UNAVAILABLE, "gone"), "here")
    assert "--timeout" in advice_on(LaurelCallError(Code.DEADLINE_EXCEEDED, "slow"), "here")
    assert advice_on(LaurelCallError(Code.INTERNAL, "oh"), "here") == ""
