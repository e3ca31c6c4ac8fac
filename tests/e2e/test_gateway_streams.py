"""Watches by server-sent events, and streams of gRPC, through the gateway."""

import re

import grpc
import pytest

from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, IngestAwardsRequest
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from tests.e2e.conftest import StartServe
from tests.e2e.curl import curl, events
from tests.e2e.gateway import award
from tests.e2e.serving import Serve, eventually


async def test_streams_of_grpc_pass_in_both_directions(laurel: Serve) -> None:
    awards = [
        IngestAwardsRequest(award=AwardPointsRequest(request_id=f"i-{n}", user_id="pourer", action="REVIEW"))
        for n in range(3)
    ]
    async with grpc.aio.insecure_channel(laurel.run["http"]) as channel:
        answers = RewardsServiceStub(channel).IngestAwards(iter(awards))
        indexes = {answer.result.index async for answer in answers}
    assert indexes == {0, 1, 2}


def test_a_board_is_watched_by_events(api: str) -> None:
    award(api, "watched")
    with events(f"{api}/leaderboard/watch?limit=100&period=daily") as stream:
        first = next(stream)
        assert first["snapshot"]["board"]["period"] == "PERIOD_DAILY"
        assert first["sequence"] == "1"
        # Ahead of all the others: more than 100 people may stand on the board of the shared server.
        award(api, "newcomer", action="PURCHASE", attributes={"order_value": "10000000"})
        changed: set[str] = set()
        while "newcomer" not in changed:
            changed = {entry["userId"] for entry in next(stream).get("delta", {}).get("changed", [])}


@pytest.mark.parametrize(("query", "period"), [("", "PERIOD_ALL_TIME"), ("?period=daily", "PERIOD_DAILY")])
def test_a_rank_is_watched_by_events(api: str, query: str, period: str) -> None:
    user_id = f"runner@{period.lower()}"
    award(api, user_id)
    with events(f"{api}/leaderboard/rank/{user_id}/watch{query}") as stream:
        first = next(stream)["update"]
        assert (first["board"]["period"], first["score"]) == (period, "20")
        award(api, user_id)
        while (update := next(stream)["update"])["score"] == "20":
            pass  # others moved
        assert (update["score"], update["pointsEarned"]) == ("40", "20")


def test_a_watch_that_cannot_begin_is_an_error_in_json(api: str) -> None:
    answer = curl(f"{api}/leaderboard/watch?limit=1000")
    assert (answer.status, answer.reason) == (400, "INVALID_FIELD")


def test_a_watcher_who_leaves_is_forgotten(start_serve: StartServe) -> None:
    serve = start_serve()  # with one process: of several the gateway would show the metrics of any

    def watching() -> bool:
        page = curl(f"http://{serve.run['http']}/metrics").body
        return bool(re.search(r'laurel_rpc_streams\{method="WatchLeaderboard".*\} [1-9]', page))

    with events(f"http://{serve.run['http']}/api/v1/leaderboard/watch") as stream:
        next(stream)
        assert watching()
    eventually(lambda: not watching(), "the stream ends in the server too")


def test_watchers_are_told_when_everything_stops(start_serve: StartServe) -> None:
    serve = start_serve()
    with events(f"http://{serve.run['http']}/api/v1/leaderboard/watch") as stream:
        token = next(stream)["resumeToken"]
        serve.process.terminate()
        *_, last = stream
    assert last["end"]["reason"] == "DRAINING"
    assert last["end"]["resumeToken"]
    assert token
    assert serve.process.wait(60) == 0
