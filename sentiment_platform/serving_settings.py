"""The settings that serving alone reads, and how any setting is described. `settings.Settings` has them all."""

from dataclasses import dataclass, field
from typing import Any


def setting(variable: str, default: str, doc: str, *, secret: bool = False) -> Any:
    """A field of the settings: its environment variable, its default as text, what it means, whether it is masked when shown."""
    return field(metadata={"variable": variable, "default": default, "doc": doc, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class ServingSettings:
    """What one serving process listens on, takes, and lets people do."""

    host: str = setting("HOST", "127.0.0.1", "Address that serving listens on.")
    port: int = setting("PORT", "8000", "Port that serving listens on.")
    poll_s: float = setting("SENTIMENT_POLL_S", "60", "Seconds between two looks of serving at the latest deployment.")
    max_text_characters: int = setting(
        "SENTIMENT_MAX_TEXT_CHARACTERS", "5000", "Longest text that /predict accepts, in characters."
    )
    max_body_bytes: int = setting("SENTIMENT_MAX_BODY_BYTES", "65536", "Largest request body that serving reads, in bytes.")
    journal_bytes: int = setting(
        "SENTIMENT_JOURNAL_BYTES",
        "268435456",
        "What the journal of one serving process may hold, in bytes, while the database is away: a quarter for feedback; of predictions "
        "the oldest are given up for newer ones, and counted.",
    )
    cors_origins: str = setting(
        "SENTIMENT_CORS_ORIGINS",
        "",
        "Origins of web pages elsewhere that may read answers of serving, separated by commas: `https://app.example.org`. Unset: none.",
    )
    deadline_ms: int = setting(
        "SENTIMENT_DEADLINE_MS",
        "200",
        "Time within which a prediction is answered, degraded to the cheapest family, or refused, in milliseconds.",
    )
    cascade_confidence: float = setting(
        "SENTIMENT_CASCADE_CONFIDENCE",
        "0",
        "POST /predict as a cascade: the cheapest family answers, and the default one is asked where that is less confident than this, "
        "from 0 to 1. 0: the default family alone answers.",
    )
    canary_share: float = setting(
        "SENTIMENT_CANARY_SHARE",
        "0",
        "Share of the units that a version answers at first when it takes the place of another one of its family, from 0 to 1: 0.1 is a "
        "good one. The version before answers the rest, until the watch after the swap has seen 50 texts, or for two minutes. What a person selects or "
        "promotes has no canary: it answers all at once. 0: all at once.",
    )
    public_reads: str = setting(
        "SENTIMENT_PUBLIC_READS",
        "yes",
        "`yes`: whoever reaches serving may read and predict. `no`: only with an API key; health, pages and the API's description stay open.",
    )
    address_limit: str = setting(
        "SENTIMENT_ADDRESS_LIMIT",
        "",
        "What one address may ask of serving, `RATE/BURST`: tokens a second, and how many at once, such as `20/400`. Unset: no limit.",
    )
    key_limit: str = setting(
        "SENTIMENT_KEY_LIMIT",
        "",
        "What one API key may ask of serving, beside its address: `RATE/BURST` as above. Unset: no limit.",
    )
    limits_without_redis: str = setting(
        "SENTIMENT_LIMITS_WITHOUT_REDIS",
        "policy",
        "Limits while Redis is away: `local` in each process, `refuse` requests, or `policy`: refuse acts, the rest local.",
    )
    trusted_proxies: str = setting(
        "SENTIMENT_TRUSTED_PROXIES",
        "",
        "Proxies whose X-Forwarded-For is believed, addresses or networks separated by commas: `10.0.0.0/8`. Unset: nobody's.",
    )
    anonymous_feedback: str = setting(
        "SENTIMENT_ANONYMOUS_FEEDBACK",
        "count",
        "Feedback without an API key: `count` it, or `learn` from all of it as one voice.",
    )
    drain_s: float = setting(
        "SENTIMENT_DRAIN_S",
        "0.5",
        "Seconds for which serving still takes requests after SIGTERM, while GET /health says 503: as long as a load balancer looks away.",
    )
    log_format: str = setting("SENTIMENT_LOG_FORMAT", "text", "How serving logs, one line an event: `text` or `json`.")
    admin_key: str = setting(
        "SENTIMENT_ADMIN_KEY", "", "API key of an admin, beside the keys in the database; for the first start.", secret=True
    )
    key_pepper: str = setting(
        "SENTIMENT_KEY_PEPPER",
        "",
        "Secret that API keys are hashed with and ids of predictions signed, the same for the command line and all of serving.",
        secret=True,
    )
