"""From variables to settings: reading, refusing what is unsafe, and naming what is wrong."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from laurel_server.runtime.config import Settings
from laurel_server.runtime.config_part import Part
from laurel_server.runtime.credentials import CredentialsError, credentials, read_grants
from laurel_server.runtime.jwt import read_jwt
from laurel_server.runtime.tls import read_tls

_PREFIX = "LAUREL_"
_OF_COMMANDS = ("LAUREL_ADDRESS", "LAUREL_TARGET", "LAUREL_TOKEN")
"""Variables that are no settings of a server: where a command finds one, and as whom it calls."""


class ConfigError(Exception):
    """The environment cannot be served from; `problems` has one line for each thing to change."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def load_settings() -> Settings:
    """Reads the tree from the environment; raises ConfigError naming what is wrong or unsafe."""
    parts: dict[str, Part] = {}
    problems: list[str] = []
    for name, part in part_types().items():
        try:
            parts[name] = part()
        except ValidationError as error:
            problems += [_describe(part, detail) for detail in error.errors()]
    if not problems:
        settings = Settings(**cast("dict[str, Any]", parts))
        problems = list(refusals(settings))
        if not problems:
            return settings
    raise ConfigError(problems)


def refusals(settings: Settings) -> Iterator[str]:
    """Yields why these settings must not be served, naming the variables."""
    given = credentials(settings.auth)
    if given and settings.sandbox.enabled:
        yield f"LAUREL_SANDBOX=1 beside {given[0]}: a test clock must not govern real points; unset one"
    if settings.sandbox.enabled and settings.grpc.processes > 1:
        yield "LAUREL_SANDBOX=1 beside LAUREL_GRPC_PROCESSES: a test clock is set in one process alone; unset one"
    try:
        read_grants(settings.auth)
        read_jwt(settings)
        read_tls(settings.http)
    except CredentialsError as error:
        yield str(error)
    if given:
        return
    for variable, host in (
        ("LAUREL_GRPC_HOST", settings.grpc.host),
        ("LAUREL_HTTP_HOST", settings.http.host),
        ("LAUREL_OPERATIONS_HOST", settings.operations.host),
    ):
        if not is_loopback(host):
            yield (
                f"{variable}={host} is not a loopback address, and without LAUREL_AUTH_TOKENS anyone could call"
            )


def is_loopback(host: str) -> bool:
    """Tells whether only this machine can reach `host`; a name other than localhost counts as reachable."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def part_types() -> dict[str, type[Part]]:
    """Returns the class of each part by its name in the tree."""
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Part)
    }


def variable_name(part: type[Part], field: str) -> str:
    """Returns the environment variable of a part's field."""
    own = part.model_fields[field].validation_alias
    return own if isinstance(own, str) else f"{part.model_config['env_prefix']}{field}".upper()


def known_variables() -> list[str]:
    """Returns every variable that sets something."""
    return [variable_name(part, field) for part in part_types().values() for field in part.model_fields]


def unknown_variables(environ: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Returns each LAUREL_ variable that sets nothing, with the known name it was probably meant to be."""
    known = [*known_variables(), *_OF_COMMANDS]
    names = (
        name for name in (os.environ if environ is None else environ) if name.upper().startswith(_PREFIX)
    )
    strangers = sorted(name for name in names if name.upper() not in known)
    return {
        name: next(iter(get_close_matches(name.upper(), known, n=1, cutoff=0.8)), None) for name in strangers
    }


def _describe(part: type[Part], detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:  # a rule about several fields names them itself
        return message
    field = str(detail["loc"][0])
    return f"{field if field.startswith(_PREFIX) else variable_name(part, field)}: {message}"
