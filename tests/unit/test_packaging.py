"""What the installation relies on: complete locks that agree with each other, and scripts that can be run."""

import os
import re
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LOCKS = sorted(_ROOT.glob("requirements/*.txt"))
_REQUIREMENT = re.compile(r"^([a-z0-9-]+)==(\S+)((?:.*\\\n)*.*)", re.MULTILINE)


def _pins(lock: Path) -> dict[str, str]:
    return {match[1]: match[2] for match in _REQUIREMENT.finditer(lock.read_text())}


def test_there_is_a_lock_per_kind_of_installation() -> None:
    assert [lock.stem for lock in _LOCKS] == ["analytics", "base", "dev", "embedded"]


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.stem)
def test_every_pin_has_a_hash(lock: Path) -> None:
    unhashed = [m[1] for m in _REQUIREMENT.finditer(lock.read_text()) if "--hash=sha256:" not in m[3]]
    assert _pins(lock)
    assert unhashed == []


@pytest.mark.parametrize("lock", _LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_names_no_index(lock: Path) -> None:
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links", lock.read_text())


def test_smaller_installations_are_cut_out_of_the_larger() -> None:
    analytics, base, dev, embedded = (_pins(lock) for lock in _LOCKS)
    assert base.items() < embedded.items() < dev.items()
    assert base.items() < analytics.items()


def test_exact_pins_of_the_project_are_what_is_locked() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    exact = dict(
        r.split(";")[0].split("==")
        for r in project["dependencies"] + extras["embedded"] + extras["dev"]
        if "==" in r
    )
    assert exact.items() <= _pins(_ROOT / "requirements/dev.txt").items()


@pytest.mark.parametrize("name", ["serve", "test", "check", "generate", "setup", "lock", "tools", "kafka"])
def test_scripts_are_executable(name: str) -> None:
    assert os.access(_ROOT / "scripts" / name, os.X_OK)
