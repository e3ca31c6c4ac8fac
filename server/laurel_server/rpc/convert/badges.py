"""Badges and their definitions."""

from laurel.admin.v1 import badges_pb2
from laurel.type.v1.badge_pb2 import Badge as BadgeMessage
from laurel_server.domain.badges import Badge, BadgeDefinition
from laurel_server.rpc.convert.times import read_duration, write_duration, write_moment


def write_badge(target: BadgeMessage, badge: Badge, *, active: bool) -> None:
    """Fill the empty `target` with a badge that somebody holds."""
    target.user_id = badge.user_id
    target.badge_type = badge.badge_type
    target.level = badge.level
    write_moment(target.earned_at, badge.earned_at)
    write_moment(target.expires_at, badge.expires_at)
    target.active = active


def read_definition(message: badges_pb2.BadgeDefinition) -> BadgeDefinition:
    """Return the definition in a valid `message`."""
    return BadgeDefinition(
        badge_type=message.badge_type,
        display_name=message.display_name,
        description=message.description,
        rule=message.rule,
        level_rules=tuple(message.level_rules),
        active=message.active,
        valid_for=read_duration(message, "valid_for", parent="definition."),
    )


def write_definition(target: badges_pb2.BadgeDefinition, definition: BadgeDefinition) -> None:
    """Fill the empty `target` with a definition as stored."""
    target.badge_type = definition.badge_type
    target.display_name = definition.display_name
    target.description = definition.description
    target.rule = definition.rule
    target.level_rules.extend(definition.level_rules)
    target.active = definition.active
    if definition.valid_for:
        write_duration(target.valid_for, definition.valid_for)
    target.version = definition.version
