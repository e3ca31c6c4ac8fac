"""A bare grpc.aio server whose answers are as large as Laurel's: `python -m bench.floors.echo`.

`SetAnswer` keeps its request. `Raw` answers with those very bytes. The other methods parse the request that
Laurel's method of that name gets, and build and serialize a message of as many bytes.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import grpc
import uvloop
from google.protobuf.wrappers_pb2 import BytesValue

from bench.floors.serving import serve
from laurel.leaderboard.v1.leaderboard_service_pb2 import GetRankRequest, GetSurroundingRequest
from laurel.rewards.v1.corrections_pb2 import ReverseTransactionRequest
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel.rewards.v1.spending_pb2 import RedeemPointsRequest

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Echo:
    """The methods; all state is the answer."""

    def __init__(self) -> None:
        self._answer = b""

    async def set_answer(self, request: bytes, context: object) -> bytes:
        """Keep what the next calls are answered with."""
        del context
        self._answer = request
        return b""

    async def raw(self, request: bytes, context: object) -> bytes:
        """Answer with the bytes as they are."""
        del request, context
        return self._answer

    async def message(self, request: object, context: object) -> BytesValue:
        """Answer with a message of that size."""
        del request, context
        return BytesValue(value=self._answer)


def parsing(echo: Echo, parse: Callable[[bytes], object]) -> Handler:
    """Return the handler of a method with messages."""
    return grpc.unary_unary_rpc_method_handler(
        echo.message, request_deserializer=parse, response_serializer=BytesValue.SerializeToString
    )


def handlers(echo: Echo) -> dict[str, Handler]:
    """Return the methods by name."""
    return {
        "SetAnswer": grpc.unary_unary_rpc_method_handler(echo.set_answer),
        "Raw": grpc.unary_unary_rpc_method_handler(echo.raw),
        "AwardPoints": parsing(echo, AwardPointsRequest.FromString),
        "RedeemPoints": parsing(echo, RedeemPointsRequest.FromString),
        "ReverseTransaction": parsing(echo, ReverseTransactionRequest.FromString),
        "GetRank": parsing(echo, GetRankRequest.FromString),
        "GetSurrounding": parsing(echo, GetSurroundingRequest.FromString),
    }


if __name__ == "__main__":
    uvloop.run(serve(handlers(Echo())))
