"""AdminService: what badges take."""

from laurel.admin.v1.admin_service_pb2 import PutBadgeDefinitionRequest, PutBadgeDefinitionResponse
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.badges import read_definition, write_definition
from laurel_server.rpc.ranking import BadgeRules


class BadgesAdminServicer:
    """Changes what badges take."""

    service = methods.ADMIN

    def __init__(self, badge_rules: BadgeRules) -> None:
        self._badge_rules = badge_rules

    async def PutBadgeDefinition(
        self, request: PutBadgeDefinitionRequest, call: CallContext
    ) -> PutBadgeDefinitionResponse:
        """Create or replace what a badge takes."""
        definition = read_definition(request.definition)
        stored = await self._badge_rules.put_badge(definition, request.actor or call.caller)
        response = PutBadgeDefinitionResponse()
        write_definition(response.definition, stored)
        return response
