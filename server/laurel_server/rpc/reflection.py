"""Reflection: what clients such as grpcurl learn of the services, with the comments of the contract."""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pool, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from laurel.errors.v1 import error_reason_pb2

_REFLECTION_V1: Final = "grpc.reflection.v1"

# Not part of any request, but clients that read errors by reflection ask for them.
_ERROR_FILES: Final = (error_details_pb2.DESCRIPTOR, error_reason_pb2.DESCRIPTOR)

_COMMENTS: Final = "comments.binpb"


def add_reflection(server: grpc.aio.Server, services: Iterable[str]) -> None:
    """Let clients such as grpcurl ask for `services`, health and reflection itself, in both versions of reflection.

    The two differ by the name of the package alone, and the library has the older one.
    """
    pool: Any = descriptor_pool.Default()
    pool.Add(_renamed(reflection_pb2.DESCRIPTOR.serialized_pb, _REFLECTION_V1))
    health = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
    name = f"{_REFLECTION_V1}.ServerReflection"
    servicer = reflection.aio.ReflectionServicer(
        (*services, health, name, reflection.SERVICE_NAME), _Symbols()
    )
    handler = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server.add_generic_rpc_handlers(
        tuple(
            grpc.method_handlers_generic_handler(each, {"ServerReflectionInfo": handler})
            for each in (name, reflection.SERVICE_NAME)
        )
    )


def _renamed(file: bytes, package: str) -> FileDescriptorProto:
    """Return a serialized file as one of another package."""
    proto = FileDescriptorProto.FromString(file)
    text = text_format.MessageToString(proto).replace(proto.package, package)
    renamed = text_format.Parse(text, FileDescriptorProto())
    renamed.name = f"{package.replace('.', '/')}/{proto.name.rpartition('/')[2]}"
    return renamed


class _Symbols:
    """The pool of all descriptors, in which methods are found by name too: `grpcurl describe` asks for them."""

    def __init__(self) -> None:
        self._pool: Any = descriptor_pool.Default()

    def __getattr__(self, name: str) -> object:
        return getattr(self._pool, name)

    def FindFileByName(self, name: str) -> "_Commented":
        """Return the file of that name. KeyError if there is none."""
        return _Commented(self._pool.FindFileByName(name))

    def FindFileContainingSymbol(self, symbol: str) -> "_Commented":
        """Return the file with a symbol of any kind. KeyError if there is none."""
        try:
            return _Commented(self._pool.FindFileContainingSymbol(symbol))
        except KeyError:
            return _Commented(self._pool.FindMethodByName(symbol).containing_service.file)


class _Commented:
    """A file as the library asks for it, with the comments that the pool does not keep."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - descriptors of the pool have no types
        self.name: str = file.name
        self._file = file

    @property
    def dependencies(self) -> list["_Commented"]:
        """The files that it imports."""
        return [_Commented(file) for file in self._file.dependencies]

    def CopyToProto(self, proto: FileDescriptorProto) -> None:
        """Fill in the file."""
        self._file.CopyToProto(proto)
        if comments := _comments().get(self.name):
            proto.source_code_info.MergeFromString(comments)


@cache
def _comments() -> dict[str, bytes]:
    """Return the comments of our own files, by name; read when somebody asks first."""
    packed = resources.files("laurel").joinpath(_COMMENTS).read_bytes()
    return {
        file.name: file.source_code_info.SerializeToString()
        for file in FileDescriptorSet.FromString(packed).file
    }
