"""RewardsService."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Unpack

import grpc

from laurel.rewards.v1.rewards_pb2 import Transaction, UserRewards
from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    AwardPointsResponse,
    AwardResult,
    BatchAwardPointsRequest,
    GetRewardsRequest,
    GetTransactionRequest,
    IngestAwardsRequest,
    ListTransactionsRequest,
)
from laurel.rewards.v1.statements_pb2 import (
    BatchGetRewardsRequest,
    BatchGetRewardsResponse,
    ExplainTransactionRequest,
    ExplainTransactionResponse,
    ListExpiringPointsRequest,
    ListExpiringPointsResponse,
)
from laurel_client.errors import LaurelCallError
from laurel_client.requests import Attributes, AwardOptions, award, timestamp
from laurel_client.spending import Spending


class Rewards(Spending):
    """Turns what users do into points. Every method raises LaurelCallError."""

    async def award_points(
        self, user_id: str, action: str, attributes: Attributes | None = None, **options: Unpack[AwardOptions]
    ) -> AwardPointsResponse:
        """Award points for one action; counted once, whatever is retried. Arguments as of `award`."""
        request = award(user_id, action, attributes, **options)
        return await self._caller.call(self._stub.AwardPoints, request)

    async def batch_award_points(
        self, awards: Iterable[AwardPointsRequest]
    ) -> list[AwardPointsResponse | LaurelCallError]:
        """Make 1 to 1,000 awards, built by `award`, and return what became of each, in order.

        An error in place of an answer concerns that award alone.
        """
        request = BatchAwardPointsRequest(awards=awards)
        response = await self._caller.call(self._stub.BatchAwardPoints, request)
        return [_outcome(result) for result in response.results]

    async def ingest_awards(
        self, awards: AsyncIterable[AwardPointsRequest]
    ) -> AsyncIterator[tuple[int, AwardPointsResponse | LaurelCallError]]:
        """Make any number of awards, built by `award`; yield what became of each and its position, in any order.

        Reads on from `awards` as answers are taken. After an error, send those without an answer again: with the same
        request_id they count once.
        """

        async def requests() -> AsyncIterator[IngestAwardsRequest]:
            async for each in awards:
                yield IngestAwardsRequest(award=each)

        call = self._stub.IngestAwards(requests())
        try:
            async for response in call:
                yield response.result.index, _outcome(response.result)
        except grpc.aio.AioRpcError as failure:
            raise LaurelCallError.from_call(failure) from failure
        finally:
            call.cancel()

    async def get_rewards(self, user_id: str, as_of: datetime | None = None) -> UserRewards:
        """Return a user's points, now or after everything recorded up to `as_of`."""
        request = GetRewardsRequest(user_id=user_id, as_of=timestamp(as_of))
        return (await self._caller.call(self._stub.GetRewards, request)).rewards

    async def batch_get_rewards(self, user_ids: Iterable[str]) -> BatchGetRewardsResponse:
        """Return the points of 1 to 1,000 users, and who of them is not known."""
        request = BatchGetRewardsRequest(user_ids=user_ids)
        return await self._caller.call(self._stub.BatchGetRewards, request)

    async def list_expiring_points(
        self, user_id: str, within: timedelta | None = None
    ) -> ListExpiringPointsResponse:
        """Return what a user loses within that time, or ever, unless he spends it."""
        request = ListExpiringPointsRequest(user_id=user_id)
        if within is not None:
            request.within.FromTimedelta(within)
        return await self._caller.call(self._stub.ListExpiringPoints, request)

    async def explain_transaction(self, transaction_id: str) -> ExplainTransactionResponse:
        """Return how an entry came to its points, step by step."""
        request = ExplainTransactionRequest(transaction_id=transaction_id)
        return await self._caller.call(self._stub.ExplainTransaction, request)

    async def get_transaction(self, transaction_id: str) -> Transaction:
        """Return one entry of the ledger."""
        request = GetTransactionRequest(transaction_id=transaction_id)
        return (await self._caller.call(self._stub.GetTransaction, request)).transaction

    async def list_transactions(
        self,
        user_id: str,
        *,
        actions: Iterable[str] = (),
        from_time: datetime | None = None,
        to_time: datetime | None = None,
    ) -> AsyncIterator[Transaction]:
        """Yield a user's entries, newest first: those of `actions`, recorded in `[from_time, to_time)`."""
        request = ListTransactionsRequest(
            user_id=user_id, actions=actions, from_time=timestamp(from_time), to_time=timestamp(to_time)
        )
        async for page in self._caller.pages(self._stub.ListTransactions, request):
            for transaction in page.transactions:
                yield transaction


def _outcome(result: AwardResult) -> AwardPointsResponse | LaurelCallError:
    return LaurelCallError.from_status(result.error) if result.HasField("error") else result.award
