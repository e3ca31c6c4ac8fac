from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laurel.rewards.v1.rewards_pb2 import Transaction
from laurel.rewards.v1.rewards_service_pb2 import ListTransactionsRequest, ListTransactionsResponse
from laurel_server.domain.errors import Reason
from laurel_server.rpc.paging import MAX_PAGE_BYTES, PageTokens, page_size, query_of, write_page
from tests.unit.domain.refusals import refused

TOKENS = PageTokens("GetLeaderboard")
QUERY = ("global", "2026-W48")


@pytest.mark.parametrize(
    ("asked", "given_"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)]
)
def test_page_size(asked: int, given_: int) -> None:
    assert page_size(asked, 50) == given_


def test_no_token_is_the_start() -> None:
    assert TOKENS.position("", *QUERY) == ""
    assert TOKENS.offset("", *QUERY) == 0


@given(st.text(max_size=100), st.lists(st.text(max_size=20), max_size=4))
def test_a_position_comes_back_for_the_same_query(position: str, query: list[str]) -> None:
    assert TOKENS.position(TOKENS.issue(position, *query), *query) == position


def test_a_token_is_opaque_and_short_enough_for_a_request() -> None:
    token = TOKENS.issue(2**63 - 1, *QUERY)
    assert "global" not in token
    assert len(token) < 64


@pytest.mark.parametrize(
    "query",
    [("global", "2026-W49"), ("global",), ("global2026-W48",), ("globa", "l2026-W48"), (*QUERY, ""), ()],
)
def test_a_token_of_another_query_is_refused(query: tuple[str, ...]) -> None:
    with refused(Reason.PAGE_TOKEN_INVALID, "page_token"):
        TOKENS.position(TOKENS.issue(100, *QUERY), *query)


def test_a_token_of_another_method_is_refused() -> None:
    with refused(Reason.PAGE_TOKEN_INVALID, "page_token"):
        PageTokens("ListTransactions").position(TOKENS.issue(100, *QUERY), *QUERY)


@pytest.mark.parametrize(
    "token", ["x", "!!!!", "AQ", "AQ==", "\N{SNOWMAN}", "a" * 512, "0", "-1", "100", " ", "\0", "AB\nCD"]
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with refused(Reason.PAGE_TOKEN_INVALID, "page_token"):
        TOKENS.offset(token, *QUERY)


def test_every_changed_character_is_noticed() -> None:
    token = TOKENS.issue(100, *QUERY)
    for index, letter in enumerate(token):
        changed = token[:index] + ("A" if letter != "A" else "B") + token[index + 1 :]
        with refused(Reason.PAGE_TOKEN_INVALID, "page_token"):
            TOKENS.offset(changed, *QUERY)


@pytest.mark.parametrize("extra", ["=", "==", "\n", " ", "A", "."])
def test_no_second_spelling_of_a_token_is_accepted(extra: str) -> None:
    with refused(Reason.PAGE_TOKEN_INVALID, "page_token"):
        TOKENS.offset(TOKENS.issue(100, *QUERY) + extra, *QUERY)


@pytest.mark.parametrize("position", ["-5", "1e3", "", " 1", "1" * 19, "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_forged_offset_that_is_none_is_refused(position: str) -> None:
    token = TOKENS.issue(position or " ", *QUERY)
    with refused(Reason.PAGE_TOKEN_INVALID, "page_token"):
        TOKENS.offset(token, *QUERY)


def test_a_token_of_an_unknown_version_is_refused() -> None:
    content = bytearray(urlsafe_b64decode(TOKENS.issue(100, *QUERY) + "=="))
    content[0] += 1
    with refused(Reason.PAGE_TOKEN_INVALID, "page_token"):
        TOKENS.offset(urlsafe_b64encode(content).rstrip(b"=").decode(), *QUERY)


def test_the_query_leaves_the_page_out() -> None:
    first = ListTransactionsRequest(user_id="u", actions=["REVIEW"], page_size=10)
    second = ListTransactionsRequest(user_id="u", actions=["REVIEW"], page_size=20, page_token="t")
    assert query_of(first) == query_of(second)
    assert query_of(first) != query_of(ListTransactionsRequest(user_id="v", actions=["REVIEW"]))
    assert first.page_size == 10


def write(target: Transaction, reason: str) -> None:
    target.reason = reason


def test_a_page_takes_all_items_that_fit() -> None:
    response = ListTransactionsResponse()
    assert write_page(response.transactions, ["a", "b", "c"], write) == 3
    assert [entry.reason for entry in response.transactions] == ["a", "b", "c"]


def test_a_page_ends_before_it_outgrows_a_message() -> None:
    response = ListTransactionsResponse()
    written = write_page(response.transactions, ["x" * 1_000_000] * 10, write)
    assert written == len(response.transactions) == 4
    assert response.ByteSize() < MAX_PAGE_BYTES + 1_000_100


def test_a_page_of_nothing() -> None:
    assert write_page(ListTransactionsResponse().transactions, [], write) == 0
