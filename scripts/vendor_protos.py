"""Fills third_party/ with the .proto files that ours import, taken from the installed (hash-locked) packages.

Usage: python scripts/vendor_protos.py [TARGET_DIRECTORY]. No network: google's files are part of their
wheel, and protovalidate's file is printed back from the descriptor inside its wheel and proven equal to it.
"""

import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from google.protobuf import descriptor_pool, duration_pb2, field_mask_pb2, message_factory, timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from protovalidate._gen.buf.validate import validate_pb

from print_proto import print_file
from protoc import run_protoc

_GOOGLE_PROTOS: Final = (
    "google/api/annotations.proto",
    "google/api/http.proto",
    "google/rpc/error_details.proto",  # clients and gateways read it
    "google/rpc/status.proto",
)
_VALIDATE_PROTO: Final = "buf/validate/validate.proto"
_VALIDATE_HEADER: Final = """\
// Copyright 2023-2026 Buf Technologies, Inc.
//
// Licensed under the Apache License, Version 2.0 (the "License");
// you may not use this file except in compliance with the License.
// You may obtain a copy of the License at
//
//      http://www.apache.org/licenses/LICENSE-2.0
//
// Unless required by applicable law or agreed to in writing, software
// distributed under the License is distributed on an "AS IS" BASIS,
// WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
// See the License for the specific language governing permissions and
// limitations under the License.

"""


def vendor_all(target: Path) -> None:
    """Writes every vendored file below `target`; raises ValueError if one differs from its original."""
    google = resources.files("google")
    for name in _GOOGLE_PROTOS:
        source = google.joinpath(name.removeprefix("google/")).read_text("utf-8")
        _write(target / name, _origin("Copied from", "googleapis-common-protos") + source)
    original = _embedded_validate()
    source = _VALIDATE_HEADER + print_file(original)
    _write(target / _VALIDATE_PROTO, _origin("Printed from the descriptor in", "protovalidate") + source)
    _format(target)
    if _compile(target, _VALIDATE_PROTO) != original:
        raise ValueError(f"{_VALIDATE_PROTO} does not compile to the descriptor it was printed from")


def _origin(how: str, distribution: str) -> str:
    version = metadata.version(distribution)
    return f"// {how} {distribution} {version} by scripts/vendor_protos.py; do not edit.\n\n"


def _embedded_validate() -> FileDescriptorProto:
    """Returns protovalidate's descriptor, with the extensions that it declares and uses itself resolved."""
    serialized = validate_pb._DESC.proto.to_binary()  # noqa: SLF001  the wheel holds the descriptor nowhere else
    pool = descriptor_pool.Default()
    for dependency in (duration_pb2, field_mask_pb2, timestamp_pb2):
        pool.AddSerializedFile(dependency.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(serialized)
    message_factory.GetMessageClassesForFiles([_VALIDATE_PROTO], pool)
    return FileDescriptorProto.FromString(serialized)


def _format(root: Path) -> None:
    """Formats as `buf format` does in the whole workspace, which would otherwise rewrite these files."""
    buf = Path(sys.executable).with_name("buf")
    subprocess.run([buf, "format", "--write", root], check=True)


def _compile(root: Path, name: str) -> FileDescriptorProto:
    with TemporaryDirectory() as directory:
        output = Path(directory, "set.binpb")
        run_protoc([root], [f"--descriptor_set_out={output}"], [name])
        return FileDescriptorSet.FromString(output.read_bytes()).file[0]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


if __name__ == "__main__":
    vendor_all(Path(sys.argv[1] if len(sys.argv) > 1 else "third_party"))
