"""The REST paths of the contract: every method has one, and no two can be taken for each other."""

import re
from collections.abc import Iterator

import pytest
from google.api.annotations_pb2 import http
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import MethodDescriptor

from laurel_server.rpc.methods import SERVICES
from laurel_server.rpc.routes import routes

METHODS = {method.full_name: method for service in SERVICES for method in service.methods}
PROMISED = {
    ("GET", "/api/v1/leaderboard/global"): "GetLeaderboard",
    ("GET", "/api/v1/leaderboards/{board.scope}"): "GetLeaderboard",
    ("GET", "/api/v1/leaderboard/rank/{user_id}"): "GetRank",
    ("GET", "/api/v1/leaderboard/surrounding/{user_id}"): "GetSurrounding",
    ("GET", "/api/v1/leaderboard/watch"): "WatchLeaderboard",
    ("GET", "/api/v1/leaderboard/rank/{user_id}/watch"): "WatchRank",
    ("POST", "/api/v1/leaderboard/update"): "UpdateScore",
    ("POST", "/api/v1/rewards/award"): "AwardPoints",
    ("POST", "/api/v1/rewards/redeem"): "RedeemPoints",
    ("GET", "/api/v1/rewards/{user_id}"): "GetRewards",
    ("GET", "/api/v1/rewards/{user_id}/transactions"): "ListTransactions",
    ("GET", "/api/v1/ranking/{user_id}"): "GetStanding",
    ("GET", "/api/v1/ranking/{user_id}/badges"): "ListBadges",
}


def bindings(method: MethodDescriptor) -> Iterator[tuple[str, str]]:
    rule = method.GetOptions().Extensions[http]
    for each in (rule, *rule.additional_bindings):
        yield from ((verb.upper(), path) for verb, path in _patterns(each))


def _patterns(rule: HttpRule) -> Iterator[tuple[str, str]]:
    kind = rule.WhichOneof("pattern")
    if kind:
        yield kind, getattr(rule, kind)


def test_the_promised_paths_are_there() -> None:
    found = {binding: method.name for method in METHODS.values() for binding in bindings(method)}
    assert found.items() >= PROMISED.items()


@pytest.mark.parametrize(
    "method", [each for each in METHODS.values() if not each.client_streaming], ids=lambda each: each.name
)
def test_every_method_that_http_can_carry_has_a_path(method: MethodDescriptor) -> None:
    assert list(bindings(method)), f"add `option (google.api.http)` to {method.full_name}"


def test_no_path_ends_in_a_verb_which_ids_could_end_in_too() -> None:
    paths = [path for method in METHODS.values() for _, path in bindings(method)]
    assert [path for path in paths if ":" in re.sub(r"\{.*?\}", "", path)] == []


def test_no_word_of_a_path_hides_a_user_of_that_name() -> None:
    known = {binding: method.name for method in METHODS.values() for binding in bindings(method)}
    hidden = [
        (word, path)
        for verb, word in known
        for other, path in known
        if verb == other == "GET" and word != path and _matches(path, word) and "/leaderboard/" not in word
    ]
    assert hidden == []


def _matches(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{.*?\}", "[^/]+", template), path) is not None


def test_the_methods_of_a_route_exist() -> None:
    known = {f"/{method.containing_service.full_name}/{method.name}" for method in METHODS.values()}
    found = routes()
    assert {*found.streams, *found.long_calls, *found.not_idempotent} <= known
    assert "/laurel.leaderboard.v1.LeaderboardService/WatchRank" in found.streams
    assert "/laurel.rewards.v1.RewardsService/AwardPoints" not in found.not_idempotent
