"""Prints a file descriptor back as .proto source: as much of the language as protovalidate's own file uses.

Comments are not part of a descriptor and are lost. Whoever prints a file must compile the result and
compare it with the original, because a construct that is unknown here would be left out in silence.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from google.protobuf import text_format
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.message import Message

_INDENT: Final = "  "
_MAX_FIELD_NUMBER: Final = 2**29 - 1


def print_file(file: FileDescriptorProto) -> str:
    """Returns the source of `file`, whose extensions must be known to the default descriptor pool."""
    blocks = [
        f'syntax = "{file.syntax or "proto2"}";',
        f"package {file.package};",
        "\n".join(f'import "{path}";' for path in file.dependency),
        "\n".join(f"option {option};" for option in _options(file.options)),
        *("\n".join(_message(message, file.package)) for message in file.message_type),
        *("\n".join(_enum(enum)) for enum in file.enum_type),
        *("\n".join(_extension(field, file.package)) for field in file.extension),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _message(message: DescriptorProto, package: str) -> Iterator[str]:
    body = chain(
        _reserved([(r.start, r.end - 1) for r in message.reserved_range], message.reserved_name),
        (f"extensions {_range(r.start, r.end - 1)};" for r in message.extension_range),
        (f"option {option};" for option in _options(message.options)),
        _fields(message, package),
    )
    return _block(f"message {message.name}", body)


def _fields(message: DescriptorProto, package: str) -> Iterator[str]:
    """Yields every field where it stands, and a oneof where its first field stands."""
    printed: set[int] = set()
    for field in message.field:
        if not field.HasField("oneof_index"):
            yield _field(field, package)
        elif field.oneof_index not in printed:
            printed.add(field.oneof_index)
            yield from _oneof(message, field.oneof_index, package)


def _oneof(message: DescriptorProto, index: int, package: str) -> Iterator[str]:
    oneof = message.oneof_decl[index]
    members = (f for f in message.field if f.HasField("oneof_index") and f.oneof_index == index)
    options = (f"option {option};" for option in _options(oneof.options))
    return _block(f"oneof {oneof.name}", chain(options, (_field(f, package, label="") for f in members)))


def _extension(field: FieldDescriptorProto, package: str) -> Iterator[str]:
    return _block(f"extend {_relative(field.extendee, package)}", [_field(field, package)])


def _enum(enum: EnumDescriptorProto) -> Iterator[str]:
    body = chain(
        _reserved([(r.start, r.end) for r in enum.reserved_range], enum.reserved_name),
        (f"{value.name} = {value.number};" for value in enum.value),
    )
    return _block(f"enum {enum.name}", body)


def _field(field: FieldDescriptorProto, package: str, label: str | None = None) -> str:
    kind = _relative(field.type_name, package) or _lower_name(FieldDescriptorProto.Type.Name(field.type))
    rule = _lower_name(FieldDescriptorProto.Label.Name(field.label)) if label is None else label
    options = ", ".join(_options(field.options))
    return f"{rule} {kind} {field.name} = {field.number}{f' [{options}]' if options else ''};".lstrip()


def _options(options: Message) -> Iterator[str]:
    """Yields `name = value` for each option that is set; an extension's name stands in parentheses."""
    for descriptor, value in options.ListFields():
        name = f"({descriptor.full_name})" if descriptor.is_extension else descriptor.name
        if isinstance(value, Message):
            yield f"{name} = {{ {text_format.MessageToString(value, as_one_line=True)} }}"
        else:
            yield f"{name} = {_scalar(options, descriptor.name)}"


def _scalar(options: Message, name: str) -> str:
    """Returns the value of a plain option as the text format writes it."""
    only = type(options)()
    setattr(only, name, getattr(options, name))
    return text_format.MessageToString(only, as_one_line=True).removeprefix(f"{name}: ").rstrip()


def _reserved(ranges: list[tuple[int, int]], names: Iterable[str]) -> Iterator[str]:
    yield from (f"reserved {_range(first, last)};" for first, last in ranges)
    yield from (f'reserved "{name}";' for name in names)


def _range(first: int, last: int) -> str:
    if last == _MAX_FIELD_NUMBER:
        return f"{first} to max"
    return str(first) if first == last else f"{first} to {last}"


def _relative(type_name: str, package: str) -> str:
    return type_name.removeprefix(f".{package}.").removeprefix(".")


def _lower_name(enum_name: str) -> str:
    return enum_name.split("_", 1)[1].lower()


def _block(head: str, body: Iterable[str]) -> Iterator[str]:
    yield f"{head} {{"
    yield from (_INDENT + line for line in body)
    yield "}"
