"""Where the files of tests are kept."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from tests import conftest


def test_what_a_killed_run_has_left_keeps_no_other_out_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = tmp_path / f"{conftest.NAME}{1 << 30}"  # no process has so high a number
    forgotten.mkdir()
    monkeypatch.setattr(conftest, "MEMORY", tmp_path)
    monkeypatch.setattr(conftest, "is_suitable", lambda memory: not list(memory.iterdir()))  # full until then
    config: Any = Namespace(option=Namespace(basetemp=None))
    conftest.pytest_configure(config)
    assert config.option.basetemp == str(conftest.own_place())
