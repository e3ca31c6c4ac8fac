"""AdminService: boards."""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from laurel.admin.v1.boards_pb2 import (
    CreateBoardRequest,
    CreateBoardResponse,
    DeleteBoardRequest,
    DeleteBoardResponse,
    GetBoardRequest,
    GetBoardResponse,
    ListBoardsRequest,
    ListBoardsResponse,
    UpdateBoardRequest,
    UpdateBoardResponse,
)
from laurel_server.domain.board_configs import BoardConfig
from laurel_server.domain.commands import RequestKey
from laurel_server.rpc import methods
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.convert.awards import request_hash
from laurel_server.rpc.convert.board_configs import read_board_config, read_changes, write_board_config
from laurel_server.rpc.paging import PageTokens, page_size, write_page

DEFAULT_PAGE_SIZE: Final = 100


class BoardAdministration(Protocol):
    """Keeps the configured boards."""

    async def boards(self) -> Sequence[BoardConfig]:
        """Return all boards by id."""
        ...

    async def board(self, board_id: str) -> BoardConfig:
        """Return one board. BOARD_NOT_FOUND."""
        ...

    async def create(self, config: BoardConfig, request: RequestKey) -> BoardConfig:
        """Add a board and return it as stored. INVALID_FIELD, BOARD_EXISTS, IDEMPOTENCY_CONFLICT."""
        ...

    async def update(self, wanted: BoardConfig, fields: Collection[str]) -> BoardConfig:
        """Change these fields of a board and return it. BOARD_NOT_FOUND, INVALID_FIELD."""
        ...

    async def delete(self, board_id: str, request: RequestKey) -> None:
        """Delete a board. BOARD_NOT_FOUND, IDEMPOTENCY_CONFLICT."""
        ...


class BoardsAdminServicer:
    """Configures boards, for operators."""

    service = methods.ADMIN

    def __init__(self, administration: BoardAdministration) -> None:
        self._administration = administration
        self._tokens = PageTokens("ListBoards")

    async def CreateBoard(self, request: CreateBoardRequest, call: CallContext) -> CreateBoardResponse:
        """Add a board."""
        config = read_board_config(request.board)
        created = await self._administration.create(config, _key(request, call.caller))
        response = CreateBoardResponse()
        write_board_config(response.board, created)
        return response

    async def UpdateBoard(self, request: UpdateBoardRequest, call: CallContext) -> UpdateBoardResponse:
        """Change a board."""
        wanted, fields = read_changes(request.board, list(request.update_mask.paths))
        response = UpdateBoardResponse()
        write_board_config(response.board, await self._administration.update(wanted, fields))
        return response

    async def GetBoard(self, request: GetBoardRequest, call: CallContext) -> GetBoardResponse:
        """Read one board."""
        response = GetBoardResponse()
        write_board_config(response.board, await self._administration.board(request.board_id))
        return response

    async def ListBoards(self, request: ListBoardsRequest, call: CallContext) -> ListBoardsResponse:
        """Read a page of boards."""
        after = self._tokens.position(request.page_token)
        boards = [each for each in await self._administration.boards() if each.board_id > after]
        boards.sort(key=lambda config: config.board_id)
        response = ListBoardsResponse()
        size = page_size(request.page_size, DEFAULT_PAGE_SIZE)
        written = write_page(response.boards, boards[:size], write_board_config)
        if written < len(boards):
            response.next_page_token = self._tokens.issue(boards[written - 1].board_id)
        return response

    async def DeleteBoard(self, request: DeleteBoardRequest, call: CallContext) -> DeleteBoardResponse:
        """Delete a board."""
        await self._administration.delete(request.board_id, _key(request, call.caller))
        return DeleteBoardResponse()


def _key(request: CreateBoardRequest | DeleteBoardRequest, caller: str) -> RequestKey:
    return RequestKey(caller, request.request_id, request_hash(request))
