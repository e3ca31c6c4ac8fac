"""REST through the gateway of `laurel serve`, by curl."""

import re
from urllib.parse import quote

import pytest

from tests.e2e.curl import curl
from tests.e2e.gateway import award


def test_an_award_in_camel_case_answers_with_everything_in_it(api: str) -> None:
    body = {
        "requestId": "camel-1",
        "userId": "camel",
        "action": "PURCHASE",
        "attributes": {"order_value": "5000"},
    }
    answer = curl(f"{api}/rewards/award", data=body)
    assert answer.status == 200
    entry = answer.json["transaction"]
    assert (entry["userId"], entry["points"], entry["orderId"]) == ("camel", "50", "")
    assert answer.json["closedPeriodIds"] == []
    assert answer.json["replayed"] is False
    assert answer.json["rewards"]["tier"] == "TIER_BRONZE"
    again = curl(f"{api}/rewards/award", data=body | {"request_id": "camel-1"})
    assert again.json["replayed"] is True


@pytest.mark.parametrize(
    "user_id", ["shop:7", "ada@example.com", "a.b-c_d", "x:batch", "transactions", "watch"]
)
def test_ids_of_every_form_stand_in_paths(api: str, user_id: str) -> None:
    assert award(api, user_id).status == 200
    for written in (user_id, quote(user_id, safe="")):
        assert curl(f"{api}/rewards/{written}").json["rewards"]["userId"] == user_id
        assert curl(f"{api}/leaderboard/rank/{written}").json["rank"]["score"] == "20"
        assert curl(f"{api}/leaderboard/surrounding/{written}?range=10").json["score"] == "20"
        assert curl(f"{api}/ranking/{written}").json["rank"]["score"] == "20"
        (entry,) = curl(f"{api}/rewards/{written}/transactions").json["transactions"]
        assert curl(f"{api}/transactions/{entry['transactionId']}").json["transaction"] == entry


@pytest.mark.parametrize(
    "query", ["period=weekly&limit=100", "period=WeekLY", "board.period=PERIOD_WEEKLY&pageSize=3"]
)
def test_boards_are_asked_for_in_short(api: str, query: str) -> None:
    award(api, "short")
    answer = curl(f"{api}/leaderboard/global?{query}")
    assert answer.json["board"]["period"] == "PERIOD_WEEKLY"
    assert re.fullmatch(r"\d{4}-W\d\d", answer.json["board"]["periodId"])
    assert curl(f"{api}/leaderboards/global?{query}").json["board"] == answer.json["board"]


@pytest.mark.parametrize("period", ["", "all_time", "ALL_TIME", "all", "PERIOD_ALL_TIME"])
def test_the_board_of_all_time(api: str, period: str) -> None:
    assert curl(f"{api}/leaderboard/global?period={period}").json["board"]["periodId"] == "all"


def test_a_limit_bounds_the_page(api: str) -> None:
    for user_id in ("limit-1", "limit-2"):
        award(api, user_id)
    answer = curl(f"{api}/leaderboard/global?limit=1").json
    assert len(answer["entries"]) == 1
    rest = curl(f"{api}/leaderboard/global?limit=1&page_token={answer['nextPageToken']}").json
    assert rest["entries"][0]["rank"] == "2"


def test_scores_of_a_board_of_ones_own(api: str) -> None:
    board = {"board_id": "chess", "kind": "BOARD_KIND_SCORES", "operator": "SCORE_OPERATOR_BEST"}
    made = curl(f"{api}/admin/boards", data={"request_id": "chess-1", "board": board})
    assert made.status == 200, made
    update = {
        "requestId": "chess-2",
        "board": {"scope": "chess"},
        "userId": "ada",
        "score": "7",
        "metadata": {"a": "b"},
    }
    answer = curl(f"{api}/leaderboard/update", data=update)
    assert (answer.json["rank"]["rank"], answer.json["updated"]) == ("1", True)
    (line,) = curl(f"{api}/leaderboards/chess").json["entries"]
    assert (line["userId"], line["score"], line["metadata"]) == ("ada", "7", {"a": "b"})


def test_points_are_redeemed(api: str) -> None:
    award(api, "spender")
    answer = curl(f"{api}/rewards/redeem", data={"request_id": "spend-1", "user_id": "spender", "points": 15})
    assert (answer.json["transaction"]["points"], answer.json["rewards"]["totalPoints"]) == ("-15", "5")
    more = curl(f"{api}/rewards/redeem", data={"request_id": "spend-2", "user_id": "spender", "points": "15"})
    assert (more.status, more.reason) == (400, "INSUFFICIENT_POINTS")


def test_periods_are_listed_by_their_short_name(api: str) -> None:
    award(api, "periods")
    periods = curl(f"{api}/periods?period=weekly&scope=global&limit=5").json["periods"]
    assert periods[0]["board"]["period"] == "PERIOD_WEEKLY"


def test_what_is_escaped_is_read(api: str) -> None:
    answer = curl(f"{api}/leaderboards/country%3AUS?period=weekly&periodId=2026-W40")
    assert answer.json["board"] == {"scope": "country:US", "period": "PERIOD_WEEKLY", "periodId": "2026-W40"}


def test_a_profile_is_put_where_its_path_says(api: str) -> None:
    body = {"username": "Ada", "country": "DE"}
    answer = curl(f"{api}/admin/users/ada:1@x.y", "-X", "PUT", data=body)
    assert answer.json["user"]["userId"] == "ada:1@x.y"
    assert curl(f"{api}/admin/users/ada%3A1%40x.y").json["user"]["country"] == "DE"


def test_a_board_without_members_is_an_empty_list(api: str) -> None:
    answer = curl(f"{api}/leaderboards/country:AQ?period=weekly").json
    assert (answer["entries"], answer["totalParticipants"]) == ([], "0")


def test_answers_are_not_kept_by_caches(api: str) -> None:
    assert curl(f"{api}/leaderboard/global").headers["cache-control"] == "no-store"


def test_short_forms_work_for_one_user_too(api: str) -> None:
    award(api, "solo")
    answer = curl(f"{api}/leaderboard/rank/solo?period=daily").json
    assert answer["rank"]["board"]["period"] == "PERIOD_DAILY"
    past = curl(f"{api}/leaderboard/rank/solo?period=daily&period_id=2020-01-01")
    assert (past.status, past.reason) == (404, "NOT_ON_BOARD")


def test_fields_that_are_named_like_short_forms_stay_as_they_are(api: str) -> None:
    checks = curl(f"{api}/admin/integrity?scope=ledger").json["checks"]
    assert checks


def test_a_large_batch_passes(api: str) -> None:
    awards = [
        {"request_id": f"large-{n}", "user_id": f"large-{n % 7}", "action": "REVIEW"} for n in range(1000)
    ]
    answer = curl(f"{api}/rewards/award/batch", data={"awards": awards})
    assert [result["index"] for result in answer.json["results"]] == [str(n) for n in range(1000)]
    assert all("award" in result for result in answer.json["results"])


def test_the_id_of_a_request_is_kept(api: str) -> None:
    assert (
        curl(f"{api}/leaderboard/global", "-H", "X-Request-Id: order-77").headers["x-request-id"]
        == "order-77"
    )
    assert curl(f"{api}/leaderboard/global").headers["x-request-id"]
