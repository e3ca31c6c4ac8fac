"""Writes the reference of settings and errors: `.venv/bin/python scripts/generate_reference.py [DIRECTORY]`.

Settings come from the settings tree with its docstrings, errors from the comments of ErrorReason in the
contract. The pages go to docs/reference, or to DIRECTORY; a test compares the two.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from laurel_server.runtime.config_part import Part

# Before the parts are made, which take their docstrings along then: no program but this one reads them.
Part.model_config["use_attribute_docstrings"] = True

from laurel_server.runtime.environment import part_types, variable_name  # noqa: E402

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = ROOT / "docs" / "reference"
CONTRACT: Final = ROOT / "proto" / "laurel" / "errors" / "v1" / "error_reason.proto"

_REASON: Final = re.compile(r"((?:^  //.*\n)+)  ERROR_REASON_(?!UNSPECIFIED)(\w+) = ", re.MULTILINE)
_CODE: Final = re.compile(r"^([A-Z_]+)[. ]+")
_GENERATED: Final = "<!-- Written by scripts/generate_reference.py; do not edit. -->"


_SETTINGS: Final = """\
Every setting is an environment variable, read once at start. An empty variable counts as unset, a wrong value keeps
Laurel from starting, and a `LAUREL_` variable that sets nothing is reported. `AdminService.GetServerInfo` shows the
values in force, without secrets."""
_ERRORS: Final = """\
Every error is a canonical gRPC code with `google.rpc.ErrorInfo`: `domain` is `laurel`, `reason` is one of the
following, and `metadata` has the named keys. `google.rpc.BadRequest` names fields at fault,
`google.rpc.RetryInfo` the time to come back. A refused call changes nothing.

After `UNAVAILABLE`, `DEADLINE_EXCEEDED` (which has no reason) and `INTERNAL` a mutation may have happened or
not. Send it again with the same `request_id`: it counts once."""


def pages() -> dict[str, str]:
    """Returns the content of each generated page by its file name."""
    return {"settings.md": settings_page(), "errors.md": errors_page()}


def settings_page() -> str:
    """Returns the page of all settings."""
    parts = (block for name, part in part_types().items() for block in _part(name, part))
    return _page("# Settings", _SETTINGS, *parts)


def errors_page() -> str:
    """Returns the page of all error reasons."""
    rows = [f"| `{name}` | `{code}` | {text} |" for name, code, text in _reasons()]
    return _page("# Errors", _ERRORS, "\n".join(("| reason | code | when |", "|---|---|---|", *rows)))


def _page(*blocks: str) -> str:
    return "\n\n".join((blocks[0], _GENERATED, *blocks[1:])) + "\n"


def _part(name: str, part: type[Part]) -> Iterator[str]:
    yield f"## {name.capitalize()}"
    yield _one_line(part.__doc__)
    rows = [_row(variable_name(part, field), info) for field, info in part.model_fields.items()]
    yield "\n".join(("| variable | default | allowed | meaning |", "|---|---|---|---|", *rows))


def _row(variable: str, info: FieldInfo) -> str:
    cells = (f"`{variable}`", _default(info), _range(info.metadata), _one_line(info.description))
    return f"| {' | '.join(cells)} |"


def _default(info: FieldInfo) -> str:
    value = info.default
    if value is None or isinstance(value, SecretStr):
        return "unset"
    if isinstance(value, bool):
        return f"`{int(value)}`"
    return f"`{value}`"


def _range(constraints: Iterable[Any]) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [
        f"{sign} {bound}"
        for constraint in _flat(constraints)
        for name, sign in signs.items()
        if (bound := getattr(constraint, name, None)) is not None
    ]
    return ", ".join(bounds)


def _flat(constraints: Iterable[Any]) -> Iterator[Any]:
    for constraint in constraints:
        if isinstance(constraint, annotated_types.GroupedMetadata):
            yield from constraint
        else:
            yield constraint


def _reasons() -> Iterator[tuple[str, str, str]]:
    """Yields name, canonical code and meaning of each reason, in the order of the contract."""
    for comment, name in _REASON.findall(CONTRACT.read_text("utf-8")):
        code, text = _CODE.split(_one_line(comment.replace("//", "")), maxsplit=1)[1:]
        yield name, code, text


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else REFERENCE
    for name, content in pages().items():
        (directory / name).write_text(content, "utf-8")
