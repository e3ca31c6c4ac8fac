"""Points, scores and visibilities by draw, on a server and on boards that are sorted by brute force."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count, product

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from laurel.admin.v1.admin_service_pb2 import PutActionConfigRequest
from laurel.admin.v1.boards_pb2 import (
    BoardConfig,
    BoardKind,
    CreateBoardRequest,
    ListBoardsRequest,
    UpdateBoardRequest,
)
from laurel.admin.v1.people_pb2 import SetVisibilityRequest
from laurel.admin.v1.rules_pb2 import ActionConfig
from laurel.leaderboard.v1.scores_pb2 import RemoveMemberRequest, UpdateScoreRequest
from laurel.rewards.v1.corrections_pb2 import ReverseTransactionRequest
from laurel.rewards.v1.rewards_service_pb2 import AwardPointsRequest
from laurel.sandbox.v1.sandbox_service_pb2 import AdvanceClockRequest
from laurel.type.v1.board_pb2 import BoardRank, BoardRef, Period, RankState
from laurel.type.v1.user_pb2 import Visibility
from laurel_server.domain.board_configs import ScoreOperator
from laurel_server.domain.boards import SortOrder, TiePolicy, Traits
from tests.e2e.compared_boards import ComparedBoard, Laurel, new_id
from tests.oracle.board import BruteForceBoard, Standing

SEEN = (Visibility.VISIBILITY_PUBLIC, Visibility.VISIBILITY_HIDDEN, Visibility.VISIBILITY_SHADOW)
NOW = "2026-11-25T12:00:00Z"
"""When a play begins."""

AFTER = ("2027-W02", "2027-01", "2027-Q1", "2027")
"""The periods in which it ends."""

LARGEST = 1 << 53
USERS = [f"user-{number}" for number in range(9)]
SCORES = (-2, -1, 0, 1, 2, LARGEST, LARGEST - 1, 1 - LARGEST, -LARGEST)

POINTS = {
    ("global", Period.PERIOD_ALL_TIME, "all"): Traits(),
    ("global", Period.PERIOD_WEEKLY, "2026-W48"): Traits(slots=3),
    ("global", Period.PERIOD_MONTHLY, "2026-11"): Traits(TiePolicy.COMPETITION, slots=2),
    ("global", Period.PERIOD_QUARTERLY, "2026-Q4"): Traits(TiePolicy.COMPETITION),
    ("global", Period.PERIOD_YEARLY, "2026"): Traits(TiePolicy.DENSE),
}
SCORE_BOARDS = {
    f"{policy.name.lower()}-{order.name.lower()}": Traits(policy, order, has_scores=True)
    for policy, order in product(TiePolicy, SortOrder)
}

_BONUSES = FieldMask(paths=["winner_bonuses"])
_CHANGES = FieldMask(paths=["tie_policy", "slots", "winner_bonuses"])


class Play:
    """Does things by draw to a server and to the model, and compares what is answered."""

    def __init__(self, laurel: Laurel, dice: random.Random) -> None:
        self.laurel, self.dice = laurel, dice
        self.points = [self._board(*place, traits) for place, traits in POINTS.items()]
        self.scores = [
            self._board(board_id, Period.PERIOD_ALL_TIME, "all", traits)
            for board_id, traits in SCORE_BOARDS.items()
        ]
        self.boards = [*self.points, *self.scores]
        self.hidden, self.shadows = set[str](), set[str]()
        for board in self.boards:
            board.model.hidden, board.shadows = self.hidden, self.shadows
        self.awards: list[tuple[str, str, int]] = []
        self.moment = count(1)

    def _board(self, scope: str, period: Period.ValueType, period_id: str, traits: Traits) -> ComparedBoard:
        ref = BoardRef(scope=scope, period=period, period_id=period_id)
        return ComparedBoard(self.laurel, ref, BruteForceBoard(traits))

    async def prepare(self) -> None:
        """Make the boards, and the users, who have nothing."""
        plain = dict.fromkeys(("BRONZE", "SILVER", "GOLD", "PLATINUM", "DIAMOND"), "1")
        config = ActionConfig(action="GIVE", points_formula="points", tier_multipliers=plain, active=True)
        await self.laurel.admin.PutActionConfig(PutActionConfigRequest(config=config, actor="tests"))
        listed = await self.laurel.admin.ListBoards(ListBoardsRequest())
        known = {(board.scope, board.period): board.board_id for board in listed.boards}
        for board in self.points:
            await self._configure_points(board, known)
        for board in self.scores:
            traits = board.model.traits
            await self._create(
                BoardConfig(
                    board_id=board.ref.scope,
                    kind=BoardKind.BOARD_KIND_SCORES,
                    tie_policy=traits.tie_policy.value,  # type: ignore[arg-type]
                    sort_order=traits.sort_order.value,  # type: ignore[arg-type]
                )
            )
        daily = BoardConfig(board_id="global-daily")  # pays nobody: bonuses would move the all-time board
        await self.laurel.admin.UpdateBoard(UpdateBoardRequest(board=daily, update_mask=_BONUSES))
        for user_id in USERS:
            await self._award(user_id, 0)

    async def step(self) -> None:
        """Do one thing."""
        user_id = self.dice.choice(USERS)
        match self.dice.random():
            case low if low < 0.35:
                await self._award(user_id, self.dice.randint(0, 3))
            case low if low < 0.45 and self.awards:
                await self._reverse(*self.awards.pop(self.dice.randrange(len(self.awards))))
            case low if low < 0.8:
                await self._report(user_id, self.dice.choice(self.scores))
            case low if low < 0.88:
                await self._remove(user_id, self.dice.choice(self.scores))
            case _:
                await self._show(user_id, self.dice.choice(SEEN))

    async def _configure_points(
        self, board: ComparedBoard, known: Mapping[tuple[str, Period.ValueType], str]
    ) -> None:
        """Have a points board rank as it should, and pay nobody, which would move the boards."""
        traits = board.model.traits
        config = BoardConfig(
            board_id=known.get((board.ref.scope, board.ref.period), f"global-{board.ref.period_id}"),
            kind=BoardKind.BOARD_KIND_POINTS,
            scope=board.ref.scope,
            period=board.ref.period,
            tie_policy=traits.tie_policy.value,  # type: ignore[arg-type]
            slots=traits.slots,
        )
        if (board.ref.scope, board.ref.period) not in known:
            await self._create(config)
        elif board.ref.period_id != "all":
            await self.laurel.admin.UpdateBoard(UpdateBoardRequest(board=config, update_mask=_CHANGES))

    async def _create(self, config: BoardConfig) -> None:
        await self.laurel.admin.CreateBoard(CreateBoardRequest(request_id=new_id(), board=config))

    async def _award(self, user_id: str, points: int) -> None:
        before = [board.told(user_id)[0] for board in self.points]
        request = AwardPointsRequest(request_id=new_id(), user_id=user_id, action="GIVE")
        request.attributes["points"] = str(points)
        answer = await self.laurel.rewards.AwardPoints(request)
        self._move(user_id, points)
        if points:
            self.awards.append((user_id, answer.transaction.transaction_id, points))
        self._check_ranks(answer.ranks, answer.rank_state, user_id, before)

    async def _reverse(self, user_id: str, transaction_id: str, points: int) -> None:
        before = [board.told(user_id)[0] for board in self.points]
        request = ReverseTransactionRequest(request_id=new_id(), transaction_id=transaction_id)
        answer = await self.laurel.rewards.ReverseTransaction(request)
        assert answer.transaction.points == -points
        self._move(user_id, -points)
        self._check_ranks(answer.ranks, answer.rank_state, user_id, before)

    def _move(self, user_id: str, points: int) -> None:
        """Add points on all points boards; who has none left is on none."""
        moment = next(self.moment)
        for board in self.points:
            standings = board.model.standings
            had = standings[user_id].score if user_id in standings else 0
            if points and had + points:
                standings[user_id] = Standing(had + points, 0, moment)
            elif points:
                standings.pop(user_id)

    def _check_ranks(
        self, told: Iterable[BoardRank], state: RankState.ValueType, user_id: str, before: Sequence[int]
    ) -> None:
        if user_id in self.hidden:
            assert not list(told)
            assert state == RankState.RANK_STATE_NOT_RANKED
            return
        by_period = {each.board.period_id: each for each in told if each.board.scope == "global"}
        for board, rank in zip(self.points, before, strict=True):
            if board.ref.period_id in by_period:
                board.check_answer(by_period[board.ref.period_id], user_id, rank)
            else:
                assert board.told(user_id)[0] == rank

    async def _report(self, user_id: str, board: ComparedBoard) -> None:
        new, operator = (
            (self.dice.choice(SCORES), self.dice.choice(SCORES)),
            self.dice.choice(list(ScoreOperator)),
        )
        before = board.told(user_id)[0]
        request = UpdateScoreRequest(
            request_id=new_id(),
            board=board.ref,
            user_id=user_id,
            score=new[0],
            sub_score=new[1],
            operator=operator.value,  # type: ignore[arg-type]
        )
        stored = board.model.standings.get(user_id)
        if operator is ScoreOperator.SUM and stored is not None and not _is_exact(stored, new):
            with pytest.raises(grpc.aio.AioRpcError, match="must be"):
                await self.laurel.boards.UpdateScore(request)
            return
        answer = await self.laurel.boards.UpdateScore(request)
        assert answer.updated == board.model.report(user_id, new, operator, next(self.moment))
        if user_id in self.hidden:
            assert answer.rank_state == RankState.RANK_STATE_NOT_RANKED
            assert answer.rank.score == board.model.standings[user_id].score
        else:
            board.check_answer(answer.rank, user_id, before)

    async def _remove(self, user_id: str, board: ComparedBoard) -> None:
        request = RemoveMemberRequest(request_id=new_id(), board=board.ref, user_id=user_id)
        answer = await self.laurel.boards.RemoveMember(request)
        assert answer.removed == (board.model.standings.pop(user_id, None) is not None)

    async def check_the_past(self) -> None:
        """End all periods, and compare them with what they were; streams go on with the new ones, which are empty."""
        await self.laurel.sandbox.AdvanceClock(AdvanceClockRequest(by=Duration(seconds=50 * 86_400)))
        present = dict(zip(("2026-W48", "2026-11", "2026-Q4", "2026"), AFTER, strict=True))
        for board in self.points[1:]:
            past = replace(board, ref=BoardRef(scope="global", period_id=board.ref.period_id))
            await past.check(USERS)
            await past.check_snapshot()
            board.ref.period_id, board.model.standings = present[board.ref.period_id], {}
        for user_id in USERS:
            await self._show(user_id, Visibility.VISIBILITY_PUBLIC)
            await self._award(user_id, 1)

    async def _show(self, user_id: str, visibility: Visibility.ValueType) -> None:
        request = SetVisibilityRequest(
            request_id=new_id(), user_id=user_id, visibility=visibility, actor="tests", reason="by draw"
        )
        await self.laurel.admin.SetVisibility(request)
        (self.hidden.discard if visibility == Visibility.VISIBILITY_PUBLIC else self.hidden.add)(user_id)
        (self.shadows.add if visibility == Visibility.VISIBILITY_SHADOW else self.shadows.discard)(user_id)


def _is_exact(stored: Standing, new: tuple[int, int]) -> bool:
    return abs(stored.score + new[0]) <= LARGEST and abs(stored.sub_score + new[1]) <= LARGEST
