"""A headless Chromium that looks at the pages."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

CHROMIUM = shutil.which("chromium")

_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)  # a browser beside engines on two cores has its slow moments

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on PATH; ./scripts/browser fetches it"
)


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """A browser. Without its sandbox, which containers do not allow; it sees nothing but our own pages."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


class Visit:
    """One page, and what went wrong in it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    async def open(self, path: str) -> Page:
        """Goes to a path of the server."""
        await self.page.goto(self.base + path)
        return self.page

    def _heard(self, message: ConsoleMessage) -> None:
        # That an answer was an error is told by the page, and asserted there.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)


@asynccontextmanager
async def visiting(browser: Browser, http: str, **options: Any) -> AsyncIterator[Visit]:
    """A page in a browser of its own memory; nothing may go wrong in it."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(_PATIENCE_MS)
    try:
        visit = Visit(await context.new_page(), f"http://{http}")
        yield visit
        assert visit.complaints == []
    finally:
        await context.close()
