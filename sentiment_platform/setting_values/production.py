"""What production refuses, and which numbers every environment does: one table, a rule a line, read from top to bottom.

A rule belongs here when a value works and is dangerous all the same, or cannot work and would only show it later. A number that is none
`settings` refuses. How a rule judges is in the files beside this one.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from sentiment_platform.errors import SettingsError
from sentiment_platform.setting_values import addresses
from sentiment_platform.setting_values.addresses import (
    Judge,
    everybody,
    no_host_names,
    no_url_of,
    open_origins,
    unencrypted_http,
    unencrypted_postgres,
    unencrypted_redis,
    unencrypted_registry,
    with_credentials,
    without_strong_password,
)
from sentiment_platform.setting_values.secrets import guessable, key_pairs

LEAST_SECRET_CHARACTERS = 24
LEAST_TOKEN_CHARACTERS = 20
DAY_S = 86_400
DATABASES = ("DATABASE_URL", "DATABASE_DIRECT_URL")
REDIS_SERVERS = ("REDIS_URL", "SENTIMENT_BROKER_URL")
KEYS = ("SENTIMENT_PUBLIC_KEYS", "SENTIMENT_SIGNING_KEYS")
NEEDED = ("DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY", "SENTIMENT_PUBLIC_KEYS")
_SET_BY_HOSTS = re.compile(r"_(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d+_\w+)?)$")
"""Kubernetes names such variables after services; nobody has misspelt anything."""


@dataclass(frozen=True)
class Refusal:
    """One value that production does not run with. Nothing in it quotes a secret."""

    variable: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.why}. {self.remedy}"


@dataclass(frozen=True)
class Rule:
    """What is judged of which variables, and what to do about it. Variables without a value are judged by `NEEDED` alone.

    Attributes:
        everywhere: whether no environment takes what it refuses.
    """

    variables: tuple[str, ...]
    judge: Judge
    remedy: str
    everywhere: bool = False


def _no_match(pattern: str, why: str) -> Judge:
    return lambda value, _: "" if re.fullmatch(pattern, value) else why


def _number(
    variable: str, possible: tuple[float, float], unit: str, unset: str, *, production: tuple[float, float] | None = None
) -> Rule:
    """The least and the most that a number can mean, and what production takes of that; what is no number, `settings` has refused."""

    def judge(value: str, values: Mapping[str, str]) -> str:
        least, most = production if production and _is_production(values) else possible
        try:
            number = float(value)
        except ValueError:
            return ""
        within = math.isfinite(number) and least <= number <= most
        return "" if within else f"{value} is not between {least:.15g} and {most:.15g} {unit}"

    return Rule((variable,), judge, f"Unset it for {unset}.", everywhere=True)


def _is_production(values: Mapping[str, str]) -> bool:
    return values.get("SENTIMENT_ENV") == "production"


def _weak_secret(least: int) -> Judge:
    def judge(value: str, _: Mapping[str, str]) -> str:
        weakness = guessable(value, least)
        return f"it {weakness}" if weakness else ""

    return judge


def _unreadable_keys(value: str, _: Mapping[str, str]) -> str:
    """Garbage, and keys whose private half everybody knows."""
    try:
        pairs = key_pairs(value, "it")
    except SettingsError as error:
        return error.message.replace("in it ", "").rstrip(".")
    if any(len(set(key)) == 1 for _, key in pairs):
        return "a key is one byte, repeated"
    if len({key for _, key in pairs}) < len(pairs):
        return "a key stands there twice: whoever trains could deploy as well"
    return ""


def _untrusting(value: str, _: Mapping[str, str]) -> str:
    """Serving checks manifests with one role and deployments with the other."""
    missing = {"model", "operator"} - {role for role, _ in _pairs(value)}
    return (
        f"no {' and no '.join(sorted(missing))} key is trusted, so nothing would be served" if _pairs(value) and missing else ""
    )


def _untrusted_signatures(value: str, values: Mapping[str, str]) -> str:
    """Whether this process signs what nobody here would accept."""
    trusted = set(_pairs(values.get("SENTIMENT_PUBLIC_KEYS", "")))
    if not trusted or not _pairs(value):
        return ""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    for role, seed in _pairs(value):
        if (role, Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()) not in trusted:
            return f"what the {role} key signs is not trusted by SENTIMENT_PUBLIC_KEYS"
    return ""


def _pairs(text: str) -> list[tuple[str, bytes]]:
    try:
        return [(role, key) for role, key in key_pairs(text, "it")]
    except SettingsError:
        return []


def _without_secret(value: str, values: Mapping[str, str]) -> str:
    del value
    return "" if values.get("SENTIMENT_ALERT_SECRET") else "messages to it would not be signed"


def _without_broker(value: str, values: Mapping[str, str]) -> str:
    return "nothing would bring steps to workers" if value == "celery" and not values.get("SENTIMENT_BROKER_URL") else ""


POSTGRES = "Write `postgresql://user:password@host/database?sslmode=verify-full`, or `sslmode=require` where the server has no known certificate."
NEAR = "A host on a network of your own may be named in SENTIMENT_TRUSTED_NETWORK."
REDIS = "Write `rediss://:password@host:port/0`."
LONGER = 'Give it one of at least 12 random characters: `python -c "import secrets; print(secrets.token_urlsafe(24))"`.'
RANDOM = 'Make one: `python -c "import secrets; print(secrets.token_urlsafe(32))"`.'
PAIRS = "Write `model=<base64>,operator=<base64>`, two different ed25519 keys of 32 bytes each."
HTTPS = "Write `https://host/...`."

RULES = (
    Rule(DATABASES, no_url_of(*addresses.POSTGRES, path=True), POSTGRES),
    Rule(DATABASES, unencrypted_postgres, f"{POSTGRES} {NEAR}"),
    Rule(DATABASES, without_strong_password, LONGER),
    Rule(REDIS_SERVERS, no_url_of(*addresses.REDIS), REDIS),
    Rule(REDIS_SERVERS, unencrypted_redis, f"{REDIS} {NEAR}"),
    Rule(REDIS_SERVERS, without_strong_password, LONGER),
    Rule(("SENTIMENT_EXECUTOR",), _no_match("here|celery", "there is no such executor"), "Write `here` or `celery`."),
    Rule(("SENTIMENT_EXECUTOR",), _without_broker, "Set SENTIMENT_BROKER_URL to a Redis with `maxmemory-policy noeviction`."),
    _number("SENTIMENT_VISIBILITY_S", (0, 172_800), "seconds", "the queue's own"),
    Rule(("SENTIMENT_TRUSTED_NETWORK",), no_host_names, "Write `postgres,redis`: no address with a scheme, no pattern."),
    Rule(
        ("SENTIMENT_REGISTRY_REPOSITORY",),
        _no_match(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}", "it is no repository"),
        "Write `owner/name`.",
    ),
    Rule(("SENTIMENT_REGISTRY_URL",), no_url_of("https", "http"), "Write `https://api.github.com` or `https://host/api/v3`."),
    Rule(("SENTIMENT_REGISTRY_URL",), unencrypted_registry, HTTPS),
    Rule(("SENTIMENT_REGISTRY_URL",), with_credentials, "Put the token into SENTIMENT_REGISTRY_TOKEN."),
    Rule(("SENTIMENT_REGISTRY_TOKEN",), _weak_secret(LEAST_TOKEN_CHARACTERS), "Take the token that GitHub shows, whole."),
    Rule(KEYS, _unreadable_keys, PAIRS),
    Rule(("SENTIMENT_PUBLIC_KEYS",), _untrusting, PAIRS),
    Rule(("SENTIMENT_SIGNING_KEYS",), _untrusted_signatures, "Trust its public half, or sign with the key that is trusted."),
    Rule(
        ("SENTIMENT_ALLOW_PRIVATE_HOSTS",),
        _no_match("no", "collection could be led to servers of your own network"),
        "Unset it, and collect from public addresses.",
    ),
    _number("PORT", (0, 65_535), "as ports are", "8000", production=(1, 65_535)),
    Rule(("SENTIMENT_SERVING_URL", "SENTIMENT_DAGSTER_URL"), no_url_of("https", "http"), HTTPS),
    Rule(("SENTIMENT_SERVING_URL",), unencrypted_http, f"{HTTPS} {NEAR}"),
    _number("SENTIMENT_POLL_S", (0.01, DAY_S), "seconds", "60", production=(1, 3600)),
    _number("SENTIMENT_MAX_TEXT_CHARACTERS", (1, 2**30), "characters", "5000", production=(100, 100_000)),
    _number("SENTIMENT_MAX_BODY_BYTES", (1, 2**40), "bytes", "65536", production=(1024, 16 * 2**20)),
    _number("SENTIMENT_JOURNAL_BYTES", (1, 2**40), "bytes", "268435456", production=(2**20, 2**40)),
    _number("SENTIMENT_DEADLINE_MS", (1, DAY_S * 1000), "milliseconds", "200", production=(10, 60_000)),
    _number("SENTIMENT_DRAIN_S", (0, DAY_S), "seconds", "0.5", production=(0, 60)),
    _number("SENTIMENT_CASCADE_CONFIDENCE", (0, 1), "as confidences are", "0: the default family alone"),
    _number("SENTIMENT_CANARY_SHARE", (0, 1), "as shares are", "0: no canary"),
    Rule(("SENTIMENT_CORS_ORIGINS",), open_origins, "Write `https://app.example.org`: lower case, no path, no `*`."),
    Rule(
        ("SENTIMENT_ANONYMOUS_FEEDBACK",),
        _no_match("count", "whoever reaches serving could teach the models"),
        "Unset it, and give API keys to those whose word shall count: `sentiment-platform keys create`.",
    ),
    Rule(("SENTIMENT_PUBLIC_READS",), _no_match("yes|no", "it is neither `yes` nor `no`"), "Unset it for `yes`."),
    Rule(("SENTIMENT_ADDRESS_LIMIT", "SENTIMENT_KEY_LIMIT"), _no_match(r"[0-9.]+/[0-9]+", "it is no limit"), "Write `20/400`."),
    Rule(
        ("SENTIMENT_LIMITS_WITHOUT_REDIS",), _no_match("policy|local|refuse", "there is no such choice"), "Unset it for `policy`."
    ),
    Rule(("SENTIMENT_TRUSTED_PROXIES",), everybody, "Name the proxies in front of serving: `10.0.0.0/8`."),
    Rule(
        ("SENTIMENT_ADMIN_KEY", "SENTIMENT_ALERT_SECRET", "SENTIMENT_KEY_PEPPER"), _weak_secret(LEAST_SECRET_CHARACTERS), RANDOM
    ),
    Rule(("SENTIMENT_ALERT_WEBHOOK",), no_url_of("https", "http"), HTTPS),
    Rule(("SENTIMENT_ALERT_WEBHOOK",), unencrypted_http, f"{HTTPS} {NEAR}"),
    Rule(("SENTIMENT_ALERT_WEBHOOK",), _without_secret, f"Set SENTIMENT_ALERT_SECRET. {RANDOM}"),
)


def refusals(values: Mapping[str, str]) -> Iterator[Refusal]:
    """What the environment of `values` (variable -> text, "" for not set) refuses of them, in the order of the table."""
    production = _is_production(values)
    for variable in NEEDED if production else ():
        if not values.get(variable):
            yield Refusal(variable, "it is not set", "Production starts no server of its own: .env.example says what it is.")
    for rule in RULES:
        for variable in rule.variables if production or rule.everywhere else ():
            value = values.get(variable, "")
            if value and (why := rule.judge(value, values)):
                yield Refusal(variable, why, rule.remedy)


def misspelt(environ: Mapping[str, str], known: Collection[str]) -> Iterator[Refusal]:
    """Variables that look like a setting which is not set, and are none; they would do nothing, and nobody would know."""
    given = [name for name, value in environ.items() if value.strip()]
    unset = [name for name in known if name not in given]
    for name in given:
        if name in known or not name.startswith("SENTIMENT_") or _SET_BY_HOSTS.search(name):
            continue
        if near := get_close_matches(name, unset, n=1, cutoff=0.9):
            yield Refusal(name, "there is no such setting", f"Write {near[0]}.")
