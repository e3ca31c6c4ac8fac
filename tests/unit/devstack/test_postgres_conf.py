import re
from importlib import resources

from laurel_server.runtime.config_program import Ledger

MOST_PROCESSES = 64
OF_ITS_OWN = 5
"""Connections of a server beside pool and lanes: of scores, of jobs, and of the leaders of repair, seals and events."""


def test_there_are_connections_for_as_many_servers_as_may_be_started() -> None:
    text = resources.files("laurel_server.devstack").joinpath("postgres.conf").read_text("utf-8")
    (most,) = re.findall(r"^max_connections = (\d+)$", text, re.MULTILINE)
    ledger = Ledger()
    assert int(most) >= MOST_PROCESSES * (ledger.pool_max + ledger.lanes + OF_ITS_OWN)
