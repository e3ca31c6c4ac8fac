"""The one map from errors to what callers see: google.rpc.Status with ErrorInfo, BadRequest and RetryInfo.

See `laurel.errors.v1.ErrorReason` for every reason, its code and its metadata.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from laurel_server.domain.errors import LaurelError, Reason

DOMAIN: Final = "laurel"
"""`ErrorInfo.domain` of every error."""

# A status travels in HTTP/2 headers, of which clients take 8 KiB by default. These bounds keep it below.
_MAX_BYTES = 200
_MAX_VIOLATIONS = 6


class Violation(NamedTuple):
    """A field, by its path in the request (`awards[3].user_id`), and the rule it breaks."""

    field: str
    description: str


class InvalidRequestError(LaurelError):
    """INVALID_FIELD for a request that breaks one or several rules of the contract."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        field, description = violations[0]
        super().__init__(Reason.INVALID_FIELD, description, metadata={"field": field}, field=field)
        self.violations = tuple(violations)


CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
"""The canonical codes by their numbers in google.rpc.Status."""


def to_status(error: Exception, request_id: str) -> Status:
    """Return what a caller sees of `error`, as the status of a call or of one item of a batch.

    Of a fault of Laurel the caller learns the `request_id`, under which the log has it, and nothing else. A
    TimeoutError is the deadline that has passed; it has no reason of ours, as where gRPC itself notices it.
    """
    if isinstance(error, TimeoutError):
        return _status(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline of the call has passed", ())
    refusal = error if isinstance(error, LaurelError) else _internal(request_id)
    return _status(grpc.StatusCode[refusal.reason.code], _message(refusal), _details(refusal))


def _message(refusal: LaurelError) -> str:
    """Return what people read; of a field it says which, as many see the message alone."""
    if refusal.reason is Reason.INVALID_FIELD and refusal.field:
        return f"{_short(refusal.field)}: {refusal.message}"
    return refusal.message


def _internal(request_id: str) -> LaurelError:
    message = f"Laurel failed; its log has this call under request id {request_id}"
    return LaurelError(Reason.INTERNAL, message, metadata={"request_id": request_id})


def _status(code: grpc.StatusCode, message: str, details: Iterable[Message]) -> Status:
    status = Status(code=code.value[0], message=_short(message))
    for detail in details:
        status.details.add().Pack(detail)
    return status


def _details(error: LaurelError) -> Iterable[Message]:
    metadata = {_short(key): _short(value) for key, value in error.metadata.items()}
    yield ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    violations = _violations(error)
    if violations:
        yield BadRequest(field_violations=violations)
    if error.retry_after is not None:
        yield _retry_info(error.retry_after)


def _violations(error: LaurelError) -> list[BadRequest.FieldViolation]:
    if isinstance(error, InvalidRequestError):
        violations = error.violations[:_MAX_VIOLATIONS]
    else:
        violations = (Violation(error.field, error.message),) if error.field else ()
    return [
        BadRequest.FieldViolation(field=_short(field), description=_short(description))
        for field, description in violations
    ]


def _retry_info(retry_after: timedelta) -> RetryInfo:
    info = RetryInfo()
    info.retry_delay.FromTimedelta(max(retry_after, timedelta()))
    return info


def _short(text: str) -> str:
    encoded = text.encode()
    return text if len(encoded) <= _MAX_BYTES else encoded[: _MAX_BYTES - 3].decode(errors="ignore") + "..."
