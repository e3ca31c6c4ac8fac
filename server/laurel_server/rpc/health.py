"""Health, of the whole server and of each service."""

from collections.abc import Collection, Iterable
from typing import Any, Final, cast

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

WHOLE_SERVER: Final = ""
"""The name under which load balancers ask for the server as such."""


class Health:
    """What `grpc.health.v1.Health` answers: for the whole server and for each service by name."""

    def __init__(self) -> None:
        self._names = {WHOLE_SERVER}
        self._servicer = _ListingServicer(self._names)

    async def set_serving(self, serving: bool) -> None:
        """Say of all services whether they can be used now; watchers hear of a change."""
        status = (
            health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        )
        for name in self._names:
            await self._servicer.set(name, status)

    async def drain(self) -> None:
        """Say NOT_SERVING from now on, whatever is set later."""
        await self._servicer.enter_graceful_shutdown()

    async def add_to(self, server: grpc.aio.Server, services: Iterable[str]) -> None:
        """Serve health, for `services` too. Nothing is SERVING before `set_serving`."""
        self._names |= set(services)
        await self.set_serving(False)
        registrar = cast("grpc.aio.Server", _GenericHandlersOnly(server))
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, registrar)


class _ListingServicer(health_aio.HealthServicer):
    """Answers List too, which the library leaves out."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self._names = names

    async def List(self, request: object, context: grpc.aio.ServicerContext[Any, Any]) -> object:
        """Return the state of the whole server and of each service."""
        asked = {name: health_pb2.HealthCheckRequest(service=name) for name in self._names}
        statuses = {name: await self.Check(check, context) for name, check in asked.items()}
        messages: Any = health_pb2  # its types are older than List
        return messages.HealthListResponse(statuses=statuses)


class _GenericHandlersOnly:
    """Takes handlers from generated code and registers them as generic ones.

    grpc.aio waits for each registered method by a task of its own and looks at all of them for every call:
    with 25 methods that is a fifth of the cost of a call.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Pass them on."""
        self._server.add_generic_rpc_handlers(tuple(handlers))

    def add_registered_method_handlers(self, service_name: str, method_handlers: dict[str, Any]) -> None:
        """Leave them out: they are among the generic handlers."""
