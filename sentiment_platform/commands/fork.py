"""What a fork needs for its workflows: the checks of `setup`, and the lines that hand over secrets and variables.

A secret is never printed. It lies in a file of its own, which only its owner can read, and `gh` reads it from there.
"""

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.diagnosis import look_at_database, look_at_redis, look_at_registry
from sentiment_platform.errors import PlatformError, SettingsError
from sentiment_platform.local.parts.secrets import kept_secret, signing_environment
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform.setting_values.production import refusals
from sentiment_platform.settings import Settings

FOLDER = "setup"
KEYS_FILE = "keys.env"
"""Both lists of keys that were made here, as lines for a `.env`."""
NEEDED_SECRETS = ("DATABASE_URL", "REDIS_URL", "SENTIMENT_SIGNING_KEYS")
OPTIONAL_SECRETS = (
    "DATABASE_DIRECT_URL",
    "SENTIMENT_PRICE_KEY",
    "SENTIMENT_ALERT_WEBHOOK",
    "SENTIMENT_ALERT_SECRET",
    "PIPELINE_HEARTBEAT_URL",
)
"""Beside the keys of news sources, which the catalogue names."""
VARIABLES = (
    "SENTIMENT_PUBLIC_KEYS",
    "SENTIMENT_FEEDS",
    "SENTIMENT_SOURCES",
    "SENTIMENT_CONTACT",
    "SENTIMENT_PRICE_SOURCE",
    "SENTIMENT_PRICE_SYMBOLS",
    "SENTIMENT_MARKET_SYMBOL",
    "SENTIMENT_FEATURE_SCHEMAS",
    "SENTIMENT_FIRST_DAY",
    "SENTIMENT_SERVING_URL",
    "SENTIMENT_RUNBOOK_URL",
    "TRANSFORMER_BASE",
)
WORKFLOWS = ("pipeline.yml", "keep-alive.yml")
FIRST_JOBS = ("train_job", "tick")
"""Run once, by hand: the first lets something answer, the second is what the schedule repeats."""


@dataclass(frozen=True)
class Check:
    """One thing looked at. `later` is what may be missing without harm; `words` end with what to do where it is not `ok`."""

    subject: str
    state: Literal["ok", "later", "missing"]
    words: str


def with_keys(settings: Settings) -> Settings:
    """`settings` with both pairs of keys: those that are set, else those of an earlier call, else new ones; the two are kept as files."""
    if settings.signing_keys:
        public = settings.public_keys or PrivateKeys.parse(settings.signing_keys).public().text()
        return replace(settings, public_keys=public)
    folder = settings.state_dir / FOLDER
    made = signing_environment(folder)
    _write_secret(folder, "SENTIMENT_SIGNING_KEYS", made["SENTIMENT_SIGNING_KEYS"])
    _write_secret(folder, KEYS_FILE, "".join(f"{name}={value}\n" for name, value in made.items()))
    return replace(
        settings, signing_keys=made["SENTIMENT_SIGNING_KEYS"], public_keys=settings.public_keys or made["SENTIMENT_PUBLIC_KEYS"]
    )


