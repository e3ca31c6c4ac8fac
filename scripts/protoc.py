"""Runs the protocol compiler that comes inside the grpcio-tools wheel."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from grpc_tools import protoc


def run_protoc(roots: Sequence[Path], outputs: Sequence[str], files: Sequence[str]) -> None:
    """Compiles `files`, named relative to one of `roots`; raises RuntimeError once protoc has printed why."""
    well_known = resources.files("grpc_tools").joinpath("_proto")
    includes = [f"--proto_path={root}" for root in (*roots, well_known)]
    if protoc.main(["protoc", *includes, *outputs, *files]) != 0:
        raise RuntimeError(f"protoc failed on {', '.join(files)}")
