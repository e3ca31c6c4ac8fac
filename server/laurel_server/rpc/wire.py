"""Pieces of the protobuf wire format, for messages that are put together from serialized parts."""

_VARINT = 0
_LENGTH_DELIMITED = 2
_CONTINUED = 0x80


def length_delimited(field_number: int, payload: bytes) -> bytes:
    """Return the field that holds `payload`: a serialized message, or the bytes of a string."""
    return varint(field_number << 3 | _LENGTH_DELIMITED) + varint(len(payload)) + payload


def true_flag(field_number: int) -> bytes:
    """Return the boolean field set to true."""
    return varint(field_number << 3 | _VARINT) + b"\x01"


def varint(number: int) -> bytes:
    """Return a non-negative `number` in groups of 7 bits, lowest first."""
    groups = bytearray()
    while number >= _CONTINUED:
        groups.append(number % _CONTINUED | _CONTINUED)
        number >>= 7
    groups.append(number)
    return bytes(groups)
