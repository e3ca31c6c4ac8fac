import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from laurel.rewards.v1 import rewards_service_pb2
from laurel_server.rpc.interceptors.deadline import LONG_CALLS
from laurel_server.rpc.methods import LEADERBOARDS, REWARDS, SERVICES, Method, MethodKind, Scope, methods_of

TABLE = {method.full_name: method for service in SERVICES for method in methods_of(service)}


def test_a_method_knows_its_types_and_what_it_does() -> None:
    assert next(methods_of(REWARDS)) == Method(
        service="laurel.rewards.v1.RewardsService",
        name="AwardPoints",
        full_name="laurel.rewards.v1.RewardsService.AwardPoints",
        request_type=rewards_service_pb2.AwardPointsRequest,
        response_type=rewards_service_pb2.AwardPointsResponse,
        client_streaming=False,
        server_streaming=False,
        idempotent=True,
        read_only=False,
        scope=Scope.WRITE,
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("laurel.rewards.v1.RewardsService.AwardPoints", MethodKind.WRITE),
        ("laurel.rewards.v1.RewardsService.GetRewards", MethodKind.READ),
        ("laurel.leaderboard.v1.LeaderboardService.WatchRank", MethodKind.STREAM),
        ("laurel.rewards.v1.RewardsService.IngestAwards", MethodKind.STREAM),
        ("laurel.admin.v1.AdminService.RebuildBoards", MethodKind.WRITE),
        ("laurel.sandbox.v1.SandboxService.AdvanceClock", MethodKind.WRITE),
    ],
)
def test_kind(name: str, kind: MethodKind) -> None:
    assert TABLE[name].kind is kind


def test_only_what_moves_on_with_each_call_is_not_idempotent() -> None:
    others = [name for name, method in TABLE.items() if not method.idempotent]
    assert others == ["laurel.sandbox.v1.SandboxService.AdvanceClock"]


@pytest.mark.parametrize("method", TABLE.values(), ids=TABLE.keys())
def test_messages_are_named_as_their_method(method: Method) -> None:
    assert method.request_type.DESCRIPTOR.name == f"{method.name}Request"
    assert method.response_type.DESCRIPTOR.name == f"{method.name}Response"


def test_methods_come_in_the_order_of_the_contract() -> None:
    assert [method.name for method in methods_of(LEADERBOARDS)] == list(LEADERBOARDS.methods_by_name)


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("laurel.rewards.v1.RewardsService.AwardPoints", Scope.WRITE),
        ("laurel.rewards.v1.RewardsService.GetRewards", Scope.READ),
        ("laurel.leaderboard.v1.LeaderboardService.WatchLeaderboard", Scope.READ),
        ("laurel.admin.v1.AdminService.GetUser", Scope.ADMIN),
        ("laurel.sandbox.v1.SandboxService.GetClock", Scope.ADMIN),
    ],
)
def test_scope(name: str, scope: Scope) -> None:
    assert TABLE[name].scope is scope


def test_what_changes_something_takes_more_than_reading() -> None:
    assert [name for name, each in TABLE.items() if each.scope is Scope.READ and not each.read_only] == []


def test_a_method_without_scope_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"test\.UploadService\.Upload names no scope"):
        list(methods_of(upload_service(client_streaming=False)))


def test_a_stream_of_requests_with_one_answer_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match=r"test\.UploadService\.Upload takes a stream"):
        list(methods_of(upload_service(client_streaming=True)))


def upload_service(*, client_streaming: bool) -> ServiceDescriptor:
    file = descriptor_pb2.FileDescriptorProto(name="test/upload.proto", package="test", syntax="proto3")
    file.message_type.add(name="Chunk")
    service = file.service.add(name="UploadService")
    service.method.add(
        name="Upload",
        input_type=".test.Chunk",
        output_type=".test.Chunk",
        client_streaming=client_streaming,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindServiceByName("test.UploadService")


def test_methods_with_deadlines_of_their_own_exist() -> None:
    assert LONG_CALLS.keys() <= TABLE.keys()
