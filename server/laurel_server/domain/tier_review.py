"""A user's turn in the review of tiers."""

from dataclasses import dataclass

from laurel_server.domain.accounts import Account
from laurel_server.domain.awards import moved_boards
from laurel_server.domain.commands import Change, Command, Turn
from laurel_server.domain.tiers import tier_for


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewTierCommand(Command):
    """Move a user to the tier that his points reach; down only if `demotes`."""

    demotes: bool

    def _post(self, account: Account, turn: Turn) -> Change:
        tier_before, reached = account.tier, tier_for(account.qualifying_points)
        if reached == tier_before or (reached < tier_before and not self.demotes):
            return Change(account.rewards(), tier_before)
        account.change(turn.sequence)
        change = account.settle_tier(turn.now)
        return Change(
            account.rewards(),
            tier_before,
            tier_change=change,
            boards=moved_boards(account, (), change, turn.rules),
        )
