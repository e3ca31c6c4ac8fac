"""The pages as a screen reader and a keyboard have them."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from laurel_client import Laurel, User
from tests.e2e.accessibility import nameless, of_role, tab_order, tree_of
from tests.e2e.browser import needs_chromium, visiting
from tests.e2e.guests import visited
from tests.e2e.serving import Serve

pytestmark = needs_chromium

NAMES = {"ada": "Ada Lovelace", "bob": "Bob Kahn", "cleo": "Cleo Vane"}
TOASTS_STAY = """
() => {
  const later = window.setTimeout;
  window.setTimeout = (run, ms, ...how) => (ms === 6000 ? 0 : later(run, ms, ...how));
}
"""
"""A toast is there for 6 s, which is not long for a look at the whole page on a busy machine."""

PARTS = ("Overview", "People", "Boards", "Periods", "Actions", "Campaigns", "Badges", "Jobs", "Integrity")


@pytest.fixture
async def laurel(serve: Serve) -> AsyncIterator[Laurel]:
    """Three people with 300, 200 and 100 points."""
    async with visited(serve) as laurel:
        users = [User(user_id=each, username=name, country="GB") for each, name in NAMES.items()]
        await laurel.admin.batch_upsert_users(users)
        for number, user_id in enumerate(NAMES):
            await award(laurel, user_id, 300 - 100 * number)
        yield laurel


async def award(laurel: Laurel, user_id: str, points: int) -> None:
    await laurel.rewards.award_points(user_id, "PURCHASE", {"order_value": str(100 * points)})


async def opened(page: Page) -> None:
    """Wait until the three are on the board."""
    await expect(page.locator("#board .name")).to_have_text(list(NAMES.values()))


@pytest.mark.usefixtures("laurel")
async def test_everything_on_the_board_has_a_role_and_a_name(browser: Browser, serve: Serve) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/?period=weekly&user=bob")
        await opened(page)
        await expect(page.locator("#pinned .place")).to_have_text("Rank 2")
        tree = await tree_of(page)
    assert nameless(tree) == []
    roles = [node.role for node in tree]
    assert {"banner", "main", "complementary"} <= set(roles)
    assert [node.name for node in tree if node.role == "heading" and node.properties["level"] == 1] == [
        "Global leaderboard"
    ]
    assert "Global leaderboard" in {node.name for node in tree if node.role == "list"}
    rows = [node.text for node in tree if node.role == "listitem"][:3]
    for rank, (row, name) in enumerate(zip(rows, NAMES.values(), strict=True), start=1):
        assert row.split()[:2] == ["Rank", str(rank)]
        assert name in row
    periods = {node.name: node.properties["checked"] for node in tree if node.role == "radio"}
    assert [name for name, checked in periods.items() if checked == "true"] == ["This week"]
    assert {"Board", "User id", "The one you follow", "Follow Bob Kahn no more"} <= {
        node.name for node in tree
    }


async def test_a_change_of_ones_own_rank_is_said(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/?period=weekly&user=bob")
        await opened(page)
        await expect(page.locator("#pinned .place")).to_have_text("Rank 2")
        await expect(page.locator("#state")).to_have_text("Live")
        said = [node.text for node in await of_role(page, "status")]
        assert "Live" in said
        assert not any("Bob" in text for text in said), "nothing has changed yet"
        await award(laurel, "cleo", 500)
        await expect(page.locator("#own")).to_have_text("Bob Kahn is at rank 3 of 3. You moved down 1 rank")
        (own,) = [node for node in await of_role(page, "status") if "Bob Kahn" in node.text]
        assert own.properties["live"] == "polite"
        await award(laurel, "bob", 1000)
        await expect(page.locator("#own")).to_have_text("Bob Kahn is at rank 1 of 3. You moved up 2 ranks!")
        leave = page.get_by_role("button", name="Follow Bob Kahn no more")
        await leave.focus()
        await award(laurel, "cleo", 5000)
        await expect(page.locator("#own")).to_have_text("Bob Kahn is at rank 2 of 3. You moved down 1 rank")
        await expect(leave).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#own")).to_have_text("")


@pytest.mark.usefixtures("laurel")
async def test_the_keyboard_goes_through_the_board_in_reading_order(browser: Browser, serve: Serve) -> None:
    async with visiting(browser, serve.run["http"], color_scheme="light") as visit:
        page = await visit.open("/?period=weekly")
        await opened(page)
        assert await tab_order(page, 10) == [
            "Skip to the board",
            "Laurel, the live leaderboard",
            "Switch to dark colours",
            "Board",
            "This week",
            *NAMES.values(),
            "User id",
            "Follow",
        ]


async def test_who_walks_through_the_rows_stays_where_he_is_while_they_move(
    browser: Browser, serve: Serve, laurel: Laurel
) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/?period=weekly")
        await opened(page)
        await page.get_by_role("button", name="Cleo Vane").focus()
        await award(laurel, "bob", 500)  # others move
        await expect(page.locator("#board .name").first).to_have_text("Bob Kahn")
        await expect(page.get_by_role("button", name="Cleo Vane")).to_be_focused()
        await award(laurel, "cleo", 5000)  # the row itself moves
        await expect(page.locator("#board .name").first).to_have_text("Cleo Vane")
        await expect(page.get_by_role("button", name="Cleo Vane")).to_be_focused()


@pytest.mark.usefixtures("laurel")
async def test_everything_of_operators_has_a_role_and_a_name(browser: Browser, serve: Serve) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#overview")
        for part in PARTS:
            await page.locator("nav").get_by_role("link", name=part, exact=True).click()
            await expect(page.get_by_role("heading", level=1, name=part)).to_be_visible()
            await expect(page.locator(".wait")).to_have_count(0)
            tree = await tree_of(page)
            assert nameless(tree) == [], part
            assert {"banner", "navigation", "main"} <= {node.role for node in tree}
            assert [
                node.name for node in tree if node.role == "heading" and node.properties["level"] == 1
            ] == [part]
        await visit.open("/admin#people/bob")
        await expect(page.get_by_role("heading", level=1, name="Bob Kahn")).to_be_visible()
        headers = [node.name for node in await of_role(page, "columnheader")]
        assert {"Board", "Rank", "When", "Points", "Balance"} <= set(headers)
        for deed in ("Award", "Adjust", "Edit", "Visibility", "Erase"):
            await page.get_by_role("button", name=deed, exact=True).click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            tree = await tree_of(page)
            assert nameless(tree) == [], deed
            (dialog,) = [node for node in tree if node.role == "dialog"]
            assert dialog.name
            assert dialog.properties["modal"]
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog")).to_have_count(0)
            await expect(page.get_by_role("button", name=deed, exact=True)).to_be_focused()


@pytest.mark.usefixtures("laurel")
async def test_operators_need_no_mouse_and_hear_what_became_of_it(browser: Browser, serve: Serve) -> None:
    async with visiting(browser, serve.run["http"], color_scheme="light") as visit:
        page = await visit.open("/admin")
        await expect(page.get_by_text("All well")).to_be_visible()
        assert await tab_order(page, 3 + len(PARTS)) == [
            "Laurel, to the live board",
            "Acting as",
            "Switch to dark colours",
            *PARTS,
        ]
        await page.locator("nav").get_by_role("link", name="Badges").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1, name="Badges")).to_be_visible()
        await expect(page.locator("main")).to_be_focused()
        rule = page.get_by_role("textbox", name="Rule points")  # its hint is read with it
        await page.get_by_role("button", name="New badge").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("textbox", name="Type, such as REVIEWER")).to_be_focused()
        await page.keyboard.type("BY_KEYS")
        await rule.focus()
        await page.keyboard.type("nonsense >= 1")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).not_to_have_text("")
        (wrong,) = [node for node in await of_role(page, "alert") if node.text]
        assert wrong.properties["live"] == "assertive"
        await page.evaluate(TOASTS_STAY)
        await rule.fill("points >= 7")
        await page.keyboard.press("Enter")
        await expect(page.locator("#toast")).to_have_text("The badge is stored")
        (toast,) = [node for node in await of_role(page, "status") if node.text]
        assert (toast.text, toast.properties["live"]) == ("The badge is stored", "polite")
