"""Links in the documentation lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)[^)]*\)")
SOURCE_FILE = re.compile(
    r"`((?:rpc|rewards|domain|postgres|redis|leaderboards|devstack)/[a-z_/]+\.(?:py|sql|lua))`"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    targets = [page.parent / target for target in LINK.findall(text)]
    targets += [ROOT / "server" / "laurel_server" / path for path in SOURCE_FILE.findall(text)]
    assert [target for target in targets if not target.exists()] == []


def test_every_page_is_linked_to() -> None:
    linked = {(page.parent / target).resolve() for page in PAGES for target in LINK.findall(page.read_text())}
    unlinked = {page for page in PAGES if page.parent not in linked and page not in linked} - {
        ROOT / "README.md"
    }
    assert unlinked == set()
