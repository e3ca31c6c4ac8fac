"""`laurel doctor`: what was found, what is wrong and what to do about it."""

import asyncio
from typing import Annotated

import msgspec
import typer

from laurel_server.commands.diagnosis import Finding, State, diagnose

_AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
_MARKS = {State.OK: "ok  ", State.WARNING: "warn", State.WRONG: "FAIL"}


def doctor(as_json: _AsJson = False) -> None:
    """Look at everything that `laurel serve` needs; exit with 1 if something is wrong."""
    findings = asyncio.run(diagnose())
    healthy = all(finding.state is not State.WRONG for finding in findings)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"ok": healthy, "findings": findings})))
    else:
        typer.echo("\n".join(map(_line, findings)))
    raise typer.Exit(0 if healthy else 1)


def _line(finding: Finding) -> str:
    advice = f"\n       -> {finding.advice}" if finding.advice else ""
    return f"{_MARKS[finding.state]}  {finding.subject:<12} {finding.detail}{advice}"
