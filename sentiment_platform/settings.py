"""Every environment variable the platform reads, named once, with its unit, default and meaning.

Settings are read when asked (`Settings.from_environment()`), never at import (but for `setting_values.first_day`). A value comes from the shell, else from `.env` of the
working folder (`sentiment_platform.env_file`), else from a running local stack. Code below the command line takes a `Settings` or
single values as arguments; it does not look at the environment. Values that are secrets are masked in `describe()`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from sentiment_platform.errors import SettingsError
from sentiment_platform.serving_settings import ServingSettings, setting
from sentiment_platform.setting_values.addresses import DIRECT_REMEDY, pooler_of
from sentiment_platform.setting_values.first_day import DEFAULT_FIRST_DAY
from sentiment_platform.setting_values.production import Refusal, misspelt, refusals
from sentiment_platform.times.own import own_day

_READ: dict[Any, Any] = {date: own_day}
_KINDS: dict[Any, str] = {int: "whole number", float: "number", date: "date such as 2026-01-31"}


@dataclass(frozen=True, kw_only=True)
class _PlatformSettings:
    environment: str = setting("SENTIMENT_ENV", "development", "`development` or `production`; production refuses weak values.")
    state_dir: Path = setting(
        "SENTIMENT_STATE_DIR", ".sentiment", "Folder for everything local: database files, journal, model cache, keys."
    )
    database_url: str = setting(
        "DATABASE_URL", "", "PostgreSQL, `postgresql://user:password@host/database`. Unset: a local PostgreSQL.", secret=True
    )
    database_direct_url: str = setting(
        "DATABASE_DIRECT_URL",
        "",
        "PostgreSQL without a transaction-mode pooler, for Dagster's storage and migrations. Unset: DATABASE_URL.",
        secret=True,
    )
    redis_url: str = setting(
        "REDIS_URL", "", "Redis, `rediss://:password@host:port/0` (`redis:` without TLS). Unset: a local Redis.", secret=True
    )
    executor: str = setting(
        "SENTIMENT_EXECUTOR", "here", "Who does the steps of score_job and train_job: `here`, or `celery` workers."
    )
    broker_url: str = setting(
        "SENTIMENT_BROKER_URL", "", "Redis of the workers alone, `noeviction`, two databases from its own on.", secret=True
    )
    visibility_s: int = setting(
        "SENTIMENT_VISIBILITY_S", "0", "Seconds until a dead worker's step is given away. 0: the queue's own."
    )
    trusted_network: str = setting(
        "SENTIMENT_TRUSTED_NETWORK",
        "",
        "Hosts on a network of your own, which production may reach without TLS, separated by commas: `postgres,redis`. Unset: none.",
    )
    registry_repository: str = setting(
        "SENTIMENT_REGISTRY_REPOSITORY",
        "",
        "GitHub repository `owner/name` whose releases are the registry. Unset: a local server.",
    )
    registry_url: str = setting(
        "SENTIMENT_REGISTRY_URL",
        "https://api.github.com",
        "Base URL of the GitHub REST API (GitHub Enterprise: `https://host/api/v3`).",
    )
    registry_token: str = setting(
        "SENTIMENT_REGISTRY_TOKEN",
        "",
        "GitHub token; publishing needs `contents: write`, serving reads public releases without.",
        secret=True,
    )
    signing_keys: str = setting(
        "SENTIMENT_SIGNING_KEYS",
        "",
        "Private ed25519 keys, `model=<base64>,operator=<base64>`; either may be absent. Serving never needs them.",
        secret=True,
    )
    public_keys: str = setting(
        "SENTIMENT_PUBLIC_KEYS",
        "",
        "Public ed25519 keys that are trusted, `model=<base64>,operator=<base64>`; repeat a name to rotate.",
    )
    transformer_base: str = setting(
        "TRANSFORMER_BASE",
        "ProsusAI/finbert",
        "Base of the transformer: a hub id, a directory, `packaged:minilm` or `packaged:mpnet` (encoders that wheels carry).",
    )
    feeds: str = setting("SENTIMENT_FEEDS", "", "News feeds to collect: comma-separated `name=url` pairs (RSS or Atom).")
    sources: str = setting(
        "SENTIMENT_SOURCES",
        "",
        "Sources of the catalogue to switch on, by name, and TOML files with sources of your own: `tiingo,sec,./sources.toml`.",
    )
    allow_private_hosts: str = setting(
        "SENTIMENT_ALLOW_PRIVATE_HOSTS",
        "no",
        "`yes` lets collection fetch from loopback and private addresses (local feed server).",
    )
    contact: str = setting("SENTIMENT_CONTACT", "", "Mail address or URL put into the User-Agent when feeds are fetched.")
    price_source: str = setting(
        "SENTIMENT_PRICE_SOURCE", "", "Where daily prices come from: `tiingo` or `polygon`. Unset: imported archives only."
    )
    price_symbols: str = setting("SENTIMENT_PRICE_SYMBOLS", "", "Symbols whose daily prices are fetched, separated by commas.")
    price_key: str = setting(
        "SENTIMENT_PRICE_KEY", "", "Key of the price source. Unset: nothing is fetched, and the asset says so.", secret=True
    )
    market_symbol: str = setting(
        "SENTIMENT_MARKET_SYMBOL",
        "",
        "Symbols whose prices stand for the market in outcomes (an index fund), one an exchange. Elsewhere: the mean of its other symbols.",
    )
    feature_schemas: str = setting(
        "SENTIMENT_FEATURE_SCHEMAS",
        "v1",
        "Feature schemas that are computed and stored, separated by commas: `v1`, or `v1,v2`. Models are trained on v1.",
    )
    first_day: date = setting(
        "SENTIMENT_FIRST_DAY",
        DEFAULT_FIRST_DAY,
        "First day that news and prices have a partition for; `demo` and `up` begin with the month of the first article where it is unset.",
    )
    serving_url: str = setting(
        "SENTIMENT_SERVING_URL", "", "Where monitoring asks serving whether it runs what was deployed. Unset: it is not asked."
    )
    dagster_url: str = setting(
        "SENTIMENT_DAGSTER_URL",
        "",
        "Address of the Dagster UI as browsers reach it, `http://127.0.0.1:3000`: pages link runs to it. Unset: no links.",
    )
    alert_webhook: str = setting(
        "SENTIMENT_ALERT_WEBHOOK", "", "URL that alerts are posted to as signed JSON. Unset: none is sent.", secret=True
    )
    alert_secret: str = setting(
        "SENTIMENT_ALERT_SECRET", "", "Secret of the HMAC-SHA256 signature on alerts; needed where a webhook is set.", secret=True
    )
    runbook_url: str = setting(
        "SENTIMENT_RUNBOOK_URL",
        "sentiment_platform/alerts/RUNBOOK.md",
        "Page that alerts link to for what to do, without anchor; set it to where your copy is published.",
    )


@dataclass(frozen=True, kw_only=True)
class Settings(ServingSettings, _PlatformSettings):
    """The platform's configuration; an empty value means "not set".

    An empty `database_url`, `redis_url` or `registry_repository` makes the local stack start its own part.
    """

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from `environ` (default: the process environment).

        Raises:
            SettingsError: a value cannot be read as its type or is a number that means nothing, or production is asked to run with a weak value.
        """
        source = os.environ if environ is None else environ
        texts = {item.metadata["variable"]: _text(source, item.metadata) for item in fields(cls)}
        unreadable: list[Refusal] = []
        values: dict[str, Any] = {}
        for item in fields(cls):
            variable = item.metadata["variable"]
            raw = texts[variable]
            try:
                read = _READ.get(item.type, item.type)
                values[item.name] = read(raw) if callable(read) else raw
            except ValueError:
                unreadable.append(Refusal(variable, f"{raw!r} is no {_KINDS[item.type]}", item.metadata["doc"]))
        if (environment := texts["SENTIMENT_ENV"]) not in ("development", "production"):
            unreadable.append(Refusal("SENTIMENT_ENV", f"{environment!r} is unknown", "Use `development` or `production`."))
        refused = [*unreadable, *refusals(texts)]
        if environment == "production":
            _refuse("Production does not run with", [*refused, *misspelt(source, texts)])
        _refuse("The settings cannot be used", refused)
        settings = cls(**values)
        settings._refuse_pooler()
        return settings

    def _refuse_pooler(self) -> None:
        if sign := pooler_of(self.database_direct_url):
            raise SettingsError(f"DATABASE_DIRECT_URL names a transaction-mode pooler ({sign}).", remedy=DIRECT_REMEDY)

    def require(self, name: str) -> str:
        """The value of setting `name`, or an error that names its variable and what it is for."""
        value = str(getattr(self, name))
        if not value:
            item = next(item for item in fields(self) if item.name == name)
            raise SettingsError(f"{item.metadata['variable']} is not set.", remedy=item.metadata["doc"])
        return value

    def direct_database_url(self) -> str:
        """The database URL without a pooler, refused with a clear message where only a pooled one is known."""
        url = self.database_direct_url or self.require("database_url")
        if sign := pooler_of(url):
            raise SettingsError(
                f"DATABASE_URL names a transaction-mode pooler ({sign}) and DATABASE_DIRECT_URL is not set.",
                remedy=DIRECT_REMEDY,
            )
        return url

    def describe(self) -> dict[str, str]:
        """Variable -> value as text, secrets masked; what `doctor` prints."""
        shown: dict[str, str] = {}
        for item in fields(self):
            value = str(getattr(self, item.name))
            shown[item.metadata["variable"]] = "********" if item.metadata["secret"] and value else value
        return shown


def _text(source: Mapping[str, str], described: Mapping[str, Any]) -> str:
    return source.get(described["variable"], "").strip() or str(described["default"])


def _refuse(what: str, refused: Sequence[Refusal]) -> None:
    """Name all of them at once, one a line."""
    if refused:
        lines = "".join(f"\n  {one}" for one in refused)
        raise SettingsError(f"{what}:{lines}\n", remedy="Where variables come from, and which wins: .env.example.")


def documentation() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, in declaration order; `.env.example` is tested against it."""
    return [(item.metadata["variable"], item.metadata["default"], item.metadata["doc"]) for item in fields(Settings)]
