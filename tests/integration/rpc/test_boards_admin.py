import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from laurel.admin.v1 import boards_pb2
from laurel.leaderboard.v1 import rules_pb2
from laurel.type.v1 import board_pb2
from laurel_server.domain.errors import Reason
from tests.integration.rpc.harness import Served, refused

SPEED = boards_pb2.BoardConfig(
    board_id="speed-run",
    display_name="Speed run",
    kind=boards_pb2.BOARD_KIND_SCORES,
    reset_cron="0 0 * * 1",
    operator=rules_pb2.SCORE_OPERATOR_LAST,
    sort_order=rules_pb2.SORT_ORDER_ASCENDING,
    tie_policy=rules_pb2.TIE_POLICY_DENSE,
    max_entries=10,
    min_score=0,
    max_score=1000,
    winner_bonuses=[boards_pb2.WinnerBonus(rank=1, points=5)],
)


async def create(served: Served, board: boards_pb2.BoardConfig) -> boards_pb2.BoardConfig:
    request = boards_pb2.CreateBoardRequest(request_id="r", board=board)
    return (await served.admin.CreateBoard(request)).board


async def test_a_score_board_is_stored_as_it_was_sent(served: Served) -> None:
    created = await create(served, SPEED)
    expected = boards_pb2.BoardConfig(scope="speed-run", period=board_pb2.PERIOD_ALL_TIME, slots=1)
    expected.MergeFrom(SPEED)
    assert created == expected
    assert (await served.admin.GetBoard(boards_pb2.GetBoardRequest(board_id="speed-run"))).board == expected
    assert list((await served.admin.ListBoards(boards_pb2.ListBoardsRequest())).boards) == [expected]


async def test_a_points_board_gets_its_defaults(served: Served) -> None:
    created = await create(
        served, boards_pb2.BoardConfig(board_id="c", kind=boards_pb2.BOARD_KIND_POINTS, scope="country:us")
    )
    assert (created.scope, created.period) == ("country:US", board_pb2.PERIOD_ALL_TIME)
    assert created.tie_policy == rules_pb2.TIE_POLICY_EARLIEST_FIRST
    assert created.sort_order == rules_pb2.SORT_ORDER_DESCENDING


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": boards_pb2.BOARD_KIND_UNSPECIFIED}, "board.kind"),
        ({"board_id": "a:b"}, "board.board_id"),
        ({"board_id": "global"}, "board.board_id"),
        ({"reset_cron": "at noon"}, "board.reset_cron"),
        ({"max_entries": -1}, "board.max_entries"),
        ({"slots": 2, "tie_policy": rules_pb2.TIE_POLICY_DENSE}, "board.slots"),
        ({"min_score": 1001}, "board.min_score"),
        ({"scope": "country:US"}, "board.scope"),
        (
            {"winner_bonuses": [boards_pb2.WinnerBonus(rank=1), boards_pb2.WinnerBonus(rank=1)]},
            "board.winner_bonuses",
        ),
        ({"kind": boards_pb2.BOARD_KIND_POINTS, "scope": "global"}, "board.reset_cron"),
    ],
)
async def test_a_board_that_makes_no_sense_is_refused(
    served: Served, change: dict[str, object], field: str
) -> None:
    board = boards_pb2.BoardConfig.FromString(SPEED.SerializeToString())
    for name in change:
        board.ClearField(name)  # type: ignore[arg-type]
    board.MergeFrom(boards_pb2.BoardConfig(**change))  # type: ignore[arg-type]
    with refused(Reason.INVALID_FIELD) as refusal:
        await create(served, board)
    assert refusal.fields.keys() == {field}


async def test_only_what_is_masked_changes(served: Served) -> None:
    await create(served, SPEED)
    wanted = boards_pb2.BoardConfig(board_id="speed-run", display_name="Sprint")
    request = boards_pb2.UpdateBoardRequest(board=wanted, update_mask=FieldMask(paths=["display_name"]))
    updated = (await served.admin.UpdateBoard(request)).board
    assert (updated.display_name, updated.max_entries) == ("Sprint", 10)
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.UpdateBoard(
            boards_pb2.UpdateBoardRequest(board=wanted, update_mask=FieldMask(paths=["colour"]))
        )
    assert refusal.fields.keys() == {"update_mask"}
    with refused(Reason.INVALID_FIELD) as refusal:
        await served.admin.UpdateBoard(
            boards_pb2.UpdateBoardRequest(board=wanted, update_mask=FieldMask(paths=["sort_order"]))
        )
    assert refusal.fields.keys() == {"board.sort_order"}


async def test_boards_come_in_pages_by_id(served: Served) -> None:
    for board_id in ("b", "c", "a"):
        await create(served, boards_pb2.BoardConfig(board_id=board_id, kind=boards_pb2.BOARD_KIND_SCORES))
    first = await served.admin.ListBoards(boards_pb2.ListBoardsRequest(page_size=2))
    rest = await served.admin.ListBoards(boards_pb2.ListBoardsRequest(page_token=first.next_page_token))
    assert [board.board_id for board in (*first.boards, *rest.boards)] == ["a", "b", "c"]
    with refused(Reason.BOARD_NOT_FOUND):
        await served.admin.GetBoard(boards_pb2.GetBoardRequest(board_id="d"))
