"""RewardsService."""

from collections.abc import Iterable
from typing import Final

import structlog

from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    AwardPointsResponse,
    BatchAwardPointsRequest,
    BatchAwardPointsResponse,
    GetRewardsRequest,
    GetRewardsResponse,
    GetTransactionRequest,
    GetTransactionResponse,
    ListTransactionsRequest,
    ListTransactionsResponse,
)
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.identifiers import parse_transaction_id
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.awards import read_award, write_award, write_entry, write_rewards
from laurel_server.rpc.convert.times import read_moment
from laurel_server.rpc.errors import InvalidRequestError, to_status
from laurel_server.rpc.paging import PageTokens, page_size, query_of, write_page
from laurel_server.rpc.ports import Awards, Statement
from laurel_server.rpc.violations import violations

DEFAULT_PAGE_SIZE: Final = 50

_log = structlog.get_logger(__name__)


class RewardsServicer:
    """Awards points, and reads what users have."""

    service = methods.REWARDS

    def __init__(self, awards: Awards, statement: Statement) -> None:
        self._awards = awards
        self._statement = statement
        self._tokens = PageTokens("ListTransactions")

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
        commands = [_read_item(item, call.caller) for item in request.awards]
        answers = await self._awards.award_batch(commands, call.deadline)
        return _batch_response(answers, call.request_id)

    async def GetRewards(self, request: GetRewardsRequest, call: CallContext) -> GetRewardsResponse:
        """Read a user's balances."""
        response = GetRewardsResponse()
        write_rewards(response.rewards, await self._statement.rewards(request.user_id))
        return response

    async def GetTransaction(
        self, request: GetTransactionRequest, call: CallContext
    ) -> GetTransactionResponse:
        """Read one entry."""
        entry = await self._statement.transaction(parse_transaction_id(request.transaction_id))
        response = GetTransactionResponse()
        write_entry(response.transaction, entry)
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


def _read_item(item: AwardPointsRequest, caller: str) -> AwardCommand | LaurelError:
    """Return one award of a batch, or what is wrong with it."""
    broken = violations(item)
    if broken:
        return InvalidRequestError(broken)
    try:
        return read_award(item, caller)
    except LaurelError as error:
        return error


def _batch_response(answers: Iterable[AwardAnswer | Exception], request_id: str) -> BatchAwardPointsResponse:
    response = BatchAwardPointsResponse()
    for index, answer in enumerate(answers):
        result = response.results.add(index=index)
        if isinstance(answer, AwardAnswer):
            write_award(result.award, answer)
        else:
            _log_fault(answer, index)
            result.error.CopyFrom(to_status(answer, request_id))
    return response


def _log_fault(error: Exception, index: int) -> None:
    """Write a line about an item that failed through Laurel's fault: its call succeeds and gets none."""
    if not isinstance(error, LaurelError | TimeoutError):
        _log.error("award failed", index=index, exc_info=error)
