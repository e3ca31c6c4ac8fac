"""A server process whose contract leaves out the scope of one method does not start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto

import laurel
from laurel.options.v1 import scope_pb2
from laurel.rewards.v1 import rewards_service_pb2


def without_scope(method_name: str) -> FileDescriptorProto:
    """Return the contract of RewardsService in which one method names no scope."""
    file = FileDescriptorProto()
    rewards_service_pb2.DESCRIPTOR.CopyToProto(file)
    (method,) = [each for each in file.service[0].method if each.name == method_name]
    method.options.ClearExtension(scope_pb2.scope)
    return file


def stubs(folder: Path, file: FileDescriptorProto) -> None:
    """Generate stubs that differ from ours in this file alone."""
    (ours,) = laurel.__path__
    shutil.copytree(ours, folder / "laurel", ignore=shutil.ignore_patterns("__pycache__"))
    target = folder / "laurel" / "rewards" / "v1" / "rewards_service_pb2.py"
    before = repr(rewards_service_pb2.DESCRIPTOR.serialized_pb)
    text = target.read_text()
    head, call, rest = text.partition("AddSerializedFile(")
    literal, end, tail = rest.partition(")\n")
    assert eval(literal) == eval(before)
    target.write_text(f"{head}{call}{file.SerializeToString()!r}{end}{tail}")


def start(folder: Path, ledger_dsn: str, redis_url: str) -> "subprocess.CompletedProcess[str]":
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); from laurel_server.runtime.server import main; main()"
    given = {"LAUREL_PG_DSN": ledger_dsn, "LAUREL_REDIS_URL": redis_url, "LAUREL_GRPC_PORT": "0"}
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_method_without_scope_keeps_the_server_from_starting(
    tmp_path: Path, ledger_dsn: str, redis_url: str
) -> None:
    stubs(tmp_path, without_scope("RedeemPoints"))
    done = start(tmp_path, ledger_dsn, redis_url)
    assert done.returncode != 0
    assert "laurel.rewards.v1.RewardsService.RedeemPoints names no scope" in done.stderr + done.stdout
