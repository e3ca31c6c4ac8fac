"""Messages of the contract as JSON Schema: their form in JSON, and those rules of validation that it can say."""

from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from buf.validate import validate_pb2

Schema = dict[str, Any]

ERROR: Final = "google.rpc.Status"
_INT64: Final = {"type": "string", "format": "int64"}
_INT32: Final = {"type": "integer", "format": "int32"}
_BY_KIND: Final[dict[int, Schema]] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_UINT32: _INT32,
    FieldDescriptor.TYPE_UINT64: _INT64,
}
# Messages with a JSON form of their own.
_WELL_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": "^-?[0-9]+([.][0-9]{1,9})?s$",
        "example": "90s",
    },
    "google.protobuf.FieldMask": {"type": "string", "example": "displayName,tiePolicy"},
}
_ERROR_SCHEMA: Final[Schema] = {
    "type": "object",
    "description": "What went wrong. Details hold google.rpc.ErrorInfo with a reason of laurel.errors.v1.ErrorReason.",
    "properties": {
        "code": {"type": "integer", "format": "int32", "description": "Canonical code of gRPC."},
        "message": {"type": "string", "description": "For people."},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"@type": {"type": "string"}},
                "additionalProperties": True,
            },
        },
    },
}


class Schemas:
    """The schemas that were asked for, with all that they refer to."""

    def __init__(self, comments: dict[str, str]) -> None:
        self._comments = comments
        self.made: dict[str, Schema] = {ERROR: _ERROR_SCHEMA}

    def message(self, message: Descriptor) -> Schema:
        """Returns a reference to a message's schema, or the schema where JSON has a form of its own for it."""
        if message.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[message.full_name])
        if message.full_name not in self.made:
            schema = self.made[message.full_name] = self._described({"type": "object"}, message.full_name)
            schema["properties"] = {field.json_name: self.field(field) for field in message.fields}
            required = [field.json_name for field in message.fields if _rules(field).required]
            if required:
                schema["required"] = required
        return _reference(message.full_name)

    def field(self, field: FieldDescriptor) -> Schema:
        """Returns the schema of a field, with its comment."""
        value = _map_value(field)
        if value is not None:
            schema: Schema = {"type": "object", "additionalProperties": self._single(value)}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._single(field)} | _counts(_rules(field))
        else:
            schema = self._single(field) | _bounds(_rules(field))
        return self._described(schema, field.full_name)

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self.message(field.message_type)
        return self._enum(field.enum_type) if field.enum_type is not None else dict(_BY_KIND[field.type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.full_name not in self.made:
            lines = [
                f"{value.name}: {self._comments.get(f'{enum.full_name}.{value.name}', '')}"
                for value in enum.values
            ]
            about = self._comments.get(enum.full_name, "")
            names = [value.name for value in enum.values]
            self.made[enum.full_name] = {
                "type": "string",
                "enum": names,
                "description": "\n\n".join([about, *lines]),
            }
        return _reference(enum.full_name)

    def _described(self, schema: Schema, name: str) -> Schema:
        comment = self._comments.get(name)
        return schema | {"description": comment} if comment else schema


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _map_value(field: FieldDescriptor) -> FieldDescriptor | None:
    """Returns the field of the values if `field` is a map."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and entry.GetOptions().map_entry else None


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]
    return rules


def _counts(rules: validate_pb2.FieldRules) -> Schema:
    repeated = rules.repeated
    found: Schema = {}
    if repeated.HasField("min_items"):
        found["minItems"] = repeated.min_items
    if repeated.HasField("max_items"):
        found["maxItems"] = repeated.max_items
    return found


def _bounds(rules: validate_pb2.FieldRules) -> Schema:
    text, number = rules.string, rules.int32
    found: Schema = {}
    if text.HasField("pattern"):
        found["pattern"] = text.pattern
    if text.HasField("min_len"):
        found["minLength"] = text.min_len
    if text.HasField("max_len"):
        found["maxLength"] = text.max_len
    if number.HasField("gte"):
        found["minimum"] = number.gte
    if number.HasField("lte"):
        found["maximum"] = number.lte
    return found
