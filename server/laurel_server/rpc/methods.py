"""The table of all methods, made from the service descriptors."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from laurel.admin.v1 import admin_service_pb2
from laurel.leaderboard.v1 import leaderboard_service_pb2
from laurel.options.v1 import scope_pb2
from laurel.ranking.v1 import ranking_service_pb2
from laurel.rewards.v1 import rewards_service_pb2
from laurel.sandbox.v1 import sandbox_service_pb2


class MethodKind(StrEnum):
    """What a method does, which decides how many of its calls may run at once."""

    READ = "read"
    WRITE = "write"
    STREAM = "stream"


class Scope(StrEnum):
    """What a caller needs to be allowed: the names of `laurel.options.v1.Scope` in tokens."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC. `full_name` is `laurel.rewards.v1.RewardsService.AwardPoints`.

    `idempotent` says that a repetition of the same request is harmless, `read_only` that it changes nothing.
    What takes a stream of requests also answers with a stream.
    """

    service: str
    name: str
    full_name: str
    request_type: type[Message]
    response_type: type[Message]
    client_streaming: bool
    server_streaming: bool
    idempotent: bool
    read_only: bool
    scope: Scope

    @property
    def kind(self) -> MethodKind:
        """What the method does."""
        if self.server_streaming:
            return MethodKind.STREAM
        return MethodKind.READ if self.read_only else MethodKind.WRITE


REWARDS: Final = rewards_service_pb2.DESCRIPTOR.services_by_name["RewardsService"]
LEADERBOARDS: Final = leaderboard_service_pb2.DESCRIPTOR.services_by_name["LeaderboardService"]
RANKING: Final = ranking_service_pb2.DESCRIPTOR.services_by_name["RankingService"]
ADMIN: Final = admin_service_pb2.DESCRIPTOR.services_by_name["AdminService"]
SANDBOX: Final = sandbox_service_pb2.DESCRIPTOR.services_by_name["SandboxService"]

SERVICES: Final = (REWARDS, LEADERBOARDS, RANKING, ADMIN, SANDBOX)
"""Everything that can be served; the sandbox only where it is switched on."""


def methods_of(service: ServiceDescriptor) -> Iterator[Method]:
    """Yield the methods of `service` in the order of the contract.

    ValueError for one that answers a stream at once, or whose contract does not say which scope its callers need.
    """
    for descriptor in service.methods:
        if descriptor.client_streaming and not descriptor.server_streaming:
            raise ValueError(f"{descriptor.full_name} takes a stream of requests and gives one answer")
        yield _method(service, descriptor)


def _method(service: ServiceDescriptor, descriptor: MethodDescriptor) -> Method:
    level = descriptor.GetOptions().idempotency_level
    return Method(
        service=service.full_name,
        name=descriptor.name,
        full_name=descriptor.full_name,
        request_type=GetMessageClass(descriptor.input_type),
        response_type=GetMessageClass(descriptor.output_type),
        client_streaming=descriptor.client_streaming,
        server_streaming=descriptor.server_streaming,
        idempotent=level != MethodOptions.IDEMPOTENCY_UNKNOWN,
        read_only=level == MethodOptions.NO_SIDE_EFFECTS,
        scope=_scope_of(descriptor),
    )


def _scope_of(descriptor: MethodDescriptor) -> Scope:
    scope = descriptor.GetOptions().Extensions[scope_pb2.scope]
    if scope not in _SCOPES:
        raise ValueError(
            f"{descriptor.full_name} names no scope: add `option (laurel.options.v1.scope) = SCOPE_...;`"
        )
    return _SCOPES[scope]


_SCOPES: Final = {
    scope_pb2.SCOPE_READ: Scope.READ,
    scope_pb2.SCOPE_WRITE: Scope.WRITE,
    scope_pb2.SCOPE_ADMIN: Scope.ADMIN,
}
