"""The reference pages are what the code says."""

import re
import subprocess
import sys
from pathlib import Path

from laurel_server.domain.errors import Reason
from laurel_server.runtime.environment import known_variables, unknown_variables

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"


OF_TESTS = {"LAUREL_GATEWAY"}  # of the tests of the TypeScript client


def pages() -> list[Path]:
    """Returns the pages that say how things are now: decisions also speak of what was not built."""
    folders = ("how-to", "explanation", "reference")
    others = [
        ROOT / "README.md",
        ROOT / "docs" / "tutorial.md",
        ROOT / "deploy" / "README.md",
        *ROOT.glob("clients/*/README.md"),
    ]
    return [*(page for folder in folders for page in (ROOT / "docs" / folder).glob("*.md")), *others]


def rows_of(page: str) -> list[list[str]]:
    """Returns the cells of every line of a table that is about something in code."""
    lines = (REFERENCE / page).read_text().splitlines()
    return [
        [cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")
    ]


def test_the_generated_pages_are_current(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "generate_reference.py", tmp_path], check=True)
    generated = {page.name: page.read_text() for page in tmp_path.iterdir()}
    assert sorted(generated) == ["errors.md", "settings.md"]
    written = {name: (REFERENCE / name).read_text() for name in generated}
    assert written == generated, "run .venv/bin/python scripts/generate_reference.py"


def test_every_setting_that_a_page_names_exists() -> None:
    texts = (page.read_text() for page in pages())
    named = {name for text in texts for name in re.findall(r"LAUREL_[A-Z0-9_]*[A-Z0-9]\b(?!_)", text)}
    assert set(unknown_variables(dict.fromkeys(named, ""))) <= OF_TESTS


def test_every_setting_is_explained() -> None:
    meanings = {row[0]: row[-1] for row in rows_of("settings.md")}
    assert list(meanings) == known_variables()
    assert [variable for variable, meaning in meanings.items() if not meaning] == []


def test_every_reason_stands_under_its_code() -> None:
    codes = {row[0]: row[1] for row in rows_of("errors.md")}
    assert codes == {reason.value: reason.code for reason in Reason}
