"""From bytes to requests that keep the rules of the contract."""

from collections.abc import Iterable
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from laurel_server.rpc.errors import InvalidRequestError, Violation
from laurel_server.rpc.violations import violations

Request = TypeVar("Request", bound=Message)


def unreadable(request_type: type[Message], raw: bytes) -> Violation:
    """Return which field of bytes that are no such message cannot be read; "" if it is the message as such."""
    message: Any = request_type.DESCRIPTOR
    for each in _fields(raw):
        field = message.fields_by_number.get(each.field_number)
        if field is not None and isinstance(each.data, bytes) and not _is_readable(field, each.data):
            return Violation(field.name, "cannot be read: it is not of the type in the contract")
    return Violation("", f"the request is not a serialized {message.full_name}")


def _fields(raw: bytes) -> Iterable[Any]:
    """Return the outermost fields with their bytes, none if they cannot be told apart."""
    try:
        return cast("Iterable[Any]", UnknownFieldSet(Empty.FromString(raw)))
    except DecodeError:
        return ()


def _is_readable(field: FieldDescriptor, data: bytes) -> bool:
    try:
        if field.message_type is not None:
            GetMessageClass(field.message_type).FromString(data)
        elif field.type == FieldDescriptor.TYPE_STRING:
            data.decode()
    except (DecodeError, UnicodeDecodeError):
        return False
    return True


def parse_message(message_type: type[Request], raw: bytes) -> Request:
    """Return the message that `raw` holds, whatever rules it breaks. INVALID_FIELD if it is none."""
    try:
        return message_type.FromString(raw)
    except DecodeError:
        raise InvalidRequestError([unreadable(message_type, raw)]) from None


def parse_request(request_type: type[Request], raw: bytes) -> Request:
    """Return the request that `raw` holds. INVALID_FIELD if it is none or breaks a rule."""
    request = parse_message(request_type, raw)
    broken = violations(request, raw)
    if broken:
        raise InvalidRequestError(broken)
    return request
