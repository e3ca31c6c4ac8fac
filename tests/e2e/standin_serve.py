"""`laurel serve` with standin_server.py for a server: `standin_serve.py MODE`."""

import asyncio
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from laurel_server.cli import run_plainly
from laurel_server.commands.announcement import announce
from laurel_server.commands.serve import report, stack_options
from laurel_server.devstack.stack import run_stack
from laurel_server.runtime.environment import load_settings


def serve(mode: str) -> None:
    command = (sys.executable, str(Path(__file__).with_name("standin_server.py")), mode)
    options = replace(stack_options(load_settings()), server_command=command)
    asyncio.run(
        run_stack(options, report, partial(announce, time.monotonic(), options, report, as_json=False))
    )


if __name__ == "__main__":
    run_plainly(partial(serve, sys.argv[1]))
