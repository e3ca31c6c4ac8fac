"""What a gateway has to know about the methods: which of them stream, take long, or may be sent again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from google.api.annotations_pb2 import http
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from laurel_server.rpc.interceptors.deadline import LONG_CALLS
from laurel_server.rpc.methods import SERVICES


@dataclass(frozen=True, slots=True)
class Routes:
    """Paths of methods (`/laurel.rewards.v1.RewardsService/AwardPoints`) by how a gateway treats them.

    Methods in none of the lists answer once, soon, and may be sent again.
    """

    services: tuple[str, ...]
    """Full names of all services."""
    streams: tuple[str, ...]
    """End when one side ends them."""
    long_calls: tuple[str, ...]
    """Go over all data."""
    not_idempotent: tuple[str, ...]
    """A repetition would do more."""
    board_queries: tuple[str, ...]
    """Templates of REST paths (`/api/v1/leaderboard/rank/{user_id}`) with a board in the query."""
    lists: tuple[str, ...]
    """Names of fields of requests that are lists wherever they are."""


def routes() -> Routes:
    """Return the routes of everything that can be served."""
    return Routes(
        services=tuple(service.full_name for service in SERVICES),
        streams=tuple(_path(method) for method in _methods() if _streams(method)),
        long_calls=tuple(_path(method) for method in _methods() if method.full_name in LONG_CALLS),
        not_idempotent=tuple(
            _path(method) for method in _methods() if not _streams(method) and not _is_idempotent(method)
        ),
        board_queries=tuple(path for method in _methods() if _has_board(method) for path in _queries(method)),
        lists=_lists([method.input_type for method in _methods()]),
    )


LONGEST_CALL_SECONDS: Final = max(LONG_CALLS.values())


def _methods() -> Iterator[MethodDescriptor]:
    return (method for service in SERVICES for method in service.methods)


def _streams(method: MethodDescriptor) -> bool:
    return bool(method.server_streaming or method.client_streaming)


def _is_idempotent(method: MethodDescriptor) -> bool:
    return method.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN


def _has_board(method: MethodDescriptor) -> bool:
    board = method.input_type.fields_by_name.get("board")
    return board is not None and board.message_type is not None and board.message_type.name == "BoardRef"


def _lists(requests: Iterable[Descriptor]) -> tuple[str, ...]:
    fields: dict[str, FieldDescriptor] = {}
    waiting = list(requests)
    while waiting:
        for field in waiting.pop().fields:
            if field.full_name not in fields:
                fields[field.full_name] = field
                waiting += [field.message_type] if field.message_type else []
    single = {field.name for field in fields.values() if not _is_list(field)}
    return tuple(sorted({field.name for field in fields.values()} - single))


def _is_list(field: FieldDescriptor) -> bool:
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    return bool(field.is_repeated and not is_map)


def _queries(method: MethodDescriptor) -> Iterator[str]:
    rule = method.GetOptions().Extensions[http]
    return (each.get for each in (rule, *rule.additional_bindings) if each.get)


def _path(method: MethodDescriptor) -> str:
    service, _, name = method.full_name.rpartition(".")
    return f"/{service}/{name}"
