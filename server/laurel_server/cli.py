"""The command line: `laurel COMMAND`, or `python -m laurel_server.cli COMMAND`.

A command is a function in the module of its name in `laurel_server.commands`. Only the module of the command that
runs is imported, so that none waits for what another needs.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Final, NoReturn

import typer

from laurel_server.devstack.errors import DevstackError
from laurel_server.postgres.schema import SchemaError
from laurel_server.runtime.environment import ConfigError

COMMANDS: Final = (
    "serve",
    "migrate",
    "doctor",
    "gateway",
    "award",
    "top",
    "rank",
    "watch",
    "actions",
    "rebuild",
    "verify",
    "jobs",
    "bench",
    "import",
    "replay",
    "version",
)

_INTERRUPTED: Final = 130
"""What a shell expects of a program that Ctrl-C has ended."""


def main() -> None:
    """Run the command that was asked for."""
    asked = [name for name in sys.argv[1:2] if name in COMMANDS]
    as_json = "--json" in sys.argv

    def run() -> None:
        app = build_app(asked or COMMANDS)
        if as_json:
            _run_for_program(app)
        else:
            app(prog_name="laurel")

    run_plainly(run, as_json=as_json)


def build_app(commands: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with these commands."""
    app = typer.Typer(
        name="laurel", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
    )
    app.callback()(laurel)
    for name in commands:
        python_name = f"{name}_" if iskeyword(name) else name
        app.command(name)(getattr(import_module(f"laurel_server.commands.{python_name}"), python_name))
    return app


def laurel() -> None:
    """A rewards ledger and a live leaderboard in one gRPC service. Settings are LAUREL_* variables."""


def _run_for_program(app: typer.Typer) -> NoReturn:
    """Run a command so that wrong usage is told as JSON, too."""
    try:
        code = app(prog_name="laurel", standalone_mode=False)
    except typer.TyperException as wrong:
        _give_up([wrong.format_message()], as_json=True, code=wrong.exit_code)
    raise SystemExit(code)


def run_plainly(command: Callable[[], object], *, as_json: bool = False) -> None:
    """Run a command; an error that the person can put right ends it with 1 and plain words."""
    try:
        command()
    except ConfigError as error:
        _give_up(error.problems, as_json=as_json)
    except (DevstackError, SchemaError) as error:
        _give_up([str(error)], as_json=as_json)
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None


def _give_up(problems: Sequence[str], *, as_json: bool, code: int = 1) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"error": {"message": "\n".join(problems)}}, indent=2, ensure_ascii=False))
        raise SystemExit(code)
    raise SystemExit("\n".join(f"laurel: {problem}" for problem in problems))


if __name__ == "__main__":
    main()
