"""The comments of the contract, by the full name of what they stand at."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from protoc import run_protoc

_Path = tuple[int, ...]
_Named = tuple[str, _Path]

# Numbers of the fields of descriptors, of which the paths of comments consist; see descriptor.proto.
_MESSAGES, _ENUMS, _SERVICES = 4, 5, 6
_FIELDS, _NESTED, _NESTED_ENUMS = 2, 3, 4
_VALUES, _METHODS = 2, 2
_ROOTS: Final = (Path("proto"), Path("third_party"))


def comments() -> dict[str, str]:
    """Returns the comment of every commented message, field, enum, value, service and method of ours."""
    files = sorted(path.relative_to("proto").as_posix() for path in Path("proto").rglob("*.proto"))
    with TemporaryDirectory() as directory:
        target = Path(directory, "set.binpb")
        run_protoc(_ROOTS, [f"--descriptor_set_out={target}", "--include_source_info"], files)
        described = FileDescriptorSet.FromString(target.read_bytes())
    return {name: text for file in described.file for name, text in _of_file(file)}


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    said = {tuple(each.path): _plain(each.leading_comments) for each in file.source_code_info.location}
    for name, path in _elements(file):
        if said.get(path):
            yield name, said[path]


def _plain(comment: str) -> str:
    return " ".join(comment.split())


def _elements(file: FileDescriptorProto) -> Iterator[_Named]:
    for index, message in enumerate(file.message_type):
        yield from _message(message, file.package, (_MESSAGES, index))
    for index, enum in enumerate(file.enum_type):
        yield from _enum(enum, file.package, (_ENUMS, index))
    for index, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield name, (_SERVICES, index)
        for at, method in enumerate(service.method):
            yield f"{name}.{method.name}", (_SERVICES, index, _METHODS, at)


def _message(message: DescriptorProto, scope: str, path: _Path) -> Iterator[_Named]:
    name = f"{scope}.{message.name}"
    yield name, path
    for index, field in enumerate(message.field):
        yield f"{name}.{field.name}", (*path, _FIELDS, index)
    for index, nested in enumerate(message.nested_type):
        yield from _message(nested, name, (*path, _NESTED, index))
    for index, enum in enumerate(message.enum_type):
        yield from _enum(enum, name, (*path, _NESTED_ENUMS, index))


def _enum(enum: EnumDescriptorProto, scope: str, path: _Path) -> Iterator[_Named]:
    yield f"{scope}.{enum.name}", path
    for index, value in enumerate(enum.value):
        yield f"{scope}.{enum.name}.{value.name}", (*path, _VALUES, index)
