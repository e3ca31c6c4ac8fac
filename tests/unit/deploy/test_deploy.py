"""What is in deploy/ cannot be run here; but it names nothing that does not exist."""

import json
import re
from pathlib import Path

import pytest

from laurel_server.runtime.environment import known_variables

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
FILES = [path for path in DEPLOY.rglob("*") if path.is_file()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_settings_exist(file: Path) -> None:
    named = set(re.findall(r"\bLAUREL_[A-Z_]+", file.read_text()))
    assert named <= set(known_variables())


def test_the_dashboard_shows_metrics_that_exist() -> None:
    dashboard = json.loads((DEPLOY / "grafana" / "laurel.json").read_text())
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = {name for each in expressions for name in re.findall(r"laurel_\w+", each)}
    known = set(re.findall(r"`(laurel_\w+)", (ROOT / "docs" / "reference" / "metrics.md").read_text()))
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in named} <= known


def test_the_image_is_made_of_what_is_there() -> None:
    copied = re.findall(r"^COPY (?!--)(\S+) ", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert copied
    assert all((ROOT / path).exists() for path in copied)
