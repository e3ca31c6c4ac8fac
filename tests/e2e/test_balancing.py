"""One gateway in front of two servers on the same engines: who gets the calls, and what a death costs."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import StartServe
from tests.e2e.curl import curl
from tests.e2e.gateway import envoy_before
from tests.e2e.serving import Serve, eventually


@pytest.fixture
def servers(start_serve: StartServe) -> tuple[Serve, Serve]:
    """Two servers without gateways; the engines belong to the first."""
    first = start_serve(LAUREL_HTTP_GATEWAY="0")
    engines = {"LAUREL_PG_DSN": first.run["pg_dsn"], "LAUREL_REDIS_URL": first.run["redis_url"]}
    return first, start_serve(LAUREL_HTTP_GATEWAY="0", **engines)


@pytest.fixture
def gateway(servers: tuple[Serve, Serve], tmp_path: Path) -> Iterator[str]:
    """An Envoy of its own in front of both."""
    grpc = [each.run["grpc"] for each in servers]
    with envoy_before(grpc, servers[0].run["http"], tmp_path) as url:
        yield url


def answered(server: Serve) -> int:
    """Returns how many calls of GetLeaderboard a server has answered."""
    page = curl(f"http://{server.run['http']}/metrics").body
    found = re.search(r'laurel_rpc_calls_total\{code="OK",method="GetLeaderboard".*\} ([\d.]+)', page)
    return int(float(found[1])) if found else 0


def test_both_servers_get_calls(servers: tuple[Serve, Serve], gateway: str) -> None:
    def both_have_some() -> bool:
        assert curl(f"{gateway}/api/v1/leaderboard/global").status == 200
        return min(map(answered, servers)) >= 5

    eventually(both_have_some, "the gateway calls both")


def test_the_death_of_a_server_costs_no_call(servers: tuple[Serve, Serve], gateway: str) -> None:
    survivor, victim = servers
    for number in range(60):
        if number == 10:
            victim.process.send_signal(signal.SIGKILL)  # its server dies with it and does not come back
        body = {"request_id": f"death-{number}", "user_id": "ada", "action": "REVIEW"}
        answer = curl(f"{gateway}/api/v1/rewards/award", data=body)
        assert answer.status == 200, answer
    assert curl(f"{gateway}/api/v1/rewards/ada").json["rewards"]["totalPoints"] == "1200"
    assert curl(f"http://{survivor.run['http']}/healthz").status == 200


def answering(serve: Serve) -> str:
    """Returns the own port of the server that the gateway lets answer."""
    info = curl(f"http://{serve.run['http']}/api/v1/admin/server").json
    return str(info["config"]["grpc.port"])


def test_serve_starts_several_servers_and_brings_each_back(start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_GRPC_PROCESSES="2")
    url = f"http://{serve.run['http']}/api/v1/leaderboard/global"
    assert {"server", "server-2"} <= serve.pids.keys()
    eventually(lambda: answering(serve) != answering(serve), "the gateway knows that both serve")
    before = serve.pids
    for number in range(30):
        if number == 10:
            os.kill(before["server-2"], signal.SIGKILL)
        assert curl(f"{url}?limit={number + 1}").status == 200
    eventually(lambda: serve.pids["server-2"] != before["server-2"], "the server is back")
    assert serve.pids["server"] == before["server"]
    assert serve.end() == 0


def test_a_server_that_drains_sends_its_callers_to_the_other(
    servers: tuple[Serve, Serve], gateway: str
) -> None:
    _, leaver = servers
    for number in range(40):
        if number == 5:
            leaver.process.terminate()
        assert curl(f"{gateway}/api/v1/leaderboard/global?limit={number + 1}").status == 200
    assert leaver.process.wait(60) == 0
