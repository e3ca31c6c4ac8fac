"""gRPC-Web in a real browser: a page of another origin that calls with the TypeScript client."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser

from laurel_client import Laurel
from tests.e2e.browser import needs_chromium
from tests.e2e.conftest import StartServe
from tests.e2e.serving import Serve
from tests.e2e.typescript_site import needs_node_modules, site

pytestmark = [needs_chromium, needs_node_modules]

CALLS = """
async ({ gateway, token, userId }) => {
  const [{ connect, watchRank, reasonOf, withToken, board, newRequestId }, { createGrpcWebTransport }] =
    await Promise.all([import("/dist/src/index.js"), import("@connectrpc/connect-web")]);
  const interceptors = token ? [withToken(token)] : [];
  const { rewards, leaderboards } = connect(createGrpcWebTransport({ baseUrl: gateway, interceptors }));
  const award = (action, attributes = {}) =>
    rewards.awardPoints({ requestId: newRequestId(), userId, action, attributes });
  try {
    const first = await award("PURCHASE", { order_value: "1999.00" });
    const scores = [];
    const end = new AbortController();
    for await (const update of watchRank(leaderboards, userId, [board("global", "weekly")], end.signal)) {
      scores.push(String(update.score));
      if (update.score >= 39n) break;
      await award("REVIEW");
    }
    const refusal = await award("JUGGLING").then(() => "none", reasonOf);
    return { origin: location.origin, points: String(first.transaction.points), scores, refusal };
  } catch (error) {
    return { origin: location.origin, failed: String(error), reason: reasonOf(error) };
  }
}
"""


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page comes from."""
    with site(tmp_path_factory.mktemp("site")) as origin:
        yield origin


async def called(browser: Browser, origin: str, serve: Serve, token: str = "") -> dict[str, Any]:
    """Call from a page of the origin, and return what it says."""
    context = await browser.new_context()
    try:
        page = await context.new_page()
        await page.goto(origin)
        told: dict[str, Any] = await page.evaluate(
            CALLS, {"gateway": f"http://{serve.run['http']}", "token": token, "userId": "webber"}
        )
        return told
    finally:
        await context.close()


async def test_a_page_of_a_known_origin_awards_and_watches(
    browser: Browser, origin: str, start_serve: StartServe
) -> None:
    serve = start_serve(LAUREL_HTTP_CORS_ORIGINS=origin)
    assert await called(browser, origin, serve) == {
        "origin": origin,
        "points": "19",
        "scores": ["19", "39"],
        "refusal": "ACTION_NOT_FOUND",
    }
    async with Laurel(serve.run["grpc"], timeout=30) as laurel:
        assert (await laurel.rewards.get_rewards("webber")).total_points == 39


async def test_a_page_of_a_known_origin_calls_with_a_token(
    browser: Browser, origin: str, start_serve: StartServe
) -> None:
    tokens = '{"s3cret": {"caller": "shop", "scopes": ["read", "write"]}}'
    serve = start_serve(LAUREL_HTTP_CORS_ORIGINS=origin, LAUREL_AUTH_TOKENS=tokens)
    assert (await called(browser, origin, serve))["reason"] == "CREDENTIALS_MISSING"
    assert (await called(browser, origin, serve, "s3cret"))["scores"] == ["19", "39"]


async def test_a_page_of_another_origin_may_not_call(
    browser: Browser, origin: str, start_serve: StartServe
) -> None:
    serve = start_serve()
    told = await called(browser, origin, serve)
    assert "Failed to fetch" in told["failed"]
    async with Laurel(serve.run["grpc"], timeout=30) as laurel:
        assert [user async for user in laurel.admin.list_users()] == []
