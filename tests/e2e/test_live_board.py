"""The live leaderboard in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Route, expect

from laurel_client import BoardConfig, BoardKind, Laurel, Period, User
from tests.e2e.browser import needs_chromium, visiting
from tests.e2e.conftest import StartServe
from tests.e2e.guests import visited
from tests.e2e.serving import Serve

pytestmark = needs_chromium

NAMES = {"ada": "Ada Lovelace", "bob": "Bob Kahn", "cleo": "Cleo Vane", "dan": "Dan <b>Bold</b>"}

COUNT_ANIMATIONS = """
window.glides = 0;
const animate = Element.prototype.animate;
Element.prototype.animate = function (...how) { window.glides++; return animate.apply(this, how); };
"""

NOTE_PLACES = """
new MutationObserver(() => {
  document.body.dataset.places += ", " + document.querySelector("#pinned .place").textContent;
}).observe(document.querySelector("#pinned"), { childList: true });
"""


@pytest.fixture
async def laurel(serve: Serve) -> AsyncIterator[Laurel]:
    async with visited(serve) as laurel:
        yield laurel


async def fill(laurel: Laurel) -> None:
    """Four people with 400, 300, 200 and 100 points."""
    users = [User(user_id=each, username=name, country="GB") for each, name in NAMES.items()]
    await laurel.admin.batch_upsert_users(users)
    for number, user_id in enumerate(NAMES):
        await award(laurel, user_id, 400 - 100 * number)


async def award(laurel: Laurel, user_id: str, points: int) -> None:
    await laurel.rewards.award_points(user_id, "PURCHASE", {"order_value": str(100 * points)})


async def test_a_server_that_stops_as_the_page_comes_is_asked_again(
    browser: Browser, serve: Serve, laurel: Laurel
) -> None:
    await fill(laurel)

    async def stopping(route: Route) -> None:
        cancelled = {"code": 1, "message": "CANCELLED", "details": []}
        await route.fulfill(status=499, json=cancelled)

    async with visiting(browser, serve.run["http"]) as visit:
        await visit.page.route("**/api/v1/leaderboard/watch?*", stopping, times=1)
        page = await visit.open("/")
        await expect(page.locator("#board .name")).to_have_text(list(NAMES.values()))
        await expect(page.locator("#state")).to_have_text("Live")


async def test_it_shows_the_board_and_follows_it(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await fill(laurel)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/")
        rows = page.locator("#board > li")
        await expect(page.locator("#board .name")).to_have_text(list(NAMES.values()))
        await expect(page.locator("#state")).to_have_text("Live")
        await expect(page.locator("#facts")).to_have_text("4 players · 100 points between first and second")
        await expect(page.locator("#ends")).to_contain_text("Ends in")
        before = await rows.nth(3).element_handle()

        await award(laurel, "dan", 1000)
        await expect(page.locator("#board .name")).to_have_text(
            ["Dan <b>Bold</b>", "Ada Lovelace", "Bob Kahn", "Cleo Vane"]
        )
        await expect(rows.first.locator(".points")).to_have_text(re.compile(r"^1,100"))
        await expect(rows.first.locator(".move")).to_have_text("up 3")
        await expect(rows.nth(1).locator(".move")).to_have_text("down 1")
        assert before is not None
        assert await before.evaluate("row => row === document.querySelector('#board > li')"), (
            "the row was kept"
        )
        await expect(page.locator("#feed li").first).to_contain_text("took the lead with +1,000")
        await expect(page.locator("#spoken")).to_contain_text("took the lead")


async def test_rows_glide_unless_motion_is_unwelcome(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await fill(laurel)
    for motion, moves in (("no-preference", True), ("reduce", False)):
        async with visiting(browser, serve.run["http"], reduced_motion=motion) as visit:
            await visit.page.add_init_script(COUNT_ANIMATIONS)
            page = await visit.open("/?period=all")
            await expect(page.locator("#board .name")).to_have_count(4)
            last = await page.locator("#board .name").last.inner_text()
            user_id = next(user_id for user_id, name in NAMES.items() if name == last)
            await award(laurel, user_id, 5000)
            await expect(page.locator("#board .name").first).to_have_text(last)
            assert (await page.evaluate("window.glides") > 0) is moves


async def test_the_one_who_is_followed_stays_in_view(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await fill(laurel)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/?period=weekly")
        pinned = page.locator("#pinned")
        await expect(pinned).to_be_hidden()
        await page.get_by_label("User id").fill("bob")
        await page.get_by_role("button", name="Follow", exact=True).click()
        await expect(pinned.locator(".place")).to_have_text("Rank 2")
        await expect(pinned).to_contain_text("101 points to rank 1")
        await expect(page.locator("#board .mine .name")).to_have_text("Bob Kahn")
        assert "user=bob" in page.url

        await award(laurel, "cleo", 300)
        await expect(pinned.locator(".place")).to_have_text("Rank 3")
        await expect(pinned).to_contain_text("You moved down 1 rank")

        await page.get_by_role("button", name="Ada Lovelace").click()
        await expect(pinned).to_contain_text("Ada Lovelace")
        await pinned.get_by_role("button", name="Follow Ada Lovelace no more").click()
        await expect(pinned).to_be_hidden()


async def test_a_slow_answer_is_not_shown_in_the_place_of_a_newer_one(
    browser: Browser, serve: Serve, laurel: Laurel
) -> None:
    await fill(laurel)
    asked, go = asyncio.Event(), asyncio.Event()

    async def dawdle(route: Route) -> None:
        response = await route.fetch()
        asked.set()
        await go.wait()
        await route.fulfill(response=response)

    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/?period=weekly&user=bob")
        place = page.locator("#pinned .place")
        await expect(place).to_have_text("Rank 2")
        await page.evaluate(NOTE_PLACES)
        await page.route("**/api/v1/leaderboard/surrounding/**", dawdle, times=1)
        await award(laurel, "cleo", 300)
        await asked.wait()
        await award(laurel, "bob", 1000)
        await expect(page.locator("#board .name").first).to_have_text("Bob Kahn")
        go.set()
        both = re.compile("Rank 3.*Rank 1|Rank 1.*Rank 3")
        await expect(page.locator("body")).to_have_attribute("data-places", both)
        await expect(place).to_have_text("Rank 1")


async def test_another_board_and_period_is_a_choice_away(
    browser: Browser, serve: Serve, laurel: Laurel
) -> None:
    await fill(laurel)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/")
        await page.get_by_label("All time").check()
        await expect(page.locator("#ends")).to_have_text("")
        await page.get_by_role("combobox", name="Board").select_option("country:GB")
        await expect(page.get_by_role("heading", level=1)).to_have_text("United Kingdom")
        await expect(page.locator("#board .name")).to_have_count(4)
        assert "scope=country%3AGB" in page.url

        await page.get_by_role("combobox", name="Board").select_option("tier:gold")
        await expect(page.locator("#instead")).to_contain_text("Nobody is here yet")
        await page.get_by_label("Today").check()
        await expect(page.locator("#instead")).to_contain_text("has no board for this period")

        await page.get_by_role("combobox", name="Board").select_option("Another board…")
        await page.get_by_label("Scope, such as").fill("country:FR")
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("France")
        await page.go_back()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Gold tier")


async def test_a_rare_period_is_offered_where_it_is_asked_for(
    browser: Browser, serve: Serve, laurel: Laurel
) -> None:
    await laurel.admin.create_board(
        BoardConfig(
            board_id="quarter",
            kind=BoardKind.BOARD_KIND_POINTS,
            scope="global",
            period=Period.PERIOD_QUARTERLY,
        )
    )
    try:
        await fill(laurel)
        async with visiting(browser, serve.run["http"]) as visit:
            page = await visit.open("/?period=quarterly")
            await expect(page.locator("#board .name")).to_have_text(list(NAMES.values()))
            await expect(page.get_by_label("This quarter")).to_be_checked()
            await page.get_by_label("All time").check()
            await expect(page.locator("#periods label:visible")).to_have_count(4)
            await page.goto(page.url.partition("/?")[0] + "/admin#periods")
            await page.get_by_label("Length").select_option("PERIOD_QUARTERLY")
            await expect(page.locator("tbody tr").first).to_contain_text("active")
    finally:
        await laurel.admin.delete_board("quarter")


async def test_it_works_from_the_keyboard(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await fill(laurel)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/?period=weekly")
        await expect(page.locator("#board .name")).to_have_count(4)
        await page.keyboard.press("Tab")
        await expect(page.get_by_text("Skip to the board")).to_be_focused()
        await page.get_by_label("This week").focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.get_by_label("This month")).to_be_checked()
        await expect(page.locator("#board .name")).to_have_count(4)
        await page.get_by_role("button", name="Cleo Vane").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#pinned")).to_contain_text("Cleo Vane")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(browser: Browser, serve: Serve, laurel: Laurel, scheme: str) -> None:
    await fill(laurel)
    long_id = "a-very.long_id:of@a-customer-" + "0123456789" * 3
    await laurel.admin.batch_upsert_users([User(user_id=long_id, username="W" * 60, country="GB")])
    await award(laurel, long_id, 90_000_000_000)
    phone = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
    async with visiting(browser, serve.run["http"], color_scheme=scheme, **phone) as visit:
        page = await visit.open(f"/?user={long_id}")
        await expect(page.locator("#board .name")).to_have_count(5)
        await expect(page.locator("#pinned")).to_contain_text("Nobody is ahead")
        await award(laurel, long_id, 1)
        await expect(page.locator("#feed li")).to_have_count(1)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        heights = await page.locator("#periods label:not([hidden]) span").evaluate_all(
            "spans => spans.map(span => span.offsetHeight)"
        )
        assert len(set(heights)) == 1, "no period breaks into two lines"
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == {"light": "rgb(250, 249, 246)", "dark": "rgb(17, 20, 18)"}[scheme]
        await page.locator("#scheme").tap()
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != background


async def test_it_goes_on_after_the_server_was_away(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await fill(laurel)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/")
        await expect(page.locator("#board .name")).to_have_count(4)
        await page.context.set_offline(offline=True)
        await page.context.set_offline(offline=False)
        user_id = f"new-{uuid4().hex[:8]}"
        await award(laurel, user_id, 9000)
        await expect(page.locator("#board .name").first).to_have_text(user_id)
        await expect(page.locator("#state")).to_have_text("Live")


async def test_it_goes_on_into_the_next_period(browser: Browser, start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_SANDBOX="1", LAUREL_SANDBOX_NOW="2026-11-24T12:00:00Z")
    async with Laurel(serve.run["grpc"], timeout=30) as laurel:
        await fill(laurel)
        async with visiting(browser, serve.run["http"]) as visit:
            page = await visit.open("/?period=daily&user=bob")
            await expect(page.locator("#board .name")).to_have_count(4)
            await laurel.sandbox.advance_clock(timedelta(days=1))
            await expect(page.locator("#instead")).to_contain_text("Nobody is here yet")
            await award(laurel, "bob", 10)
            await expect(page.locator("#board .name")).to_have_text(["Bob Kahn"])
            await expect(page.locator("#pinned .place")).to_have_text("Rank 1")


async def test_who_is_not_there_is_said_so(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await fill(laurel)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/?user=nobody-at-all")
        await expect(page.locator("#pinned")).to_contain_text("Nobody has this id yet")


async def test_with_tokens_it_asks_for_one(browser: Browser, start_serve: StartServe) -> None:
    tokens = '{"s3cret": {"caller": "screen", "scopes": ["read"]}}'
    serve = start_serve(LAUREL_AUTH_TOKENS=tokens)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/")
        await expect(page.get_by_role("heading", name="Who is asking?")).to_be_visible()
        await page.get_by_label("This Laurel asks for a token.").fill("s3cret")
        await page.get_by_role("button", name="Continue").click()
        await expect(page.locator("#instead")).to_contain_text("Nobody is here yet")
