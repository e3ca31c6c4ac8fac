"""From a committed batch to its callers: where the boards must put its users, and what each caller is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from laurel_server.domain.accounts import Account
from laurel_server.domain.awards import AwardAnswer, AwardCommand, Posting, Rules, open_boards
from laurel_server.domain.boards import BoardKey
from laurel_server.domain.commands import Change, ChangeAnswer, Command
from laurel_server.domain.ledger import BoardRank, RankState
from laurel_server.domain.periods import period_type_of
from laurel_server.leaderboards.placement import Placement
from laurel_server.leaderboards.projection import Projected
from laurel_server.postgres.entries import StoredEntry
from laurel_server.rewards.batch_items import CommittedBatch, Result
from laurel_server.rewards.outcomes import StoredAward, StoredChange


@dataclass(slots=True)
class Move:
    """Where one user has to be put, after all of his commands in a batch."""

    account: Account
    boards: tuple[BoardKey, ...] = ()
    left: dict[BoardKey, None] = field(default_factory=dict)
    awards: int = 0

    def add(self, boards: tuple[BoardKey, ...]) -> None:
        """Note the boards of one more award, which are nearly always those of the one before."""
        self.awards += 1
        if boards != self.boards:
            self.boards = tuple(dict.fromkeys((*self.boards, *boards))) if self.boards else boards

    def placement(self) -> Placement:
        """Return the absolute scores for the boards; applying them twice or late is harmless."""
        account = self.account
        if not self.left:
            return Placement(account.user_id, account.version, account.totals, self.boards)
        own = f"tier:{account.tier.name.lower()}"  # he may have left it and come back
        left = tuple(board for board in self.left if board.scope != own)
        boards = tuple(board for board in self.boards if board not in left)
        return Placement(account.user_id, account.version, account.totals, boards, left)


def moves_of(batch: CommittedBatch, commands: Sequence[AwardCommand | Command]) -> dict[str, Move]:
    """Return the moves of a batch by user id; replays are in it so that their ranks are read fresh."""
    moves: dict[str, Move] = {}
    for command, result in zip(commands, batch.results, strict=True):
        account = batch.accounts[command.user_id]
        _move(moves, account, _boards(command, result, batch), result, batch.rules)
        if isinstance(result, Posting) and result.referral is not None and not command.validate_only:
            other = batch.accounts[result.referral.entry.user_id]
            _move(moves, other, result.referral.boards, result.referral, batch.rules)
    return moves


def _move(
    moves: dict[str, Move], account: Account, boards: Sequence[BoardKey], result: Result, rules: Rules
) -> None:
    if not boards:
        return
    move = moves.get(account.user_id)
    if move is None:
        move = moves[account.user_id] = Move(account)
    move.add(tuple(boards))
    if isinstance(result, Posting | Change) and result.tier_change:
        move.left.update(dict.fromkeys(boards_left(result, account, rules)))


def changed_faces(batch: CommittedBatch, moves: Mapping[str, Move]) -> list[str]:
    """Return the users whom boards show with another tier or badge from now on."""
    moved = {user_id: None for user_id, move in moves.items() if move.left}
    decorated = {
        badge.user_id: None
        for result in batch.results
        if isinstance(result, Posting)
        for badge in result.badges
    }
    return list(moved | decorated)


def _boards(command: AwardCommand | Command, result: Result, batch: CommittedBatch) -> Sequence[BoardKey]:
    if isinstance(result, Posting | Change):
        return () if command.validate_only else result.boards
    if isinstance(result, StoredAward | StoredChange):
        return replayed_boards(result, batch.accounts[command.user_id], batch.rules)
    return ()


def replayed_boards(stored: StoredAward | StoredChange, account: Account, rules: Rules) -> list[BoardKey]:
    """Return the boards that an earlier command moved the user on and that are still open, as the user belongs now."""
    member = account.membership
    return [
        BoardKey(scope, period_id)
        for period_id in stored.period_ids
        if period_id in account.totals
        for scope in rules.matrix.boards_of(member, period_type_of(period_id))
    ]


def answer_to(posting: Posting, move: Move | None, projected: Projected | None) -> AwardAnswer:
    """Return the answer to a new award; `projected` None: the boards have not followed yet."""
    return first_answer(posting, *_ranks(posting.entry.user_id, posting.boards, move, projected))


def first_answer(posting: Posting, ranks: tuple[BoardRank, ...], state: RankState) -> AwardAnswer:
    """Return the answer to an award that was made, or only tried out, with its ranks."""
    return AwardAnswer(
        entry=posting.entry,
        rewards=posting.rewards,
        breakdown=posting.breakdown,
        tier_change=posting.tier_change,
        ranks=ranks,
        rank_state=state,
        replayed=False,
        closed_period_ids=posting.closed_period_ids,
        badges=posting.badges,
        referral=posting.referral.entry if posting.referral else None,
    )


def answer_again(
    stored: StoredAward, entries: Mapping[int, StoredEntry], move: Move | None, projected: Projected | None
) -> AwardAnswer:
    """Return the answer given before, with the ranks of now."""
    kept, other = entries[stored.transaction_id], entries.get(stored.referral_transaction_id)
    user_id = kept.entry.user_id
    boards = move.boards if move else ()
    ranks, state = _ranks(user_id, boards, move, projected)
    return AwardAnswer(
        entry=kept.entry,
        rewards=stored.rewards(user_id),
        breakdown=kept.breakdown,
        tier_change=stored.tier_change(user_id),
        ranks=ranks,
        rank_state=state,
        replayed=True,
        closed_period_ids=stored.closed_period_ids,
        badges=(*kept.badges, *(other.badges if other else ())),
        referral=other.entry if other else None,
    )


def change_answer(
    user_id: str, change: Change, move: Move | None, projected: Projected | None
) -> ChangeAnswer:
    """Return the answer to a command that was just carried out."""
    ranks, state = _ranks(user_id, change.boards, move, projected)
    return ChangeAnswer(
        change.rewards, change.entry, change.hold, change.tier_change, ranks, state, replayed=False
    )


def change_answer_again(
    account: Account,
    stored: StoredChange,
    kept: Mapping[int, StoredEntry],
    move: Move | None,
    projected: Projected | None,
) -> ChangeAnswer:
    """Return the answer given before, with the ranks of now; without an id if its user was erased.

    `account` is who has the id now.
    """
    is_his = stored.user_no in {0, account.user_no}
    user_id = account.user_id if is_his else ""
    ranks, state = _ranks(user_id, move.boards if move and is_his else (), move, projected)
    return ChangeAnswer(
        stored.rewards(user_id),
        kept[stored.transaction_id].entry if stored.transaction_id else None,
        stored.hold and stored.hold._replace(user_id=user_id),
        stored.tier_change(user_id),
        ranks,
        state,
        replayed=True,
    )


def _ranks(
    user_id: str, boards: Sequence[BoardKey], move: Move | None, projected: Projected | None
) -> tuple[tuple[BoardRank, ...], RankState]:
    if move is None or not boards:
        return (), RankState.NOT_RANKED
    if projected is None:
        return (), RankState.PENDING
    ranks = projected.ranks(user_id)
    if move.awards > 1 or move.left:
        mine = set(boards)
        ranks = tuple(rank for rank in ranks if rank.board in mine)
    return ranks, RankState.FRESH


def boards_left(posting: Posting | Change, account: Account, rules: Rules) -> list[BoardKey]:
    """Return the boards that a change of tier takes the user off."""
    if posting.tier_change is None:
        return []
    return open_boards(account, rules, f"tier:{posting.tier_change.from_tier.name.lower()}")
