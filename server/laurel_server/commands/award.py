"""`laurel award USER ACTION`: awards points by hand."""

from datetime import datetime
from functools import partial
from typing import Annotated, Final

import typer

from laurel_client import AwardPointsResponse, Laurel, RankState, as_plain
from laurel_server.commands.calling import Address, AsJson, Seconds, UserId, ask, print_json
from laurel_server.commands.tables import open_console, ranks_table, tier_name
from laurel_server.domain.wording import counted

_Action = Annotated[
    str, typer.Argument(metavar="ACTION", help="The action, such as PURCHASE.", show_default=False)
]
_Attributes = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE...", help="What the formula asks for, such as order_value=1999.00."),
]
_RequestId = Annotated[
    str, typer.Option(help="Counts once, however often it is sent; default: one that nobody else has.")
]
_OrderId = Annotated[str, typer.Option(help="The order that led to it.")]
_ReferenceId = Annotated[str, typer.Option(help="What else it refers to.")]
_Reason = Annotated[str, typer.Option(help="Why, for the statement.")]
_OccurredAt = Annotated[
    str, typer.Option(metavar="TIME", help="When it happened, such as 2026-11-23T09:30:00Z; default: now.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would give; change nothing.")]

_RANK_STATES: Final = {
    RankState.RANK_STATE_PENDING: "the boards follow in a moment",
    RankState.RANK_STATE_NOT_RANKED: "on no board",
}


def award(  # noqa: PLR0917 - an option is a parameter
    user_id: UserId,
    action: _Action,
    attributes: _Attributes = None,
    request_id: _RequestId = "",
    order_id: _OrderId = "",
    reference_id: _ReferenceId = "",
    reason: _Reason = "",
    occurred_at: _OccurredAt = "",
    dry_run: _DryRun = False,
    address: Address = "",
    timeout: Seconds = 10,
    as_json: AsJson = False,
) -> None:
    """Award points for an action, and show the balance and the new ranks."""
    pairs, moment = _pairs(attributes or []), _moment(occurred_at)

    async def question(laurel: Laurel) -> AwardPointsResponse:
        return await laurel.rewards.award_points(
            user_id,
            action,
            pairs,
            request_id=request_id,
            order_id=order_id,
            reference_id=reference_id,
            reason=reason,
            occurred_at=moment,
            validate_only=dry_run,
        )

    answer = ask(question, address, as_json=as_json, seconds=timeout)
    if as_json:
        print_json(as_plain(answer))
    else:
        _show(answer, dry_run=dry_run)


def _show(answer: AwardPointsResponse, *, dry_run: bool) -> None:
    console = open_console()
    print_line = partial(console.print, soft_wrap=True, markup=False)
    made, rewards = answer.transaction, answer.rewards
    note = "would get" if dry_run else "got, before this call," if answer.replayed else "gets"
    print_line(f"{made.user_id} {note} {counted(made.points, 'point')} for {made.action}")
    if answer.breakdown.capped:
        print_line(f"cut by a cap ({answer.breakdown.cap}) from {answer.breakdown.uncapped_points:,}")
    print_line(
        f"balance {rewards.total_points:,}, lifetime {rewards.lifetime_points:,}, {tier_name(rewards.tier)}"
    )
    if answer.HasField("tier_change"):
        print_line(f"new tier: {tier_name(answer.tier_change.to_tier)}")
    for badge in answer.badges:
        print_line(f"new badge: {badge.badge_type}")
    if answer.rank_state in _RANK_STATES:
        print_line(_RANK_STATES[answer.rank_state])
    if answer.ranks:
        console.print(ranks_table(answer.ranks))


def _pairs(arguments: list[str]) -> dict[str, str]:
    pairs = dict(argument.partition("=")[::2] for argument in arguments if "=" in argument)
    strangers = [argument for argument in arguments if "=" not in argument]
    if strangers:
        raise typer.BadParameter(f"{strangers[0]!r} is not of the form NAME=VALUE")
    return pairs


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time such as 2026-11-23T09:30:00Z") from None
    if moment is not None and moment.tzinfo is None:
        raise typer.BadParameter(f"{text!r} names no time zone: add Z for UTC")
    return moment
