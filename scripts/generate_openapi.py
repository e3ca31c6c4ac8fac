"""Writes the OpenAPI document of the REST API from the contract: `generate_openapi.py [FILE]`. Offline.

Small and of our own, because what exists for protobuf is written in Go and would have to be fetched for every check;
and none knows the short forms of queries or that a stream answers with server-sent events.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from google.api.annotations_pb2 import http
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from laurel_server.rpc.methods import SERVICES
from openapi_schemas import ERROR, Schema, Schemas
from proto_comments import comments

TARGET: Final = Path(__file__).resolve().parent.parent / "server/laurel_server/runtime/openapi.json"

_ABOUT: Final = """\
A rewards ledger and a live leaderboard. JSON takes camelCase and snake_case, 64-bit integers are strings, enums go by
name. Every mutation has a `requestId`: the same id with the same body counts once. Errors are google.rpc.Status."""
_PARAMETER: Final = re.compile(r"\{([^}]+)\}")
_BOARD: Final = "laurel.type.v1.BoardRef"
_SHORT: Final = {"period": "weekly", "scope": "global", "period_id": "2026-W48"}
_LIMITS: Final = ("page_size", "top_n")


class Document:
    """The document in the making."""

    def __init__(self) -> None:
        self._comments = comments()
        self._schemas = Schemas(self._comments)
        self._paths: dict[str, Schema] = {}

    def whole(self) -> Schema:
        """Returns the document with the methods of all services."""
        for service in SERVICES:
            for method in service.methods:
                self._add(method, service.name)
        return {
            "openapi": "3.1.0",
            "info": {"title": "Laurel", "version": "v1", "description": _ABOUT},
            "servers": [{"url": "/"}],
            "tags": [{"name": each.name, "description": self._comments[each.full_name]} for each in SERVICES],
            "security": [{}, {"token": []}],
            "paths": self._paths,
            "components": {
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
                "schemas": dict(sorted(self._schemas.made.items())),
            },
        }

    def _add(self, method: MethodDescriptor, tag: str) -> None:
        rule: HttpRule = method.GetOptions().Extensions[http]
        for number, each in enumerate((rule, *rule.additional_bindings)):
            kind = each.WhichOneof("pattern")
            if kind is not None:
                path: str = getattr(each, kind)
                suffix = f"_{number + 1}" if number else ""
                operation = {
                    "operationId": f"{method.name}{suffix}",
                    "tags": [tag],
                    **self._operation(method, each, path),
                }
                self._paths.setdefault(path, {})[kind] = operation

    def _operation(self, method: MethodDescriptor, rule: HttpRule, path: str) -> Schema:
        in_path = _PARAMETER.findall(path)
        parameters = [self._in_path(method.input_type, name) for name in in_path]
        if not rule.body:
            parameters += self._in_query(method.input_type, in_path)
        operation: Schema = {"description": self._comments[method.full_name], "parameters": parameters}
        if rule.body:
            operation["requestBody"] = {
                "required": True,
                "content": _json(self._body(method.input_type, rule.body)),
            }
        return operation | {"responses": self._responses(method)}

    def _in_path(self, message: Descriptor, name: str) -> Schema:
        schema = self._schemas.field(_field_at(message, name))
        return {"name": name, "in": "path", "required": True, "schema": schema}

    def _in_query(self, message: Descriptor, in_path: list[str]) -> list[Schema]:
        leaves = {name: field for name, field in _leaves(message) if name not in in_path}
        found = [
            {"name": name, "in": "query", "schema": self._schemas.field(each)}
            for name, each in leaves.items()
        ]
        return found + [each for name in leaves for each in _short_forms(name, in_path)]

    def _body(self, message: Descriptor, body: str) -> Schema:
        whole = body == "*"
        return self._schemas.message(message) if whole else self._schemas.field(message.fields_by_name[body])

    def _responses(self, method: MethodDescriptor) -> Schema:
        answer = self._schemas.message(method.output_type)
        content = {"text/event-stream": {"schema": answer}} if method.server_streaming else _json(answer)
        said = "Events, each `data: ` and one message in JSON." if method.server_streaming else "The answer."
        error = {
            "description": "What went wrong.",
            "content": _json({"$ref": f"#/components/schemas/{ERROR}"}),
        }
        return {"200": {"description": said, "content": content}, "default": error}


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _field_at(message: Descriptor, path: str) -> FieldDescriptor:
    first, _, rest = path.partition(".")
    field = message.fields_by_name[first]
    return _field_at(field.message_type, rest) if rest and field.message_type else field


def _leaves(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """Yields the fields that a query can hold, by their path; of messages only boards and times can stand there."""
    for field in message.fields:
        name = prefix + field.name
        if field.message_type is None or field.message_type.full_name.startswith("google.protobuf."):
            yield name, field
        elif not field.is_repeated and field.message_type.full_name == _BOARD:
            yield from _leaves(field.message_type, f"{name}.")


def _short_forms(name: str, in_path: list[str]) -> Iterator[Schema]:
    short = name.removeprefix("board.")
    if short in _SHORT and short != name and f"board.{short}" not in in_path:
        about = {"type": "string", "description": f"Short for `{name}`.", "example": _SHORT[short]}
        yield {"name": short, "in": "query", "schema": about}
    if name in _LIMITS:
        number = {"type": "integer", "description": f"Short for `{name}`.", "example": 100}
        yield {"name": "limit", "in": "query", "schema": number}


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(json.dumps(Document().whole(), indent=1, ensure_ascii=False) + "\n", "utf-8")
