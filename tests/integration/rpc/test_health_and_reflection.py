"""Health and reflection, and how the server listens."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from laurel_server.rpc.health import Health
from laurel_server.rpc.interceptors.admission import Admission
from laurel_server.rpc.interceptors.chain import standard_chain
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from laurel_server.rpc.rewards import RewardsServicer
from laurel_server.rpc.sandbox import SandboxServicer
from laurel_server.rpc.server import ListenError, ServerOptions, build_server, listen
from tests.integration.rpc.harness import Served, serving
from tests.integration.rpc.stand_in_rewards import StandInAwards

CHECK = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
SERVING = HealthCheckResponse.SERVING
NOT_SERVING = HealthCheckResponse.NOT_SERVING
_SERVICE, _METHOD = 6, 2  # the numbers of the fields of a descriptor that lead to a method
NAMES = (
    "",
    "laurel.rewards.v1.RewardsService",
    "laurel.leaderboard.v1.LeaderboardService",
    "laurel.ranking.v1.RankingService",
    "laurel.admin.v1.AdminService",
    "laurel.sandbox.v1.SandboxService",
)


async def health_of(served: Served, name: str) -> int:
    request = HealthCheckRequest(service=name).SerializeToString()
    return HealthCheckResponse.FromString(await served.call(CHECK, request)).status


@pytest.mark.parametrize("name", NAMES)
async def test_each_service_says_when_it_serves(served: Served, name: str) -> None:
    assert await health_of(served, name) == NOT_SERVING
    await served.health.set_serving(True)
    assert await health_of(served, name) == SERVING
    await served.health.set_serving(False)
    assert await health_of(served, name) == NOT_SERVING


async def test_the_health_of_all_is_listed(served: Served) -> None:
    await served.health.set_serving(True)
    messages: Any = health_pb2  # its types are older than List
    answer = messages.HealthListResponse.FromString(await served.call("/grpc.health.v1.Health/List", b""))
    assert {name: each.status for name, each in answer.statuses.items()} == dict.fromkeys(NAMES, SERVING)


async def test_after_the_drain_has_begun_health_stays_down(served: Served) -> None:
    await served.health.set_serving(True)
    await served.health.drain()
    await served.health.set_serving(True)
    assert await health_of(served, "") == NOT_SERVING


async def test_a_watcher_of_health_hears_of_changes(served: Served) -> None:
    method: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = served.channel.unary_stream(WATCH)
    watch = method(b"")
    assert await watch.read() == HealthCheckResponse(status=NOT_SERVING).SerializeToString()
    await served.health.set_serving(True)
    assert await watch.read() == HealthCheckResponse(status=SERVING).SerializeToString()
    watch.cancel()


async def test_health_of_an_unknown_service_is_not_found(served: Served) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health_of(served, "laurel.unknown.v1.UnknownService")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def reflect(served: Served, version: str = "v1", **request: str) -> ServerReflectionResponse:
    """Ask one question. The generated client is of types that checkers cannot see."""
    call = served.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        ServerReflectionRequest.SerializeToString,
        ServerReflectionResponse.FromString,
    )()
    await call.write(ServerReflectionRequest(**request))  # type: ignore[arg-type]
    await call.done_writing()
    answer = await call.read()
    assert isinstance(answer, ServerReflectionResponse)
    return answer


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_all_services(served: Served, version: str) -> None:
    answer = await reflect(served, version, list_services="")
    assert {service.name for service in answer.list_services_response.service} == {
        *NAMES[1:],
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }


@pytest.mark.parametrize(
    "symbol",
    [
        "laurel.rewards.v1.RewardsService",
        "laurel.type.v1.BoardRef",
        "laurel.errors.v1.ErrorReason",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1.ServerReflectionRequest",
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
        "google.rpc.RetryInfo",
        "buf.validate.FieldRules",
    ],
)
async def test_reflection_explains_requests_and_errors(served: Served, symbol: str) -> None:
    answer = await reflect(served, file_containing_symbol=symbol)
    file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    kinds: tuple[Iterable[Any], ...] = (file.service, file.message_type, file.enum_type)
    assert symbol.removeprefix(f"{file.package}.") in {each.name for kind in kinds for each in kind}


async def test_reflection_finds_methods(served: Served) -> None:
    service = "laurel.rewards.v1.RewardsService"
    answer = await reflect(served, file_containing_symbol=f"{service}.AwardPoints")
    file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    assert [each.name for each in file.service] == ["RewardsService"]
    unknown = await reflect(served, file_containing_symbol=f"{service}.Juggle")
    assert unknown.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def source_of(file: str) -> str:
    return Path(__file__).parents[3].joinpath("proto", file).read_text("utf-8")


@pytest.mark.parametrize("service", NAMES[1:])
async def test_reflection_brings_the_comments_of_the_contract(served: Served, service: str) -> None:
    answer = await reflect(served, file_containing_symbol=service)
    file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    comments = {tuple(each.path): each.leading_comments for each in file.source_code_info.location}
    contract = source_of(file.name)
    for number in range(len(file.service[0].method)):
        first, *_ = comments[_SERVICE, 0, _METHOD, number].splitlines()
        assert f"  //{first}\n" in contract


async def test_a_free_port_is_found(served: Served) -> None:
    assert 0 < served.port < 65536


async def test_a_port_in_use_is_refused_and_not_shared(served: Served) -> None:
    second = await Served().build()
    with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{served.port}"):
        listen(second, "127.0.0.1", served.port)


async def test_an_address_that_is_not_ours_is_refused() -> None:
    with pytest.raises(ListenError, match=r"192\.0\.2\.1:50051"):
        listen(await Served().build(), "192.0.2.1", 50051)


async def test_ipv6_addresses_are_understood() -> None:
    server = await Served().build()
    try:
        assert listen(server, "::1", 0)
    except ListenError as error:
        assert "[::1]:0" in str(error)  # noqa: PT017 - a machine without IPv6


async def test_a_method_without_a_servicer_is_noticed_at_the_start() -> None:
    class Half:
        service = RewardsServicer.service

        async def AwardPoints(self) -> None: ...  # noqa: N802

    chain = standard_chain(Admission(), DeadlineBounds())
    with pytest.raises(LookupError, match=r"BatchAwardPoints is served by 0 servicers"):
        await build_server([Half()], chain, ServerOptions(), Health())


async def test_a_method_with_two_servicers_is_noticed_at_the_start() -> None:
    whole = RewardsServicer(StandInAwards())
    chain = standard_chain(Admission(), DeadlineBounds())
    with pytest.raises(LookupError, match=r"AwardPoints is served by 2 servicers"):
        await build_server([whole, whole], chain, ServerOptions(), Health())


async def test_a_connection_that_is_old_is_asked_to_reconnect() -> None:
    served = Served()
    options = ServerOptions(max_connection_age=0.5, max_connection_age_grace=30)
    chain = standard_chain(served.admission, served.deadlines)
    servicers = [SandboxServicer(served.clock)]
    server = await build_server(servicers, chain, options, served.health)
    port = listen(server, "127.0.0.1", 0)
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        served.channel = channel
        await health_of(served, "")
        async with asyncio.timeout(60):
            while channel.get_state() is grpc.ChannelConnectivity.READY:
                await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)
    await server.stop(None)


async def test_a_burst_is_served_whole() -> None:
    async with serving(Served()) as served:
        await served.health.set_serving(True)
        answers = await asyncio.gather(*(health_of(served, "") for _ in range(2000)))
    assert set(answers) == {SERVING}
