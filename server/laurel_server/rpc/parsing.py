"""From bytes to requests that keep the rules of the contract."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from laurel_server.rpc.errors import InvalidRequestError, Violation
from laurel_server.rpc.violations import violations

Request = TypeVar("Request", bound=Message)


def parse_request(request_type: type[Request], raw: bytes) -> Request:
    """Return the request that `raw` holds. INVALID_FIELD if it is none or breaks a rule."""
    try:
        request = request_type.FromString(raw)
    except DecodeError:
        name = request_type.DESCRIPTOR.full_name
        raise InvalidRequestError([Violation("", f"the request is not a serialized {name}")]) from None
    broken = violations(request, raw)
    if broken:
        raise InvalidRequestError(broken)
    return request
