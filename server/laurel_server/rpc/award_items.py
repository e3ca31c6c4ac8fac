"""One award among many: malformed or refused, it has an error of its own and hurts no other."""

import structlog

from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest, AwardResult, IngestAwardsRequest
from laurel_server.domain.awards import AwardAnswer, AwardCommand
from laurel_server.domain.errors import LaurelError
from laurel_server.rpc.convert.awards import read_award, write_award
from laurel_server.rpc.errors import InvalidRequestError, Violation, to_status
from laurel_server.rpc.parsing import parse_message
from laurel_server.rpc.violations import violations

_log = structlog.get_logger(__name__)


def read_item(item: AwardPointsRequest, caller: str) -> AwardCommand | LaurelError:
    """Return one award of a batch, or what is wrong with it."""
    broken = violations(item)
    if broken:
        return InvalidRequestError(broken)
    try:
        return read_award(item, caller)
    except LaurelError as error:
        return error


def read_message(raw: bytes, caller: str) -> AwardCommand | LaurelError:
    """Return the award in one message of a stream, or what is wrong with it: fields are named as in a batch."""
    try:
        message = parse_message(IngestAwardsRequest, raw)
    except LaurelError as error:
        return error
    if not message.HasField("award"):
        return InvalidRequestError([Violation("award", "value is required")])
    return read_item(message.award, caller)


def write_result(target: AwardResult, answer: AwardAnswer | Exception, request_id: str) -> None:
    """Fill `target` with what became of an award; `request_id` is that of the call.

    An item that failed through Laurel's fault gets a line in the log: its call succeeds and gets none.
    """
    if isinstance(answer, AwardAnswer):
        write_award(target.award, answer)
        return
    if not isinstance(answer, LaurelError | TimeoutError):
        _log.error("award failed", index=target.index, exc_info=answer)
    target.error.CopyFrom(to_status(answer, request_id))
