"""The configuration of the gateway: what depends on its options, and that the example in deploy/ is up to date."""

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from laurel_server.devstack.binaries import find_envoy
from laurel_server.devstack.gateway import GatewayOptions, Limits, gateway_config
from laurel_server.devstack.ports import Endpoint

OPTIONS = GatewayOptions(
    listen=Endpoint("0.0.0.0", 8080),
    servers=[Endpoint("laurel", 50051)],
    operations=[Endpoint("laurel", 9090)],
    origins=["http://localhost:3000"],
)


def value(config: str, name: str) -> object:
    """Returns the value that stands in JSON behind a key."""
    found = re.search(rf"^ *(?:- )?{name}: (.*)$", config, re.MULTILINE)
    assert found
    return json.loads(found[1])


def test_every_server_gets_its_share() -> None:
    servers = [Endpoint("10.0.0.1", 1), Endpoint("10.0.0.2", 2)]
    config = gateway_config(replace(OPTIONS, servers=servers))
    assert '"address": "10.0.0.1", "port_value": 1' in config
    assert '"address": "10.0.0.2", "port_value": 2' in config


@pytest.mark.parametrize(
    ("origins", "matchers"),
    [
        ([], []),
        (
            ["https://a.example", "https://b.example"],
            [{"exact": "https://a.example"}, {"exact": "https://b.example"}],
        ),
        (["*"], [{"safe_regex": {"regex": ".*"}}]),
    ],
)
def test_origins(origins: list[str], matchers: object) -> None:
    assert value(gateway_config(replace(OPTIONS, origins=origins)), "allow_origin_string_match") == matchers


@pytest.mark.parametrize(
    ("limits", "percent", "held", "clients"),
    [(Limits(), 0, 2_000_000, 0), (Limits(50), 100, 100, 0), (Limits(0, 5), 100, 2_000_000, 10)],
)
def test_the_rate_is_limited_when_asked_for(limits: Limits, percent: int, held: int, clients: int) -> None:
    config = gateway_config(replace(OPTIONS, limits=limits))
    assert f"filter_enforced: {{default_value: {{numerator: {percent}}}}}" in config
    bucket, each = value(config, "token_bucket"), value(config, "descriptors")
    assert isinstance(bucket, dict)
    assert isinstance(each, list)
    assert bucket["max_tokens"] == held
    assert [one["token_bucket"]["max_tokens"] for one in each] == ([clients] if clients else [])


def test_short_forms_of_boards_are_for_requests_with_a_board() -> None:
    patterns = gateway_config(OPTIONS).partition("local BOARD_QUERIES = ")[2].partition("}")[0]
    assert "^/api/v1/leaderboard/rank/[^/]+$" in patterns
    assert "admin" not in patterns


@pytest.mark.parametrize("exposed", [False, True])
def test_metrics_stay_inside(*, exposed: bool) -> None:
    config = gateway_config(replace(OPTIONS, exposed=exposed))
    assert ('safe_regex: {regex: "/metrics"}' in config) is exposed


def test_paths_of_any_form_are_quoted() -> None:
    odd = Path("/with space/quo\"te's ü/descriptors.binpb")
    assert value(gateway_config(replace(OPTIONS, descriptors=odd)), "proto_descriptor") == str(odd)


def test_envoy_accepts_it(tmp_path: Path) -> None:
    file = tmp_path / "with space.yaml"
    file.write_text(gateway_config(replace(OPTIONS, limits=Limits(5, 2, 1), origins=["*"])))
    command = [str(find_envoy().path), "--mode", "validate", "--disable-hot-restart", "-c", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
