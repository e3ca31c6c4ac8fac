"""What comes twice and what does not, when a server fails in the middle of a call: at the gateway and in the client."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from laurel_client import Laurel, LaurelCallError
from laurel_server.rpc.routes import routes
from tests.e2e.gateway import envoy_before
from tests.ports import free_port
from tests.unit.client.test_service_config import FILES

BACKEND = Path(__file__).with_name("standin_backend.py")
METHODS = [
    method
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if not method.client_streaming
]


def path_of(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def is_idempotent(method: MethodDescriptor) -> bool:
    return method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN


@contextmanager
def backends(folder: Path, how: str) -> Iterator[Sequence[str]]:
    """Give the addresses of two servers."""
    with ExitStack() as held:
        addresses = []
        for _ in range(2):
            process = subprocess.Popen(
                [sys.executable, BACKEND, folder, how], stdout=subprocess.PIPE, text=True
            )
            held.enter_context(process)
            held.callback(process.kill)
            assert process.stdout is not None
            addresses.append(f"127.0.0.1:{process.stdout.readline().strip()}")
        yield addresses


def calls(folder: Path) -> Counter[str]:
    """Return how often each method has come in."""
    return Counter((folder / "calls").read_text().split())


async def answer_of(address: str, path: str) -> grpc.StatusCode:
    """Call a method of two servers once, by a client that repeats nothing, and return how it ended."""
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_retries", 0)]) as channel:
        try:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            await call(b"", timeout=20, wait_for_ready=True)
        except grpc.aio.AioRpcError as failure:
            return failure.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize(
    ("how", "code"), [("refuse", grpc.StatusCode.UNAVAILABLE), ("cancel", grpc.StatusCode.CANCELLED)]
)
async def test_the_gateway_repeats_what_is_idempotent_and_nothing_else(
    tmp_path: Path, how: str, code: grpc.StatusCode
) -> None:
    with (
        backends(tmp_path, how) as servers,
        envoy_before(servers, f"127.0.0.1:{free_port()}", tmp_path) as url,
    ):
        ends = {
            path_of(each): await answer_of(url.removeprefix("http://"), path_of(each)) for each in METHODS
        }
    came = calls(tmp_path)
    long = set(routes().long_calls)
    for method in METHODS:
        path = path_of(method)
        repeated = is_idempotent(method) and not method.server_streaming and path not in long
        assert (came[path], ends[path]) == ((2, grpc.StatusCode.OK) if repeated else (1, code)), path
    assert "/laurel.sandbox.v1.SandboxService/AdvanceClock" in came
    assert Counter(came.values()).keys() == {1, 2}


@pytest.mark.parametrize(
    ("path", "repeated"),
    [
        ("/laurel.rewards.v1.RewardsService/AwardPoints", True),
        ("/laurel.sandbox.v1.SandboxService/AdvanceClock", False),
    ],
)
async def test_the_gateway_asks_another_server_when_one_dies_in_the_call(
    tmp_path: Path, path: str, *, repeated: bool
) -> None:
    with (
        backends(tmp_path, "die") as servers,
        envoy_before(servers, f"127.0.0.1:{free_port()}", tmp_path) as url,
    ):
        end = await answer_of(url.removeprefix("http://"), path)
    assert calls(tmp_path)[path] == (2 if repeated else 1)
    assert end == (grpc.StatusCode.OK if repeated else grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize("how", ["refuse", "cancel", "die"])
async def test_the_client_asks_another_server_when_one_fails_in_the_call(tmp_path: Path, how: str) -> None:
    with backends(tmp_path, how) as servers:
        async with Laurel(f"ipv4:{','.join(servers)}", timeout=20) as laurel:
            await laurel.rewards.award_points("ada", "REVIEW")
    assert calls(tmp_path) == {"/laurel.rewards.v1.RewardsService/AwardPoints": 2}


async def test_the_client_repeats_nothing_that_would_count_twice_when_a_server_dies(tmp_path: Path) -> None:
    with backends(tmp_path, "die") as servers:
        async with Laurel(f"ipv4:{','.join(servers)}", timeout=20) as laurel:
            with pytest.raises(LaurelCallError) as raised:
                await laurel.sandbox.advance_clock(timedelta(hours=1))
    assert raised.value.code == grpc.StatusCode.UNAVAILABLE
    assert calls(tmp_path) == {"/laurel.sandbox.v1.SandboxService/AdvanceClock": 1}
