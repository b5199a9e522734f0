"""The one Dagster resource of the house: hands assets and sensors plain objects (settings, an engine, a clock)."""

from datetime import datetime
from functools import cached_property

import dagster as dg
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.env_file import env_file_variables
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import WAKE_S, create_platform_engine
from sentiment_platform.times.own import own_moment


class PlatformResource(dg.ConfigurableResource["PlatformResource"]):
    """What an asset needs from outside. Everything is read when first asked for, so importing definitions touches nothing.

    `overrides` replaces environment variables; tests and the local stack use it to aim at their own servers.
    """

    overrides: dict[str, str] = {}  # noqa: RUF012  a pydantic field, copied for each instance
    fixed_now: str = ""
    """ISO 8601 time that replaces the clock, for simulations; empty means the system clock."""

    @cached_property
    def _settings(self) -> Settings:
        return Settings.from_environment(self.environment())

    @cached_property
    def _engine(self) -> Engine:
        # A run may be the first after hours to ask a serverless database, which has to wake.
        return create_platform_engine(self._settings.require("database_url"), wake_s=WAKE_S)

    def environment(self) -> dict[str, str]:
        """`.env`, over it the environment and the overrides; for what configuration names, such as the key of a news source."""
        import os

        return {**env_file_variables(), **os.environ, **self.overrides}

    def settings(self) -> Settings:
        """The settings of this process."""
        return self._settings

    def engine(self) -> Engine:
        """The platform's database; one pool a process."""
        return self._engine

    def now(self) -> datetime:
        """The current time, aware UTC."""
        return own_moment(self.fixed_now) if self.fixed_now else utc_now()

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Close the pool at the end of a run."""
        del context
        if "_engine" in self.__dict__:
            self._engine.dispose()
