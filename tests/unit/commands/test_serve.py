import os

import pytest

from laurel_server.commands.serve import MOST_PROCESSES_UNASKED, stack_options
from laurel_server.runtime.environment import load_settings


@pytest.mark.parametrize(
    ("environment", "cores", "processes"),
    [
        ({}, 1, 1),
        ({}, 2, 2),
        ({}, 64, MOST_PROCESSES_UNASKED),
        ({"LAUREL_GRPC_PROCESSES": "0"}, 2, 2),
        ({"LAUREL_GRPC_PROCESSES": "7"}, 2, 7),
        ({"LAUREL_SANDBOX": "1"}, 8, 1),
    ],
)
def test_a_server_for_each_core_within_reason(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], cores: int, processes: int
) -> None:
    for variable in [name for name in os.environ if name.startswith("LAUREL_")]:
        monkeypatch.delenv(variable)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert stack_options(load_settings()).processes == processes
