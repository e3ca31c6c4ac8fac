"""What gRPC itself retries."""

import json

from google.protobuf.descriptor_pb2 import MethodOptions

from laurel.admin.v1 import admin_service_pb2
from laurel.leaderboard.v1 import leaderboard_service_pb2
from laurel.ranking.v1 import ranking_service_pb2
from laurel.rewards.v1 import rewards_service_pb2
from laurel.sandbox.v1 import sandbox_service_pb2
from laurel_client.channel import SERVICE_CONFIG

FILES = (
    rewards_service_pb2,
    leaderboard_service_pb2,
    ranking_service_pb2,
    admin_service_pb2,
    sandbox_service_pb2,
)


def test_exactly_the_idempotent_unary_methods_are_retried() -> None:
    idempotent = {
        (service.full_name, method.name)
        for file in FILES
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
        if method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
        and not method.server_streaming
    }
    (config,) = json.loads(SERVICE_CONFIG)["methodConfig"]
    names = [(name["service"], name["method"]) for name in config["name"]]
    assert len(names) == len(set(names))
    assert set(names) == idempotent
    assert ("laurel.sandbox.v1.SandboxService", "AdvanceClock") not in names


def test_nothing_is_retried_that_may_be_a_refusal() -> None:
    (config,) = json.loads(SERVICE_CONFIG)["methodConfig"]
    assert config["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE", "CANCELLED"]
