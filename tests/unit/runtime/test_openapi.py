"""The OpenAPI document says what the contract says."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from laurel_server.runtime.openapi import openapi_page

DOCUMENT: dict[str, Any] = json.loads(openapi_page().body)
OPERATIONS = {
    f"{verb.upper()} {path}": operation
    for path, verbs in DOCUMENT["paths"].items()
    for verb, operation in verbs.items()
}


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if "$ref" in part else [])
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert set(references(DOCUMENT)) <= known


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("binding", OPERATIONS)
def test_every_place_in_a_path_is_a_parameter(binding: str) -> None:
    parameters = OPERATIONS[binding]["parameters"]
    in_path = {each["name"] for each in parameters if each["in"] == "path"}
    assert in_path == set(re.findall(r"\{([^}]+)\}", binding))
    assert len({(each["name"], each["in"]) for each in parameters}) == len(parameters)


def test_short_forms_are_offered_where_they_mean_something() -> None:
    def names(binding: str) -> set[str]:
        return {each["name"] for each in OPERATIONS[binding]["parameters"]}

    assert {"period", "scope", "period_id", "limit"} <= names("GET /api/v1/leaderboard/global")
    assert "scope" not in names("GET /api/v1/leaderboards/{board.scope}")
    assert {"period", "limit"} <= names("GET /api/v1/leaderboard/watch")
    assert names("GET /api/v1/rewards/{user_id}").isdisjoint({"period", "limit"})


def test_messages_have_their_form_in_json() -> None:
    request = schema("laurel.rewards.v1.AwardPointsRequest")["properties"]
    assert request["requestId"] | {"description": ""} == {
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "description": "",
    }
    assert request["occurredAt"]["format"] == "date-time"
    assert request["attributes"]["additionalProperties"] == {"type": "string"}
    entry = schema("laurel.rewards.v1.Transaction")["properties"]
    assert (entry["points"]["type"], entry["points"]["format"]) == ("string", "int64")
    assert "PERIOD_WEEKLY" in schema("laurel.type.v1.Period")["enum"]


def test_streams_answer_with_events() -> None:
    content = OPERATIONS["GET /api/v1/leaderboard/watch"]["responses"]["200"]["content"]
    assert list(content) == ["text/event-stream"]
