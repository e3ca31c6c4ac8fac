"""The page of operators in a real browser."""

import os
import signal
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from laurel_client import (
    ActionConfig,
    Badge,
    BoardConfig,
    BoardKind,
    Laurel,
    LaurelCallError,
    User,
    Visibility,
)
from tests.e2e.browser import needs_chromium, visiting
from tests.e2e.conftest import StartServe
from tests.e2e.guests import visited
from tests.e2e.serving import Serve

pytestmark = needs_chromium


@pytest.fixture
async def laurel(serve: Serve) -> AsyncIterator[Laurel]:
    async with visited(serve) as laurel:
        yield laurel


async def submit(page: Page, name: str, **fields: str) -> None:
    """Fills the open dialog by the labels of its fields and submits it."""
    dialog = page.get_by_role("dialog")
    for label, value in fields.items():
        await dialog.get_by_role("textbox", name=label.replace("_", " ")).fill(value)
    await dialog.get_by_role("button", name=name, exact=True).click()


async def test_every_part_opens_without_a_complaint(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await laurel.rewards.award_points("ada", "REVIEW")
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin")
        await expect(page.get_by_text("All well")).to_be_visible()
        names = await page.locator("nav a").all_inner_texts()
        assert len(names) >= 7
        for name in names:
            await page.locator("nav").get_by_role("link", name=name, exact=True).click()
            await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
            await expect(page.locator(".wait")).to_have_count(0)
            await expect(page.get_by_text("This cannot be shown")).to_have_count(0)


async def test_a_person_is_found_and_changed(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await laurel.admin.batch_upsert_users(
        [User(user_id="ada", username="Ada <i>L</i>", country="GB"), User(user_id="bob", country="US")]
    )
    await laurel.rewards.award_points("ada", "PURCHASE", {"order_value": "6000"}, reason="a long journey")
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#people")
        await page.get_by_label("Acting as").fill("mallory")
        await page.get_by_label("Filter").fill("country=GB")
        await page.get_by_role("button", name="Find").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await page.get_by_role("link", name="Ada").click()

        await expect(page.get_by_role("heading", level=1)).to_have_text("Ada <i>L</i>")
        await expect(page.locator(".tile").first).to_contain_text("60")
        await expect(page.get_by_text("a long journey")).to_be_visible()
        await expect(page.get_by_role("cell", name="country:GB all time")).to_be_visible()

        await page.get_by_role("button", name="Adjust").click()
        await submit(page, "Adjust", Points="25")
        await expect(page.get_by_role("dialog")).to_be_visible()  # a reason is required
        await submit(page, "Adjust", Points="25", Reason="a parcel was lost")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.locator(".tile").first).to_contain_text("85")
        await expect(page.get_by_text("a parcel was lost · by mallory")).to_be_visible()

        await page.get_by_role("button", name="Visibility").click()
        await page.get_by_role("dialog").get_by_label("Visibility").select_option("VISIBILITY_HIDDEN")
        await submit(page, "Save", Reason="asked for it")
        await expect(page.locator(".profile").get_by_text("hidden")).to_be_visible()
        assert (await laurel.admin.get_user("ada")).visibility == Visibility.VISIBILITY_HIDDEN

        await page.get_by_role("button", name="Edit").click()
        await submit(page, "Save", Region="emea")
        await expect(page.locator(".profile").get_by_text("emea")).to_be_visible()
        stored = await laurel.admin.get_user("ada")
        assert (stored.region, stored.country, stored.username) == ("emea", "GB", "Ada <i>L</i>")

        await page.get_by_role("button", name="Erase").click()
        await submit(page, "Erase", Type="bob")
        await expect(page.get_by_role("alert")).to_have_text("That is another id")
        await submit(page, "Erase", Type="ada")
        await expect(page.get_by_role("heading", level=1)).to_have_text("People")
        with pytest.raises(LaurelCallError, match="USER_NOT_FOUND"):
            await laurel.admin.get_user("ada")


async def test_rules_are_added_and_changed(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#actions")
        await page.get_by_role("button", name="New action").click()
        await submit(page, "Save", Action="JUGGLING", Formula="balls ** 100")
        await expect(page.get_by_role("alert")).not_to_have_text("")  # the server says what is wrong with it
        await submit(page, "Save", Formula="balls * 3", At_most_a_day="30", Cooldown="60")
        row = page.get_by_role("row", name="JUGGLING")
        await expect(row).to_contain_text("balls * 3")
        answer = await laurel.rewards.award_points("ada", "JUGGLING", {"balls": "4"})
        assert answer.transaction.points == 12

        await page.locator("nav").get_by_role("link", name="Campaigns").click()
        await page.get_by_role("button", name="New campaign").click()
        await submit(page, "Save", Id="double-week", Times="2", Actions="REVIEW", Countries="GB US")
        await expect(page.get_by_role("row", name="double-week")).to_contain_text("REVIEW; GB, US")
        await page.get_by_role("row", name="double-week").get_by_role("button", name="Edit").click()
        await submit(page, "Save", Countries="")
        await expect(page.get_by_role("row", name="double-week")).not_to_contain_text("GB")
        assert (await laurel.rewards.award_points("bob", "REVIEW")).transaction.points == 40
        await page.get_by_role("row", name="double-week").get_by_role("button", name="Edit").click()
        await page.get_by_role("dialog").get_by_label("Active").uncheck()
        await submit(page, "Save")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert (await laurel.rewards.award_points("cleo", "REVIEW")).transaction.points == 20


async def unlocked(laurel: Laurel, user_id: str) -> Badge:
    """Award a review and return the badge REVIEWER that it unlocks."""
    badges = (await laurel.rewards.award_points(user_id, "REVIEW")).badges
    (badge,) = [badge for badge in badges if badge.badge_type == "REVIEWER"]
    return badge


async def test_badges_are_defined_earned_and_changed(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#badges")
        await expect(page.get_by_role("row", name="POINTS_1K")).to_contain_text("points >= 1000")
        await page.get_by_role("button", name="New badge").click()
        await submit(page, "Save", Type="REVIEWER", Name="A reviewer", Rule_points="reviews >=")
        await expect(page.get_by_role("alert")).not_to_have_text("")
        await submit(
            page,
            "Save",
            Rule_points='count("REVIEW") >= 1',
            Rules_of_the_levels='count("REVIEW") >= 2\ncount("REVIEW") >= 3',
            Description="Has said what he thinks",
            Valid_for="86400",
        )
        row = page.get_by_role("row", name="A reviewer")
        await expect(row).to_contain_text('count("REVIEW") >= 1')
        await expect(page.locator("#toast")).to_contain_text("The badge is stored")
        badge = await unlocked(laurel, "ada")
        assert badge.level == 1
        assert badge.expires_at.seconds - badge.earned_at.seconds == 86400
        assert (await unlocked(laurel, "ada")).level == 2

        await row.get_by_role("button", name="Edit").click()
        await page.get_by_role("dialog").get_by_label("Active").uncheck()
        await submit(page, "Save")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(row).to_contain_text("off")
        badges = (await laurel.rewards.award_points("bob", "REVIEW")).badges
        assert "REVIEWER" not in {badge.badge_type for badge in badges}


async def test_a_person_is_added_and_awarded(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#people")
        await page.get_by_role("button", name="New person").click()
        await submit(page, "Save", Id="dora", Name="Dora Day", Country="DE")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Dora Day")
        await page.get_by_role("button", name="Award").click()
        await page.get_by_role("dialog").get_by_label("Action").select_option("PURCHASE")
        await submit(page, "Award", Attributes="order_value=x")
        await expect(page.get_by_role("alert")).to_contain_text("attributes")
        await submit(page, "Award", Attributes="order_value=1999.00", Reason="at the fair")
        await expect(page.locator("#toast")).to_contain_text("+19 points for PURCHASE")
        await expect(page.get_by_role("cell", name="at the fair")).to_be_visible()
    assert (await laurel.rewards.get_rewards("dora")).total_points == 19


async def test_every_job_has_a_button_that_runs_it(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    names = [job.job for job in await laurel.admin.list_jobs()]
    assert len(names) >= 9
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#jobs")
        for name in names:
            await page.get_by_role("button", name=f"Run {name}", exact=True).click()
            await expect(page.locator("#toast")).to_contain_text(f"{name} succeeded")
            ran = page.locator("section", has_text="Runs").get_by_role("row", name=name).first
            await expect(ran).to_contain_text("succeeded")


async def test_health_tells_what_is_away(browser: Browser, start_serve: StartServe) -> None:
    serve = start_serve()
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin")
        await expect(page.get_by_text("All well")).to_be_visible()
        await expect(page.get_by_role("row", name="postgresql")).to_contain_text("reachable")
        os.kill(serve.pids["redis"], signal.SIGSTOP)
        try:
            await page.get_by_role("button", name="Refresh").click()
            await expect(
                page.get_by_text("Needs attention").or_(page.get_by_text("This cannot be shown"))
            ).to_be_visible()
        finally:
            os.kill(serve.pids["redis"], signal.SIGCONT)


async def test_a_job_runs_and_integrity_is_proven(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await laurel.rewards.award_points("ada", "REVIEW")
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#jobs")
        await page.get_by_role("button", name="Run verify").click()
        await expect(page.locator("#toast")).to_contain_text("verify succeeded")
        await page.locator("nav").get_by_role("link", name="Integrity").click()
        await page.get_by_role("button", name="Verify").click()
        await expect(page.get_by_text("all equal")).to_be_visible()
        await page.get_by_role("button", name="Rebuild boards").click()
        await submit(page, "Rebuild", Scope="global")
        await expect(page.locator("#toast")).to_contain_text("are filled")


async def test_a_board_is_created_changed_and_deleted(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#boards")
        await expect(page.get_by_role("row", name="global-weekly")).to_contain_text("1,000 / 500 / 250")
        await page.get_by_role("button", name="New board").click()
        await submit(page, "Save", Id="arena", Name="Arena", At_most="500")
        row = page.get_by_role("row", name="arena")
        await expect(row).to_contain_text("scores")
        await row.get_by_role("button", name="Edit").click()
        await submit(page, "Save", Name="The arena")
        await expect(row).to_contain_text("The arena")
        assert (await laurel.admin.get_board("arena")).max_entries == 500
        await row.get_by_role("button", name="Edit").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await submit(page, "Delete")
        await expect(row).to_have_count(0)


async def test_periods_tell_who_won(browser: Browser, start_serve: StartServe) -> None:
    serve = start_serve(LAUREL_SANDBOX="1", LAUREL_SANDBOX_NOW="2026-11-24T12:00:00Z")
    async with Laurel(serve.run["grpc"], timeout=30) as laurel:
        await laurel.rewards.award_points("ada", "REVIEW")
        await laurel.sandbox.advance_clock(timedelta(days=1))
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin#periods")
        await page.get_by_label("Length").select_option("PERIOD_DAILY")
        await expect(page.get_by_role("row", name="2026-11-24")).to_contain_text("1. ada +100")


async def test_it_takes_a_token_with_the_scope_admin(browser: Browser, start_serve: StartServe) -> None:
    tokens = '{"reader": {"caller": "shop", "scopes": ["read"]}, "boss": {"caller": "o", "scopes": ["admin", "read"]}}'
    serve = start_serve(LAUREL_AUTH_TOKENS=tokens)
    async with visiting(browser, serve.run["http"]) as visit:
        page = await visit.open("/admin")
        for token in ("reader", "boss"):
            await page.get_by_role("button", name="Enter a token").click()
            await submit(page, "Continue", Token=token)
        await expect(page.get_by_text("All well")).to_be_visible()


LONG_ID = "a-very.long_id:of@a-customer-" + "0123456789" * 3
LONG_TEXT = "a-word-without-any-place-to-break-it-" * 8


async def fill_with_long_texts(laurel: Laurel) -> None:
    """One of everything that the page shows, each as long as it may be."""
    await laurel.admin.batch_upsert_users(
        [
            User(
                user_id=LONG_ID,
                username="W" * 60,
                region="r" * 32,
                country="GB",
                email=f"{'e' * 60}@example.com",
            )
        ]
    )
    for points in (10, 9_007_199_254_740):
        await laurel.rewards.award_points(
            LONG_ID, "PURCHASE", {"order_value": str(100 * points)}, order_id="o" * 64, reason=LONG_TEXT
        )
    await laurel.admin.put_action_config(
        ActionConfig(
            action="A" * 64, display_name="n" * 64, base_points="1", description=LONG_TEXT, active=True
        )
    )
    await laurel.admin.create_board(
        BoardConfig(board_id="b" * 40, display_name="b" * 64, kind=BoardKind.BOARD_KIND_SCORES)
    )
    await laurel.admin.run_job("verify")


async def test_it_fits_a_phone(browser: Browser, serve: Serve, laurel: Laurel) -> None:
    await fill_with_long_texts(laurel)
    async with visiting(browser, serve.run["http"], viewport={"width": 360, "height": 740}) as visit:
        page = await visit.open("/admin")
        parts = await page.locator("nav a").evaluate_all("links => links.map(link => link.hash)")
        for part in (*parts, f"#people/{LONG_ID}"):
            await page.goto("about:blank")
            await visit.open(f"/admin{part}")
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await page.wait_for_load_state("networkidle")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360, part
            await expect(page.locator("nav a[aria-current]")).to_be_in_viewport(ratio=1)
        await expect(page.locator(".tile dd").first).to_have_text("9,007,199,254,750")
        assert await page.locator(".tile dd").evaluate_all(
            "figures => figures.every(figure => figure.scrollWidth <= figure.clientWidth)"
        )

        for deed in ("Award", "Adjust", "Edit", "Visibility", "Erase"):
            await page.get_by_role("button", name=deed, exact=True).click()
            dialog = page.get_by_role("dialog")
            assert await dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth"), deed
            await dialog.get_by_role("button", name="Cancel").click()
        await visit.open("/admin#jobs")
        run = page.get_by_role("button", name="Run award_badges")
        await expect(run).to_be_in_viewport(ratio=1)
        await run.click()
        await expect(page.locator("#toast")).to_contain_text("award_badges succeeded")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
