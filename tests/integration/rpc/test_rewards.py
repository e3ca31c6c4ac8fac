from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from msgspec.structs import replace

from laurel.rewards.v1.rewards_service_pb2 import (
    AwardPointsRequest,
    AwardPointsResponse,
    BatchAwardPointsRequest,
    GetRewardsRequest,
    GetTransactionRequest,
    ListTransactionsRequest,
)
from laurel.rewards.v1.statements_pb2 import (
    BatchGetRewardsRequest,
    ExplainTransactionRequest,
    ListExpiringPointsRequest,
)
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError, Reason
from laurel_server.rpc.convert.awards import read_award, write_award
from tests.integration.rpc.harness import Served, read_status, refused
from tests.integration.rpc.stand_in_rewards import sample_award
from tests.unit.rpc.samples import ANSWER, ENTRY, NOW, stamp

REQUEST = AwardPointsRequest(
    request_id="r-1", user_id="user:1", action="PURCHASE", attributes={"order_value": "99.90"}
)


def item(number: int) -> AwardPointsRequest:
    return AwardPointsRequest(request_id=f"r-{number}", user_id=f"user:{number}", action="REVIEW")


async def test_an_award_goes_through_both_ways(served: Served) -> None:
    response = await served.rewards.AwardPoints(REQUEST)
    expected = AwardPointsResponse()
    write_award(expected, replace(ANSWER, entry=replace(ENTRY, user_id="user:1", request_id="r-1")))
    assert response == expected
    assert served.awards.commands == [read_award(REQUEST, "anonymous")]


async def test_a_moment_out_of_the_calendar_is_refused(served: Served) -> None:
    request = AwardPointsRequest(
        request_id="r",
        user_id="u",
        action="A",
        occurred_at={"seconds": 2**60},  # type: ignore[arg-type]
    )
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.AwardPoints(request)
    assert refusal.fields.keys() == {"occurred_at"}


async def test_each_item_of_a_batch_has_its_own_result(served: Served) -> None:
    async def make(command: AwardCommand, deadline: float | None) -> AwardAnswer:
        if command.user_id == "user:2":
            raise LaurelError(
                Reason.COOLDOWN_ACTIVE, "Later.", metadata={"action": "A"}, retry_after=timedelta(seconds=3)
            )
        if command.user_id == "user:3":
            raise ValueError("hunter2")
        if command.user_id == "user:4":
            raise TimeoutError
        return await sample_award(command, deadline)

    served.awards.make = make
    malformed = [
        AwardPointsRequest(request_id="x"),
        AwardPointsRequest(request_id="x", user_id="u", action="A", reason="\0"),
        AwardPointsRequest(request_id="x", user_id="u", action="A", activates_at={"nanos": -1}),  # type: ignore[arg-type]
    ]
    batch = BatchAwardPointsRequest(awards=[item(1), item(2), item(3), item(4), *malformed, item(5)])
    response = await served.rewards.BatchAwardPoints(batch, metadata=(("x-request-id", "trace-9"),))

    assert [result.index for result in response.results] == list(range(8))
    kinds = [result.WhichOneof("result") for result in response.results]
    assert kinds == ["award", *["error"] * 6, "award"]
    assert response.results[7].award.transaction.user_id == "user:5"
    refusals = [read_status(result.error) for result in response.results[1:7]]
    assert [refusal.code for refusal in refusals] == [
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        *[grpc.StatusCode.INVALID_ARGUMENT] * 3,
    ]
    assert refusals[0].retry_after == 3
    assert refusals[1].info is not None
    assert refusals[1].info.metadata == {"request_id": "trace-9"}
    assert b"hunter2" not in response.SerializeToString()
    assert [set(refusal.fields) for refusal in refusals[3:]] == [
        {"user_id", "action"},
        {"reason"},
        {"activates_at"},
    ]


async def test_a_thousand_awards_and_no_more(served: Served) -> None:
    many = BatchAwardPointsRequest(awards=[item(number) for number in range(1000)])
    response = await served.rewards.BatchAwardPoints(many)
    assert len(response.results) == 1000
    many.awards.append(item(1000))
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.BatchAwardPoints(many)
    assert refusal.fields.keys() == {"awards"}
    assert len(served.awards.commands) == 1000


async def test_rewards_and_entries_are_read(served: Served) -> None:
    rewards = await served.rewards.GetRewards(GetRewardsRequest(user_id="user:9"))
    assert rewards.rewards.user_id == "user:9"
    entry = await served.rewards.GetTransaction(GetTransactionRequest(transaction_id="77"))
    assert entry.transaction.transaction_id == "77"


@pytest.mark.parametrize("transaction_id", ["9999999999999999999", "0"])
async def test_a_number_that_no_entry_has(served: Served, transaction_id: str) -> None:
    with refused(Reason.TRANSACTION_NOT_FOUND):
        await served.rewards.GetTransaction(GetTransactionRequest(transaction_id=transaction_id))


async def walk(served: Served, request: ListTransactionsRequest) -> list[list[int]]:
    """Return the ids on each page."""
    pages = []
    while True:
        response = await served.rewards.ListTransactions(request)
        pages.append([int(entry.transaction_id) for entry in response.transactions])
        request.page_token = response.next_page_token
        if not response.next_page_token:
            return pages


@pytest.mark.parametrize(
    ("count", "size", "lengths"),
    [(0, 10, [0]), (10, 10, [10]), (11, 10, [10, 1]), (120, 0, [50, 50, 20]), (1500, 5000, [1000, 500])],
)
async def test_pages_of_entries(served: Served, count: int, size: int, lengths: list[int]) -> None:
    served.statement.count = count
    pages = await walk(served, ListTransactionsRequest(user_id="u", page_size=size))
    assert [len(page) for page in pages] == lengths
    assert sum(pages, []) == list(range(count, 0, -1))  # noqa: RUF017 - a few short lists


