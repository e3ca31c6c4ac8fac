"""Answers as plain values, for those who write JSON."""

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from laurel_client.errors import LaurelCallError


def as_plain(message: Message) -> dict[str, object]:
    """Return a message as protobuf's JSON form, under the names of the contract.

    64-bit integers are strings, enum values names, moments RFC 3339; what is unset has its default, and a message
    that is unset is left out.
    """
    plain: dict[str, object] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return plain


def error_as_plain(error: LaurelCallError) -> dict[str, object]:
    """Return all that an error says; `retry_after_seconds` is None where it names no time."""
    return {
        "code": error.code.name,
        "reason": error.reason,
        "message": error.message,
        "metadata": error.metadata,
        "violations": [violation._asdict() for violation in error.violations],
        "retry_after_seconds": error.retry_after.total_seconds() if error.retry_after else None,
    }
