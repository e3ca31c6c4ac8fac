"""`laurel serve --demo`: something to see."""

import json

from laurel_client import Laurel
from tests.e2e.conftest import StartServe
from tests.e2e.serving import SERVE

DEMO = (*SERVE, "--demo")


async def test_a_demo_fills_the_board_and_goes_on(start_serve: StartServe) -> None:
    serve = start_serve(command=DEMO)
    async with (
        Laurel(serve.run["grpc"], timeout=30) as laurel,
        laurel.leaderboards.watch_leaderboard() as tops,
    ):
        first = await anext(tops)
        while len(first.entries) < 10:
            first = await anext(tops)
        assert all(entry.user_id.startswith("demo:") and entry.username for entry in first.entries)
        assert await anext(tops) != first  # somebody has moved
    assert f"http://{serve.run['http']}/admin" in serve.stderr
    assert serve.end() == 0
    assert "demo:" not in serve.stderr  # nothing was refused


async def test_a_demo_awards_by_a_token_that_may(start_serve: StartServe) -> None:
    tokens = {"desk": {"caller": "desk", "scopes": ["read"]}}
    refused = start_serve(ready=False, command=DEMO, LAUREL_AUTH_TOKENS=json.dumps(tokens))
    assert refused.process.wait(30) == 1
    assert "--demo needs a token with the scopes write and admin" in refused.stderr
    tokens["play"] = {"caller": "player", "scopes": ["write", "admin"]}
    serve = start_serve(command=DEMO, LAUREL_AUTH_TOKENS=json.dumps(tokens))
    async with (
        Laurel(serve.run["grpc"], token="desk", timeout=30) as laurel,
        laurel.leaderboards.watch_leaderboard() as tops,
    ):
        while not (await anext(tops)).entries:
            pass
