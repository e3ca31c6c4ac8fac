"""The rules that requests break: those of the contract (protovalidate), and one that holds for every text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from protovalidate import Validator
from protovalidate import Violation as BrokenRule

from buf.validate import validate_pb2
from laurel_server.rpc.errors import Violation
from laurel_server.rpc.quick_rules import Check, quick_check
from laurel_server.rpc.rule_words import words

if TYPE_CHECKING:
    from protovalidate._gen.buf.validate.validate_pb import FieldPathElement

_validator = Validator()


class _QuickChecks(dict[type[Message], Check | None]):
    """The quick check of each type of message, made when one first comes."""

    def __missing__(self, message_type: type[Message]) -> Check | None:
        check = self[message_type] = quick_check(message_type)
        return check


_quick_checks = _QuickChecks()


def violations(message: Message, serialized: bytes | None = None) -> list[Violation]:
    """Return the rules that `message` breaks, with proto field paths; empty if it is valid.

    `serialized`, any serialized form of it, saves making one.
    """
    is_valid = _quick_checks[type(message)]
    broken = [] if is_valid is not None and is_valid(message) else _broken_rules(message)
    # PostgreSQL stores no NUL in texts. The byte is rare in messages, so that fields are hardly ever visited.
    if b"\0" in (message.SerializeToString() if serialized is None else serialized):
        broken += [
            Violation(path, "must not contain the character NUL") for path in _fields_with_nul(message)
        ]
    return broken


def _broken_rules(message: Message) -> list[Violation]:
    return [_violation(rule) for rule in _validator.collect_violations(message)]


def _violation(broken: BrokenRule) -> Violation:
    rule = broken.proto
    path = ".".join(_step(element) for element in rule.field.elements) if rule.field else ""
    return Violation(path, words(rule.rule_id, broken.rule_value, rule.message))


def _step(element: "FieldPathElement") -> str:
    if element.subscript is None:
        return element.field_name
    return f"{element.field_name}[{_subscript(element.subscript.value)}]"


def _subscript(key: object) -> str:
    return f'"{key}"' if isinstance(key, str) else str(key)


def _fields_with_nul(message: Message, prefix: str = "") -> Iterator[str]:
    for field, value in message.ListFields():
        if _is_left_to_items(field):
            continue
        for path, item in _items(value, prefix + field.name):
            if isinstance(item, Message):
                yield from _fields_with_nul(item, f"{path}.")
            elif isinstance(item, str) and "\0" in item:
                yield path


def _is_left_to_items(field: FieldDescriptor) -> bool:
    """Whether the contract leaves the items of a batch to the servicer: each has an error of its own."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return bool(rules.repeated.items.ignore == validate_pb2.IGNORE_ALWAYS)


def _items(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Yield each key and value of a map, each item of a list, and any other value as it is, with its path."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            at = f"{path}[{_subscript(key)}]"
            yield at, key
            yield at, item
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))
    else:
        yield path, value
