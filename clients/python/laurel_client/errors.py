"""What a call raises: the status of the server with its details decoded."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, NamedTuple, Self

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

_DETAILS_KEY: Final = "grpc-status-details-bin"
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_PASSING_REASONS: Final = frozenset(
    {"OVERLOADED", "RATE_LIMITED", "READER_TOO_SLOW", "LEDGER_UNAVAILABLE", "BOARDS_REBUILDING", "DRAINING"}
)
_PASSING_CODES: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,  # by the server, which stops; who cancels himself gets no error
    }
)


class FieldViolation(NamedTuple):
    """A field, by its path in the request (`awards[3].user_id`), and the rule it breaks."""

    field: str
    description: str


class LaurelCallError(Exception):
    """A call, or one item of a batch, that was refused or failed.

    `reason` is a name of `laurel.errors.v1.ErrorReason` without its prefix, which also documents the keys of
    `metadata`; it is empty where the error is not Laurel's own, as for a server that cannot be reached.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: dict[str, str] | None = None,
        violations: Iterable[FieldViolation] = (),
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(f"{reason or code.name}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = metadata or {}
        self.violations = tuple(violations)
        self.retry_after = retry_after

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed later; repeating it is safe under the same request_id."""
        return self.reason in _PASSING_REASONS if self.reason else self.code in _PASSING_CODES

    @classmethod
    def from_call(cls, failure: grpc.aio.AioRpcError) -> Self:
        """Return the error of a failed call."""
        status = _details_of(failure)
        if status is not None:
            return cls.from_status(status)
        return cls(failure.code(), failure.details() or "the server said nothing more")

    @classmethod
    def from_status(cls, status: Status) -> Self:
        """Return the error that a status describes, such as that of one item of a batch."""
        info, bad_request, retry = ErrorInfo(), BadRequest(), RetryInfo()
        has_retry = False
        for detail in status.details:
            detail.Unpack(info) or detail.Unpack(bad_request)
            has_retry |= detail.Unpack(retry)
        return cls(
            _CODES.get(status.code, grpc.StatusCode.UNKNOWN),
            status.message,
            reason=info.reason,
            metadata=dict(info.metadata),
            violations=[
                FieldViolation(each.field, each.description) for each in bad_request.field_violations
            ],
            retry_after=retry.retry_delay.ToTimedelta() if has_retry else None,
        )


def _details_of(failure: grpc.aio.AioRpcError) -> Status | None:
    """Return the rich status in the trailing metadata; None if there is none that can be read."""
    for key, value in failure.trailing_metadata():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value)
            except DecodeError:
                return (
                    None  # something between us and the server garbled it; its code and text are still there
                )
    return None
