"""A real gRPC server in this process, with stand-ins for the use cases, and a client of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import cast

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from laurel.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from laurel.leaderboard.v1.leaderboard_service_pb2_grpc import LeaderboardServiceStub
from laurel.ranking.v1.ranking_service_pb2_grpc import RankingServiceStub
from laurel.rewards.v1.rewards_service_pb2_grpc import RewardsServiceStub
from laurel.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from laurel_server.domain.clock import SandboxClock
from laurel_server.domain.errors import Reason
from laurel_server.rpc.admin import AdminServicer
from laurel_server.rpc.badges_admin import BadgesAdminServicer
from laurel_server.rpc.boards_admin import BoardsAdminServicer
from laurel_server.rpc.callers import Callers
from laurel_server.rpc.corrections import CorrectionsServicer
from laurel_server.rpc.health import Health
from laurel_server.rpc.ingest import IngestServicer
from laurel_server.rpc.interceptors.admission import Admission, AdmissionLimits
from laurel_server.rpc.interceptors.chain import standard_chain
from laurel_server.rpc.interceptors.deadline import DeadlineBounds
from laurel_server.rpc.jobs import JobsServicer
from laurel_server.rpc.leaderboards import LeaderboardsServicer
from laurel_server.rpc.notifications import NotificationsServicer
from laurel_server.rpc.people import PeopleServicer
from laurel_server.rpc.periods import PeriodsServicer
from laurel_server.rpc.rank_history import RankHistoryServicer
from laurel_server.rpc.ranking import RankingServicer
from laurel_server.rpc.rewards import RewardsServicer
from laurel_server.rpc.sandbox import SandboxServicer
from laurel_server.rpc.scores import ScoresServicer
from laurel_server.rpc.server import ServerOptions, build_server, listen
from laurel_server.rpc.spending import SpendingServicer
from laurel_server.rpc.statements import StatementsServicer
from laurel_server.rpc.trends import TrendsServicer
from tests.integration.rpc.stand_in_admin import (
    StandInBoardAdministration,
    StandInMaintenance,
    StandInPeople,
    StandInPreferences,
    StandInProfiles,
    StandInRuleBook,
)
from tests.integration.rpc.stand_in_clock import StandInClock
from tests.integration.rpc.stand_in_jobs import StandInJobs
from tests.integration.rpc.stand_in_leaderboards import StandInBoards, StandInScores, StandInWatches
from tests.integration.rpc.stand_in_periods import StandInPeriods
from tests.integration.rpc.stand_in_ranking import (
    StandInAchievements,
    StandInBadges,
    StandInStanding,
    StandInTrends,
)
from tests.integration.rpc.stand_in_rewards import (
    StandInAwards,
    StandInCorrections,
    StandInExplaining,
    StandInHolds,
    StandInSpending,
    StandInStatement,
)
from tests.unit.rpc.samples import NOW


@dataclass
class Served:
    """The server with all that it calls."""

    awards: StandInAwards = field(default_factory=StandInAwards)
    statement: StandInStatement = field(default_factory=StandInStatement)
    spending: StandInSpending = field(default_factory=StandInSpending)
    holds: StandInHolds = field(default_factory=StandInHolds)
    corrections: StandInCorrections = field(default_factory=StandInCorrections)
    explaining: StandInExplaining = field(default_factory=StandInExplaining)
    boards: StandInBoards = field(default_factory=StandInBoards)
    preferences: StandInPreferences = field(default_factory=StandInPreferences)
    trends: StandInTrends | None = field(default_factory=StandInTrends)
    profiles: StandInProfiles = field(default_factory=StandInProfiles)
    badges: StandInBadges = field(default_factory=StandInBadges)
    standing: StandInStanding = field(default_factory=StandInStanding)
    rule_book: StandInRuleBook = field(default_factory=StandInRuleBook)
    people: StandInPeople = field(default_factory=StandInPeople)
    scores: StandInScores = field(default_factory=StandInScores)
    board_admin: StandInBoardAdministration = field(default_factory=StandInBoardAdministration)
    maintenance: StandInMaintenance = field(default_factory=StandInMaintenance)
    periods: StandInPeriods = field(default_factory=StandInPeriods)
    jobs: StandInJobs = field(default_factory=StandInJobs)
    clock: StandInClock = field(default_factory=StandInClock)
    watches: StandInWatches = field(default_factory=StandInWatches)
    health: Health = field(default_factory=Health)
    limits: AdmissionLimits = field(default_factory=AdmissionLimits)
    deadlines: DeadlineBounds = field(default_factory=DeadlineBounds)
    page_max_age: float = (
        60.0  # seconds; that of the product is shorter than a busy machine may take for ten calls
    )
    clock_runs: bool = True
    callers: Callers | None = None
    max_in_flight: int = 1024
    admission: Admission = field(init=False)
    ingest: IngestServicer = field(init=False)
    port: int = field(init=False)
    channel: grpc.aio.Channel = field(init=False)

    def __post_init__(self) -> None:
        self.admission = Admission(self.limits)
        self.ingest = IngestServicer(self.awards, self.max_in_flight, max_chunk=64)

    @property
    def rewards(self) -> RewardsServiceStub:
        """Client of RewardsService."""
        return RewardsServiceStub(self.channel)

    @property
    def leaderboards(self) -> LeaderboardServiceStub:
        """Client of LeaderboardService."""
        return LeaderboardServiceStub(self.channel)

    @property
    def ranking(self) -> RankingServiceStub:
        """Client of RankingService."""
        return RankingServiceStub(self.channel)

    @property
    def admin(self) -> AdminServiceStub:
        """Client of AdminService."""
        return AdminServiceStub(self.channel)

    @property
    def sandbox(self) -> SandboxServiceStub:
        """Client of SandboxService."""
        return SandboxServiceStub(self.channel)

    async def call(self, method: str, request: bytes, **options: object) -> bytes:
        """Call `/SERVICE/METHOD` with bytes."""
        answer: bytes = await self.channel.unary_unary(method)(request, **options)  # type: ignore[arg-type]
        return answer

    async def build(self) -> grpc.aio.Server:
        """Return the server, which does not listen yet."""
        servicers = (
            RewardsServicer(self.awards),
            self.ingest,
            SpendingServicer(self.spending, self.holds),
            CorrectionsServicer(self.corrections),
            StatementsServicer(self.statement, self.explaining),
            LeaderboardsServicer(self.boards, self.page_max_age, clock_runs=self.clock_runs),
            self.watches,
            StandInAchievements(),
            RankingServicer(self.boards, self.standing, self.badges, self.rule_book),
            PeriodsServicer(self.boards, self.periods, self.periods),
            RankHistoryServicer(self.boards, self.periods),
            BadgesAdminServicer(self.rule_book),
            TrendsServicer(self.trends, self.boards, SandboxClock(NOW), UTC),
            AdminServicer(self.profiles, self.rule_book, self.boards, self.maintenance),
            BoardsAdminServicer(self.board_admin),
            ScoresServicer(self.scores),
            PeopleServicer(self.people, self.profiles),
            JobsServicer(self.jobs),
            NotificationsServicer(self.preferences),
            SandboxServicer(self.clock),
        )
        chain = standard_chain(self.admission, self.deadlines, callers=self.callers)
        return await build_server(servicers, chain, ServerOptions(), self.health)


@asynccontextmanager
async def serving(served: Served) -> AsyncIterator[Served]:
    """Serve on a free port while the context lasts."""
    server = await served.build()
    served.port = listen(server, "127.0.0.1", 0)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{served.port}") as served.channel:
            yield served
    finally:
        await server.stop(1)


@dataclass
class Refusal:
    """What a client learns of an error."""

    code: grpc.StatusCode
    status: Status
    info: ErrorInfo | None = None
    fields: dict[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    metadata: dict[str, str | bytes] = field(default_factory=dict)


@contextmanager
def refused(reason: Reason) -> Iterator[Refusal]:
    """Expect a status with that reason and its code; what else it says is there after the context."""
    refusal = Refusal(grpc.StatusCode.OK, Status())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield refusal
    refusal.__dict__ |= refusal_of(caught.value).__dict__
    assert refusal.info is not None
    assert (refusal.info.reason, refusal.info.domain) == (reason.value, "laurel")
    assert refusal.code is grpc.StatusCode[reason.code]


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """Return what `error` says."""
    status = rpc_status.from_call(cast("grpc.Call", error)) or Status(
        code=error.code().value[0], message=error.details() or ""
    )
    refusal = read_status(status)
    refusal.metadata = dict(error.trailing_metadata() or ())
    return refusal


def read_status(status: Status) -> Refusal:
    """Return the details of `status`, of a call or of one item of a batch."""
    codes = {code.value[0]: code for code in grpc.StatusCode}
    refusal = Refusal(codes[status.code], status)
    for packed in status.details:
        _read_detail(packed.TypeName(), packed.value, refusal)
    return refusal


def _read_detail(name: str, value: bytes, refusal: Refusal) -> None:
    if name == _name(ErrorInfo):
        refusal.info = ErrorInfo.FromString(value)
    elif name == _name(BadRequest):
        broken = BadRequest.FromString(value).field_violations
        refusal.fields = {violation.field: violation.description for violation in broken}
    elif name == _name(RetryInfo):
        refusal.retry_after = RetryInfo.FromString(value).retry_delay.ToTimedelta().total_seconds()


def _name(message: type[Message]) -> str:
    return message.DESCRIPTOR.full_name
