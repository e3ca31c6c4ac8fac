"""Explanations of entries."""

from laurel.rewards.v1.statements_pb2 import ExplainTransactionResponse
from laurel.type.v1.tier_pb2 import Tier
from laurel_server.domain.explain import Explanation
from laurel_server.rpc.convert.awards import write_entry
from laurel_server.rpc.convert.times import write_moment


def write_explanation(target: ExplainTransactionResponse, explanation: Explanation) -> None:
    """Fill the empty `target` with why an entry has its points."""
    recorded = explanation.recorded
    write_entry(target.transaction, recorded.entry)
    target.tier = Tier.ValueType(recorded.tier)
    target.period_ids.extend(recorded.inputs["periods"])
    target.attributes.update(recorded.inputs.get("attributes", {}))
    target.config_version = recorded.inputs.get("config", 0)
    if recorded.config is not None and recorded.granted is None:
        target.points_formula = recorded.config.points_formula
    for step in explanation.steps:
        target.steps.add(name=step.name, value=step.value, text=step.text)
    for debit in recorded.lots:
        movement = target.lots.add(transaction_id=str(debit.lot_id), points=debit.points)
        write_moment(movement.expires_at, debit.expires_at)
    target.agrees = not explanation.differences
    target.differences.extend(explanation.differences)
