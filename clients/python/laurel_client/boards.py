"""AdminService: boards as data."""

from collections.abc import AsyncIterator

from google.protobuf.field_mask_pb2 import FieldMask

from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.admin.v1.boards_pb2 import (
    BoardConfig,
    CreateBoardRequest,
    DeleteBoardRequest,
    GetBoardRequest,
    ListBoardsRequest,
    UpdateBoardRequest,
)
from laurel_client.caller import Caller
from laurel_client.requests import new_request_id


class Boards:
    """Creates, changes and deletes boards."""

    def __init__(self, stub: AdminServiceStub, caller: Caller) -> None:
        self._stub = stub
        self._caller = caller

    async def create_board(self, board: BoardConfig, *, request_id: str = "") -> BoardConfig:
        """Create a board and return it as stored."""
        request = CreateBoardRequest(request_id=request_id or new_request_id(), board=board)
        return (await self._caller.call(self._stub.CreateBoard, request)).board

    async def update_board(self, board: BoardConfig, *fields: str) -> BoardConfig:
        """Change the `fields` of the board with that id, or all that can change, and return it."""
        mask = FieldMask(paths=fields) if fields else None
        request = UpdateBoardRequest(board=board, update_mask=mask)
        return (await self._caller.call(self._stub.UpdateBoard, request)).board

    async def get_board(self, board_id: str) -> BoardConfig:
        """Return a board's config."""
        return (await self._caller.call(self._stub.GetBoard, GetBoardRequest(board_id=board_id))).board

    async def list_boards(self) -> AsyncIterator[BoardConfig]:
        """Yield all boards by id."""
        async for page in self._caller.pages(self._stub.ListBoards, ListBoardsRequest()):
            for board in page.boards:
                yield board

    async def delete_board(self, board_id: str, *, request_id: str = "") -> None:
        """Delete a board; the scores of a score board go with it."""
        request = DeleteBoardRequest(request_id=request_id or new_request_id(), board_id=board_id)
        await self._caller.call(self._stub.DeleteBoard, request)
