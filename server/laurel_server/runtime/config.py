"""Every setting, in one frozen tree that is read from the environment once, at start.

A part is one class; the name of a variable is the part's prefix and the field's name in capitals
(`Grpc.max_message_bytes` is `LAUREL_GRPC_MAX_MESSAGE_BYTES`) unless the field names its own. An empty
variable counts as unset. To add a setting, add a field with a range and a docstring; nothing else has to know
it.
"""

from pydantic import BaseModel, ConfigDict, Field

from laurel_server.runtime.config_outside import Analytics, Devstack, Events, Notifications, Telemetry
from laurel_server.runtime.config_program import Boards, Expiry, Jobs, Ledger, Program, Repair, Sandbox, Tiers
from laurel_server.runtime.config_serving import Auth, Grpc, Http, Ingest, Jwt, Operations, Reads, Watch


class Settings(BaseModel):
    """The whole tree."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    devstack: Devstack = Field(default_factory=Devstack)
    grpc: Grpc = Field(default_factory=Grpc)
    http: Http = Field(default_factory=Http)
    operations: Operations = Field(default_factory=Operations)
    ledger: Ledger = Field(default_factory=Ledger)
    ingest: Ingest = Field(default_factory=Ingest)
    boards: Boards = Field(default_factory=Boards)
    reads: Reads = Field(default_factory=Reads)
    watch: Watch = Field(default_factory=Watch)
    repair: Repair = Field(default_factory=Repair)
    events: Events = Field(default_factory=Events)
    notifications: Notifications = Field(default_factory=Notifications)
    analytics: Analytics = Field(default_factory=Analytics)
    auth: Auth = Field(default_factory=Auth)
    jwt: Jwt = Field(default_factory=Jwt)
    sandbox: Sandbox = Field(default_factory=Sandbox)
    tiers: Tiers = Field(default_factory=Tiers)
    program: Program = Field(default_factory=Program)
    jobs: Jobs = Field(default_factory=Jobs)
    expiry: Expiry = Field(default_factory=Expiry)
    telemetry: Telemetry = Field(default_factory=Telemetry)
