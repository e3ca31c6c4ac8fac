"""Takes the pictures in docs/images: a Laurel with some weeks behind it, people who move, and a browser that looks.

Usage: python scripts/take_screenshots.py. The pictures differ a little each time: moves have their own pace.
"""

import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from laurel_client import Campaign, Laurel, User

_IMAGES: Final = Path("docs/images")
_WIDE: Final = {"width": 1160, "height": 700}
_PEOPLE: Final = {
    "Ada Lovelace": "GB",
    "Grace Hopper": "US",
    "Alan Turing": "GB",
    "Katherine Johnson": "US",
    "Edsger Dijkstra": "NL",
    "Barbara Liskov": "US",
    "Radia Perlman": "US",
    "Margaret Hamilton": "US",
    "Niklaus Wirth": "CH",
    "Hedy Lamarr": "AT",
    "Sophie Wilson": "GB",
    "Tony Hoare": "GB",
    "Frances Allen": "US",
    "Donald Knuth": "US",
    "Lynn Conway": "US",
    "Leslie Lamport": "US",
    "Joan Clarke": "GB",
    "Shafi Goldwasser": "IL",
    "Yukihiro Matsumoto": "JP",
    "Dennis Ritchie": "US",
}
_IDS: Final = {name: name.split()[-1].lower() for name in _PEOPLE}


@asynccontextmanager
async def serving() -> AsyncIterator[dict[str, str]]:
    """Yield the addresses of a Laurel of its own."""
    directory = tempfile.mkdtemp(prefix="laurel-pictures-")
    settings = {"LAUREL_DATA_DIR": directory, "LAUREL_GRPC_PORT": "0", "LAUREL_HTTP_PORT": "0"}
    command = (sys.executable, "-m", "laurel_server.cli", "serve")
    process = await asyncio.create_subprocess_exec(
        *command, env=os.environ | settings, stdout=asyncio.subprocess.PIPE
    )
    try:
        ready = await process.stdout.readline() if process.stdout else b""
        yield json.loads(ready)
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(directory, ignore_errors=True)


async def fill(laurel: Laurel) -> None:
    """People with points, from the first down, over several tiers."""
    chance = random.Random(20)  # noqa: S311 - a picture
    users = [User(user_id=_IDS[name], username=name, country=country) for name, country in _PEOPLE.items()]
    await laurel.admin.batch_upsert_users(users)
    points = 21_400.0
    for user in users:
        for part in (0.55, 0.3, 0.15):
            await buy(laurel, user.user_id, points * part)
        points *= chance.uniform(0.72, 0.97)
    await laurel.rewards.redeem_points("hopper", 1500, reference_id="voucher-88", reason="A voucher")
    await laurel.rewards.award_points("hopper", "REVIEW", reason="Compilers, a memoir")
    await laurel.admin.put_campaign(
        Campaign(campaign_id="reviews-x2", display_name="Reviews count double", multiplier="2", active=True)
    )


async def buy(laurel: Laurel, user_id: str, points: float) -> None:
    """Award about so many points, before multipliers."""
    await laurel.rewards.award_points(user_id, "PURCHASE", {"order_value": f"{100 * points:.2f}"})


async def move(laurel: Laurel, seconds: float) -> None:
    """Let people overtake each other for a while."""
    chance = random.Random(4)  # noqa: S311 - a picture
    for user_id, points in (("perlman", 2100), ("liskov", 700), ("lamarr", 1500), ("clarke", 900)):
        await buy(laurel, user_id, points)
        await asyncio.sleep(seconds / 8)
    for _ in range(4):
        await buy(laurel, chance.choice(list(_IDS.values())[:8]), chance.randint(20, 90))
        await asyncio.sleep(seconds / 8)
    await buy(laurel, "hopper", 620)


async def open_page(browser: Browser, url: str, **options: Any) -> Page:  # noqa: ANN401 - options of Playwright
    """Return a page that has everything it shows."""
    context = await browser.new_context(**{"viewport": _WIDE, **options})
    page = await context.new_page()
    await page.goto(url)
    await page.locator("#board .name, tbody tr").first.wait_for()
    return page


async def take(page: Page, name: str) -> None:
    """Write the picture of a page."""
    await page.screenshot(path=_IMAGES / name)
    print(f"{_IMAGES / name}: {(_IMAGES / name).stat().st_size // 1024} KiB")


async def main() -> None:
    """Take all pictures."""
    _IMAGES.mkdir(parents=True, exist_ok=True)
    async with serving() as addresses, Laurel(addresses["grpc"]) as laurel, async_playwright() as playwright:
        await fill(laurel)
        base = f"http://{addresses['http']}"
        chromium = shutil.which("chromium")
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        phone = {"viewport": {"width": 390, "height": 780}, "is_mobile": True, "color_scheme": "dark"}
        live = {
            "live-board.png": await open_page(browser, f"{base}/?period=weekly&user=hopper"),
            "live-board-phone.png": await open_page(browser, f"{base}/?user=hamilton", **phone),
        }
        await move(laurel, seconds=6)
        await asyncio.sleep(0.9)  # the last rows have glided, the last gain still shows
        for name, page in live.items():
            await take(page, name)
        await take(await open_page(browser, f"{base}/admin#people/hopper"), "operations.png")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
