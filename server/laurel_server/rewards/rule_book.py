"""The rules that awards follow: kept in memory, read again when another version is in the ledger."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from laurel_server.domain.actions import SEEDED_ACTIONS, ActionConfig
from laurel_server.domain.awards import Rules
from laurel_server.domain.badges import SEEDED_BADGES, BadgeBook, BadgeDefinition
from laurel_server.domain.campaigns import Campaign
from laurel_server.domain.clock import Clock
from laurel_server.domain.errors import LaurelError
from laurel_server.domain.periods import FIRST_MOMENT
from laurel_server.domain.tiers import LIFETIME, TierPolicy
from laurel_server.leaderboards.catalogue import Catalogue
from laurel_server.postgres import badges as badge_rows
from laurel_server.postgres import rules as rule_rows
from laurel_server.postgres.pool import Connection, Pool, ledger_errors
from laurel_server.postgres.turns import FIRST_LIMIT, Turns
from laurel_server.rewards.first_limits import Counted, count_before, count_rest, window_of

FOLLOW_SECONDS = 1.0


class RuleBook:
    """Reads the rules, and changes action configs, campaigns and badge definitions.

    The boards among the rules go on to the catalogue.
    """

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        catalogue: Catalogue,
        zone: tzinfo,
        grace: timedelta,
        tiers: TierPolicy = LIFETIME,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._catalogue = catalogue
        self._first_limits = Turns(pool, FIRST_LIMIT)
        self._rules = Rules(0, {}, (), catalogue.matrix, zone, grace, tiers=tiers)

    async def seed(self) -> None:
        """Give a new ledger the seeded actions and badges, and read all rules. Several servers may do so at once."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('laurel seed rules'))")
            known = {config.action for config in await rule_rows.read_actions(connection)}
            for config in SEEDED_ACTIONS:
                if config.action not in known:
                    await rule_rows.add_action(connection, config, "laurel", self._clock.now())
            defined = {definition.badge_type for definition in await badge_rows.read_definitions(connection)}
            for definition in SEEDED_BADGES:
                if definition.badge_type not in defined:
                    await badge_rows.add_definition(connection, definition, "laurel", self._clock.now())
            await self.seen_by(connection)

    async def at(self, version: int, connection: Connection) -> Rules:
        """Return the rules, read over `connection` unless `version` is the one in memory."""
        if version != self._rules.version:
            actions = {config.action: config for config in await rule_rows.read_actions(connection)}
            campaigns = tuple(await rule_rows.read_campaigns(connection))
            badges = BadgeBook(
                await badge_rows.read_definitions(connection), await badge_rows.read_since(connection)
            )
            self._catalogue.put(await rule_rows.read_boards(connection))
            self._rules = replace(
                self._rules,
                version=version,
                actions=actions,
                campaigns=campaigns,
                badges=badges,
                closed_through=await rule_rows.read_closed_through(connection) or FIRST_MOMENT,
                matrix=self._catalogue.matrix,
                boards=self._catalogue.boards,
            )
        return self._rules

    async def seen_by(self, connection: Connection) -> Rules:
        """Return the rules as a transaction sees them. Cost: one row, if they are those in memory."""
        return await self.at(await rule_rows.read_version(connection), connection)

    async def current(self) -> Rules:
        """Return the rules as they are now. Cost: one round trip unless they have changed. LEDGER_UNAVAILABLE."""
        async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
            return await self.seen_by(connection)

    async def follow(self) -> None:
        """Look for other rules every second, until cancelled: this server may only be asked, and award nothing."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            with suppress(LaurelError):  # the ledger is away: awards and reads say so
                await self.current()

    @property
    def latest_read(self) -> Rules:
        """The rules as last read; the time zone and the grace are always current."""
        return self._rules

    async def close_through(self, moment: datetime) -> Rules:
        """Close the periods that ended at `moment` or before to every award that is begun from now on.

        Returns the rules as of then. Those under way may still count; `postgres.lanes` waits for them.
        """
        async with ledger_errors(), self._pool.acquire() as connection:
            async with connection.transaction():
                await rule_rows.close_through(connection, moment)
            return await self.at(await rule_rows.read_version(connection), connection)

    async def put_action(self, config: ActionConfig, actor: str) -> ActionConfig:
        """Keep a new version of an action config. INVALID_FIELD, FORMULA_INVALID.

        The first limit over time counts what was awarded before it: see `first_limits`.
        """
        config.validate()
        async with ledger_errors():
            version = await self._put(config, actor, None)
            if version is None:
                version = await self._put_first_limit(config, actor)
        return replace(config, version=version)

    async def _put_first_limit(self, config: ActionConfig, actor: str) -> int:
        """Count what was awarded before, and add the version. One at a time: one would undo what the other kept."""
        async with self._first_limits.turn():
            version = await self._put(config, actor, None)
            while version is None:
                window = window_of(config, self._clock.now(), self._rules.zone)
                counted = await count_before(self._pool, config, window, self._clock.now())
                version = await self._put(config, actor, counted)
            return version

    async def _put(self, config: ActionConfig, actor: str, counted: Counted | None) -> int | None:
        """Add a version; None where what was awarded before must be counted first, or anew on another day."""
        async with self._pool.acquire() as connection, connection.transaction():
            await rule_rows.lock_actions(connection)
            now = self._clock.now()
            if config.is_limited and await _was_unlimited(connection, config.action):
                if counted is None or counted.window.day != window_of(config, now, self._rules.zone).day:
                    return None
                await rule_rows.hold_back_batches(connection)
                await count_rest(connection, config, counted, now)
            return await rule_rows.add_action(connection, config, actor, now)

    async def put_campaign(self, campaign: Campaign, actor: str) -> Campaign:
        """Keep a new version of a campaign; what it has spent stays. INVALID_FIELD."""
        campaign.validate()
        async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
            await rule_rows.add_campaign(connection, campaign, actor, self._clock.now())
            stored = await rule_rows.read_campaigns(connection)
        return next(each for each in stored if each.campaign_id == campaign.campaign_id)

    async def put_badge(self, definition: BadgeDefinition, actor: str) -> BadgeDefinition:
        """Keep a new version of a badge definition. INVALID_FIELD, FORMULA_INVALID."""
        definition.validate()
        async with ledger_errors(), self._pool.acquire() as connection, connection.transaction():
            counted = BadgeBook(await badge_rows.read_definitions(connection)).counted
            version = await badge_rows.add_definition(connection, definition, actor, self._clock.now())
            uncounted = BadgeBook([definition]).counted - counted
            if uncounted:
                await badge_rows.forget_counts(connection, uncounted)
        return replace(definition, version=version)

    async def badges(self) -> Sequence[BadgeDefinition]:
        """Return all badge definitions by type."""
        async with ledger_errors():
            return await badge_rows.read_definitions(self._pool)

    async def actions(self) -> Sequence[ActionConfig]:
        """Return all action configs by name."""
        async with ledger_errors(), self._pool.acquire() as connection:
            return await rule_rows.read_actions(connection)

    async def campaigns(self) -> Sequence[Campaign]:
        """Return all campaigns by id."""
        async with ledger_errors(), self._pool.acquire() as connection:
            return await rule_rows.read_campaigns(connection)


async def _was_unlimited(connection: Connection, action: str) -> bool:
    """Whether there may be awards that nobody has counted; of an action that is new there are none."""
    known = {config.action: config for config in await rule_rows.read_actions(connection)}
    return action in known and not known[action].is_limited
