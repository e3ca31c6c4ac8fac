"""RewardsService: awards."""

from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    AwardPointsResponse,
    BatchAwardPointsRequest,
    BatchAwardPointsResponse,
)
from laurel_server.rpc import methods
from laurel_server.rpc.award_items import read_item, write_result
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.awards import read_award, write_award
from laurel_server.rpc.ports import Awards


class RewardsServicer:
    """Awards points."""

    service = methods.REWARDS

    def __init__(self, awards: Awards) -> None:
        self._awards = awards

    async def AwardPoints(self, request: AwardPointsRequest, call: CallContext) -> AwardPointsResponse:
        """Make one award."""
        answer = await self._awards.award(read_award(request, call.caller), call.deadline)
        response = AwardPointsResponse()
        write_award(response, answer)
        return response

    async def BatchAwardPoints(
        self, request: BatchAwardPointsRequest, call: CallContext
    ) -> BatchAwardPointsResponse:
        """Make many awards, each with a result of its own."""
        commands = [read_item(item, call.caller) for item in request.awards]
        answers = await self._awards.award_batch(commands, call.deadline)
        response = BatchAwardPointsResponse()
        for index, answer in enumerate(answers):
            write_result(response.results.add(index=index), answer, call.request_id)
        return response