async def test_new_entries_do_not_move_the_pages(served: Served) -> None:
    served.statement.count = 20
    first = await served.rewards.ListTransactions(ListTransactionsRequest(user_id="u", page_size=10))
    served.statement.count = 35
    second = await served.rewards.ListTransactions(
        ListTransactionsRequest(user_id="u", page_size=10, page_token=first.next_page_token)
    )
    assert [entry.transaction_id for entry in second.transactions] == [str(n) for n in range(10, 0, -1)]


async def test_balances_as_of_an_instant(served: Served) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    await served.rewards.GetRewards(GetRewardsRequest(user_id="u", as_of=stamp(moment)))
    assert served.statement.asked == [("u", moment)]


async def test_balances_of_many_users_come_in_the_order_of_the_request(served: Served) -> None:
    answer = await served.rewards.BatchGetRewards(
        BatchGetRewardsRequest(user_ids=["b", "nobody", "a", "b", "nobody"])
    )
    assert [each.user_id for each in answer.rewards] == ["b", "a"]
    assert list(answer.missing_user_ids) == ["nobody"]


@pytest.mark.parametrize("user_ids", [[], ["u"] * 1001, ["not an id"]])
async def test_a_malformed_list_of_users_is_refused(served: Served, user_ids: list[str]) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.BatchGetRewards(BatchGetRewardsRequest(user_ids=user_ids))
    assert all(path.startswith("user_ids") for path in refusal.fields)


async def test_expiring_points(served: Served) -> None:
    answer = await served.rewards.ListExpiringPoints(
        ListExpiringPointsRequest(user_id="u", within=Duration(seconds=86_400))
    )
    assert served.statement.asked == [("u", timedelta(days=1))]
    assert answer.total_points == 9
    (lot,) = answer.lots
    assert (lot.points, lot.expires_at, lot.transaction_id) == (7, stamp(NOW), str(ENTRY.transaction_id))


async def test_expiring_points_without_a_bound(served: Served) -> None:
    await served.rewards.ListExpiringPoints(ListExpiringPointsRequest(user_id="u"))
    assert served.statement.asked == [("u", None)]


async def test_a_negative_span_is_refused(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.ListExpiringPoints(
            ListExpiringPointsRequest(user_id="u", within=Duration(seconds=-1))
        )
    assert refusal.fields.keys() == {"within"}


async def test_filters_reach_the_ledger(served: Served) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    await served.rewards.ListTransactions(
        ListTransactionsRequest(user_id="u", actions=["REVIEW"], from_time=stamp(start), to_time=stamp(end))
    )
    assert served.statement.asked == [("u", ("REVIEW",), start, end)]


@pytest.mark.parametrize(
    "other",
    [
        ListTransactionsRequest(user_id="v"),
        ListTransactionsRequest(user_id="u", actions=["REVIEW"]),
        ListTransactionsRequest(user_id="u", from_time={"seconds": 1}),  # type: ignore[arg-type]
    ],
)
async def test_a_token_of_another_query_is_refused(served: Served, other: ListTransactionsRequest) -> None:
    served.statement.count = 20
    first = await served.rewards.ListTransactions(ListTransactionsRequest(user_id="u", page_size=10))
    other.page_token = first.next_page_token
    with refused(Reason.PAGE_TOKEN_INVALID):
        await served.rewards.ListTransactions(other)


async def test_a_token_goes_with_another_page_size(served: Served) -> None:
    served.statement.count = 20
    first = await served.rewards.ListTransactions(ListTransactionsRequest(user_id="u", page_size=10))
    second = await served.rewards.ListTransactions(
        ListTransactionsRequest(user_id="u", page_size=3, page_token=first.next_page_token)
    )
    assert [entry.transaction_id for entry in second.transactions] == ["10", "9", "8"]


async def test_long_entries_make_shorter_pages_that_still_hold_all(served: Served) -> None:
    served.statement.count, served.statement.reason = 1000, "\N{GRINNING FACE}" * 1000
    pages = await walk(served, ListTransactionsRequest(user_id="u", page_size=1000))
    assert len(pages) == 2
    assert sum(pages, []) == list(range(1000, 0, -1))  # noqa: RUF017 - two lists


async def test_a_negative_page_size_is_refused(served: Served) -> None:
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.rewards.ListTransactions(ListTransactionsRequest(user_id="u", page_size=-1))
    assert refusal.fields.keys() == {"page_size"}


async def test_an_explanation(served: Served) -> None:
    answer = await served.rewards.ExplainTransaction(ExplainTransactionRequest(transaction_id="77"))
    assert (answer.transaction.transaction_id, answer.transaction.points) == ("77", ENTRY.points)
    assert dict(answer.attributes) == {"order_value": "99.90"}
    assert (answer.points_formula, answer.config_version) == ("order_value * 1", 3)
    assert answer.tier == Tier.TIER_SILVER
    assert list(answer.period_ids) == ["2026-11-23", "all"]
    (step,), (lot,) = answer.steps, answer.lots
    assert (step.name, step.value) == ("base", "99.9")
    assert (lot.transaction_id, lot.points, lot.expires_at) == (str(682 << 48 | 7), 40, stamp(NOW))
    assert not answer.agrees
    assert list(answer.differences) == ["points is 149 and must be 299"]


async def test_what_is_no_id_is_not_found(served: Served) -> None:
    with refused(Reason.TRANSACTION_NOT_FOUND):
        await served.rewards.ExplainTransaction(ExplainTransactionRequest(transaction_id="0"))
