"""RewardsService: what users have, and how they came to it."""

from typing import Final

from laurel.rewards.v1.rewards_service_pb2 import (
    GetRewardsRequest,
    GetRewardsResponse,
    GetTransactionRequest,
    GetTransactionResponse,
    ListTransactionsRequest,
    ListTransactionsResponse,
)
from laurel.rewards.v1.statements_pb2 import (
    BatchGetRewardsRequest,
    BatchGetRewardsResponse,
    ExplainTransactionRequest,
    ExplainTransactionResponse,
    ListExpiringPointsRequest,
    ListExpiringPointsResponse,
)
from laurel_server.domain.identifiers import parse_transaction_id
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.awards import write_entry, write_rewards
from laurel_server.rpc.convert.explanations import write_explanation
from laurel_server.rpc.convert.times import read_duration, read_moment, write_moment
from laurel_server.rpc.paging import PageTokens, page_size, query_of, write_page
from laurel_server.rpc.ports import Explaining, Statement

DEFAULT_PAGE_SIZE: Final = 50


class StatementsServicer:
    """Reads the ledger."""

    service = methods.REWARDS

    def __init__(self, statement: Statement, explaining: Explaining) -> None:
        self._statement = statement
        self._explaining = explaining
        self._tokens = PageTokens("ListTransactions")

    async def GetRewards(self, request: GetRewardsRequest, call: CallContext) -> GetRewardsResponse:
        """Read a user's balances."""
        response = GetRewardsResponse()
        as_of = read_moment(request, "as_of")
        write_rewards(response.rewards, await self._statement.rewards(request.user_id, as_of))
        return response

    async def BatchGetRewards(
        self, request: BatchGetRewardsRequest, call: CallContext
    ) -> BatchGetRewardsResponse:
        """Read the balances of many users."""
        user_ids = dict.fromkeys(request.user_ids)
        found = await self._statement.rewards_of(user_ids)
        response = BatchGetRewardsResponse(missing_user_ids=[each for each in user_ids if each not in found])
        for user_id in user_ids:
            if user_id in found:
                write_rewards(response.rewards.add(), found[user_id])
        return response

    async def GetTransaction(
        self, request: GetTransactionRequest, call: CallContext
    ) -> GetTransactionResponse:
        """Read one entry."""
        entry = await self._statement.transaction(parse_transaction_id(request.transaction_id))
        response = GetTransactionResponse()
        write_entry(response.transaction, entry)
        return response

    async def ExplainTransaction(
        self, request: ExplainTransactionRequest, call: CallContext
    ) -> ExplainTransactionResponse:
        """Compute one entry again."""
        explanation = await self._explaining.explain(parse_transaction_id(request.transaction_id))
        response = ExplainTransactionResponse()
        write_explanation(response, explanation)
        return response

    async def ListTransactions(
        self, request: ListTransactionsRequest, call: CallContext
    ) -> ListTransactionsResponse:
        """Read a user's entries, newest first."""
        query = query_of(request)
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        entries = await self._statement.transactions(
            request.user_id,
            tuple(request.actions),
            read_moment(request, "from_time"),
            read_moment(request, "to_time"),
            self._tokens.offset(request.page_token, query) or None,
            size + 1,  # one more tells whether another page follows
        )
        response = ListTransactionsResponse()
        written = write_page(response.transactions, entries[:size], write_entry)
        if written < len(entries):
            last = entries[written - 1].transaction_id
            response.next_page_token = self._tokens.issue(last, query)
        return response

    async def ListExpiringPoints(
        self, request: ListExpiringPointsRequest, call: CallContext
    ) -> ListExpiringPointsResponse:
        """Read what a user will lose unless he spends it."""
        within = read_duration(request, "within") if request.HasField("within") else None
        expiring = await self._statement.expiring(request.user_id, within)
        response = ListExpiringPointsResponse(total_points=expiring.total_points)
        for lot in expiring.lots:
            listed = response.lots.add(points=lot.points, transaction_id=str(lot.transaction_id))
            write_moment(listed.expires_at, lot.expires_at)
        return response
