"""What the gateway refuses because it is too much."""

from concurrent.futures import ThreadPoolExecutor

from tests.e2e.conftest import StartServe
from tests.e2e.curl import curl
from tests.e2e.gateway import award


def test_a_message_that_is_too_large_is_refused_in_json(api: str) -> None:
    answer = award(api, "large", reason="x" * (40 << 20))
    assert (answer.status, answer.json["code"]) == (413, 8)


def test_more_than_the_limit_is_refused_in_json(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_HTTP_RATE_LIMIT="1")
    with ThreadPoolExecutor(8) as callers:  # side by side, or a slow machine would stay below the limit
        answers = list(callers.map(curl, [f"http://{serve.run['http']}/api/v1/leaderboard/global"] * 32))
    refused = [answer for answer in answers if answer.status != 200]
    assert refused
    assert (refused[0].status, refused[0].json["code"]) == (429, 8)
    assert refused[0].reason == "RATE_LIMITED"
    assert refused[0].headers["retry-after"] == "1"
    assert curl(f"http://{serve.run['http']}/healthz").status == 200


def test_each_client_has_a_limit_of_its_own(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_HTTP_CLIENT_RATE_LIMIT="2", LAUREL_HTTP_TRUSTED_PROXIES="1")
    url = f"http://{serve.run['http']}/api/v1/leaderboard/global"

    def ask(client: str) -> int:
        return curl(url, "-H", f"X-Forwarded-For: {client}").status

    with ThreadPoolExecutor(8) as callers:
        greedy = list(callers.map(ask, ["192.0.2.1"] * 32))
        others = list(callers.map(ask, [f"192.0.2.{number}" for number in range(2, 60)]))
        one_network = list(callers.map(ask, [f"2001:db8::{number:x}" for number in range(1, 33)]))
        networks = list(callers.map(ask, [f"2001:db8:0:{number:x}::1" for number in range(1, 33)]))
    assert 4 <= greedy.count(200) < 32, "two a second, and twice that at once"
    assert greedy.count(200) + greedy.count(429) == 32
    assert set(others) == {200}, "who asks once is not stopped by who asks much"
    assert one_network.count(429) > 0, "one client has all of the addresses of its network"
    assert set(networks) == {200}