def checks(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """Look at everything, one after the other; `settings` are those of `with_keys`."""
    looks: dict[str, Callable[[], Check | str]] = {
        "Signing keys": lambda: _keys(settings, environ),
        "PostgreSQL": lambda: _database(settings),
        "Redis": lambda: _redis(settings),
        "Registry": lambda: _registry(settings),
        "Labels": lambda: _labels(settings),
        "News": lambda: _news(settings, environ),
        "Alerts": lambda: _alerts(settings),
        "Values": lambda: _values(settings, environ),
    }
    for subject, look in looks.items():
        try:
            looked = look()
            yield looked if isinstance(looked, Check) else Check(subject, "ok", looked)
        except PlatformError as error:
            yield Check(subject, "missing", str(error))


def commands(settings: Settings, environ: Mapping[str, str], *, ready: bool) -> list[str]:
    """Lines for a shell, in their order; what is not set has none, and the pipeline is started once all is `ready`.

    The secrets are written into their files here.
    """
    if not settings.registry_repository:
        return []
    values = {**environ, "SENTIMENT_SIGNING_KEYS": settings.signing_keys, "SENTIMENT_PUBLIC_KEYS": settings.public_keys}
    host = urlsplit(settings.registry_url).netloc
    place = settings.registry_repository if host == "api.github.com" else f"{host}/{settings.registry_repository}"
    repository = f"--repo {shlex.quote(place)}"
    lines: list[str] = []
    for name in (*NEEDED_SECRETS, *OPTIONAL_SECRETS, *vendor_keys(settings, environ)):
        if value := values.get(name, "").strip():
            path = _write_secret(settings.state_dir / FOLDER, name, value)
            lines.append(f"gh secret set {name} {repository} < {shlex.quote(str(path))}")
    set_variables = {name: value for name in VARIABLES if (value := values.get(name, "").strip())}
    lines += [f"gh variable set {name} {repository} --body {shlex.quote(value)}" for name, value in set_variables.items()]
    if not ready:
        return lines
    lines += [f"gh workflow enable {workflow} {repository}" for workflow in WORKFLOWS]
    return lines + [f"gh workflow run {WORKFLOWS[0]} {repository} -f job={job}" for job in FIRST_JOBS]


def vendor_keys(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """The variables that hold keys of news sources, whether such a source is on or not."""
    from sentiment_platform.news.sources.configured import configured_sources

    try:
        sources = configured_sources(settings, environ)
    except SettingsError:
        # Check "News" says what is wrong.
        return []
    return sorted({auth.variable for source in sources if (auth := getattr(source.entry, "auth", None))})


def _write_secret(folder: Path, name: str, value: str) -> Path:
    path = folder / name
    if not path.exists() or path.read_text() != value:
        path.unlink(missing_ok=True)
        kept_secret(folder, name, lambda: value)
    return path


def _values(settings: Settings, environ: Mapping[str, str]) -> str:
    """The workflows run as production, which refuses weak values; what is not handed over is not judged."""
    handed = (*NEEDED_SECRETS, *OPTIONAL_SECRETS, *VARIABLES, "SENTIMENT_REGISTRY_REPOSITORY")
    keys = {"SENTIMENT_SIGNING_KEYS": settings.signing_keys, "SENTIMENT_PUBLIC_KEYS": settings.public_keys}
    given = {name: value for name in handed if (value := {**environ, **keys}.get(name, "").strip())}
    production = {**given, "SENTIMENT_ENV": "production"}
    if refused := [one for one in refusals(production) if one.variable in given]:
        raise SettingsError(
            f"Production refuses {'; '.join(f'{one.variable}: {one.why}' for one in refused)}.",
            remedy=" ".join(dict.fromkeys(one.remedy for one in refused)),
        )
    return "production takes them"


def _required(settings: Settings, name: str, variable: str, what: str) -> None:
    """What is left to the local stack elsewhere has to be set for a fork."""
    if not getattr(settings, name):
        raise SettingsError(f"{variable} is not set.", remedy=f"Put {what} into .env.")


def _database(settings: Settings) -> str:
    _required(settings, "database_url", "DATABASE_URL", "the address of a PostgreSQL that GitHub's machines reach")
    return look_at_database(settings)


def _redis(settings: Settings) -> str:
    _required(settings, "redis_url", "REDIS_URL", "the address of a Redis that GitHub's machines reach")
    return look_at_redis(settings)


def _keys(settings: Settings, environ: Mapping[str, str]) -> str:
    RegistryAccess(settings).require_keys("model", "operator")
    made_here = settings.signing_keys != environ.get("SENTIMENT_SIGNING_KEYS", "").strip()
    where = f"; keep a copy of {settings.state_dir / FOLDER / KEYS_FILE}, GitHub never shows them again"
    return "a model and an operator key, and the trusted pair of each" + (where if made_here else "")


def _registry(settings: Settings) -> Check:
    _required(settings, "registry_repository", "SENTIMENT_REGISTRY_REPOSITORY", "owner/name of your fork")
    said = look_at_registry(settings)
    if not settings.registry_token:
        words = 'whether you may publish shows with a token: SENTIMENT_REGISTRY_TOKEN="$(gh auth token)" sentiment-platform setup'
        return Check("Registry", "later", f"{said}; {words}")
    if RegistryAccess(settings).may_publish(utc_now):
        return Check("Registry", "ok", f"{said}; the token may publish")
    return Check("Registry", "missing", f"{said}, but the token may not write. Give it `contents: write`, or name your own fork.")


def _labels(settings: Settings) -> Check:
    from sqlalchemy import inspect

    from sentiment_platform.labels.examples import TRAINABLE
    from sentiment_platform.store.engine import create_platform_engine
    from sentiment_platform.store.labels import any_label

    if not settings.database_url:
        return Check("Labels", "later", "known once there is a database")
    engine = create_platform_engine(settings.direct_database_url())
    try:
        known = inspect(engine).has_table("labels", schema="platform")
        with engine.connect() as connection:
            some = known and any_label(connection, TRAINABLE)
    finally:
        engine.dispose()
    words = "none yet, so the versions that the platform ships answer; `sentiment-platform labels import FILE` brings yours"
    return Check("Labels", "ok", "there are some to train on") if some else Check("Labels", "later", words)


def _news(settings: Settings, environ: Mapping[str, str]) -> str:
    """What each chosen source brings at this moment, asked once as `news try` does."""
    from sentiment_platform.news.collect.trial import try_source
    from sentiment_platform.news.sources.configured import HOW_TO_CHOOSE, configured_sources

    chosen = [source for source in configured_sources(settings, environ) if source.chosen and source.source.live]
    if not chosen:
        raise SettingsError("No source of news is chosen.", remedy=HOW_TO_CHOOSE)
    trials = [try_source(source, settings, utc_now()) for source in chosen]
    return ", ".join(f"{trial.source} {len(trial.accepted)} items" for trial in trials)


def _alerts(settings: Settings) -> Check:
    if not settings.alert_webhook:
        return Check("Alerts", "later", "nobody is told; SENTIMENT_ALERT_WEBHOOK and SENTIMENT_ALERT_SECRET tell a webhook")
    settings.require("alert_secret")
    return Check("Alerts", "ok", "a webhook hears of them")
