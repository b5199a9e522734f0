"""What `doctor` looks at: does each part of the configuration answer, and is what it says complete?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sentiment_platform.errors import PlatformError
from sentiment_platform.queues.work_queues import HERE, QUEUES, on_workers
from sentiment_platform.settings import Settings


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `words` end with the remedy where it is not good."""

    subject: str
    good: bool
    words: str


def diagnose(settings: Settings, variables: Mapping[str, str]) -> list[Finding]:
    """Look at every part; a part that is not configured is good: a command starts its own. `variables` hold the keys of news sources."""
    looks: list[tuple[str, str, Callable[[Settings], str]]] = [
        ("PostgreSQL", settings.database_url, look_at_database),
        ("Redis", settings.redis_url, look_at_redis),
        ("Registry", settings.registry_repository, look_at_registry),
    ]
    if settings.executor != HERE:
        looks.append(("Broker of workers", settings.broker_url or settings.executor, _broker))
    findings: list[Finding] = []
    for subject, configured, look in looks:
        if not configured:
            findings.append(
                Finding(subject, True, "not configured, and no local stack runs: a command that needs it starts its own")
            )
            continue
        try:
            findings.append(Finding(subject, True, look(settings)))
        except PlatformError as error:
            findings.append(Finding(subject, False, str(error)))
    if settings.database_url and findings[0].good:
        findings += [_sessions(settings), _splits(settings)]
    return [*findings, _news(settings, variables)]


def _sessions(settings: Settings) -> Finding:
    """What is missing of the sessions of each exchange; it is bad where a symbol that is fetched has no exchange that is known."""
    from sqlalchemy.exc import SQLAlchemyError

    from sentiment_platform.clock import utc_now
    from sentiment_platform.market.evaluation import completeness_now
    from sentiment_platform.market.prices import price_symbols
    from sentiment_platform.store.engine import create_platform_engine

    engine = create_platform_engine(settings.direct_database_url())
    try:
        live = price_symbols(settings.price_symbols) if settings.price_source and settings.price_key else ()
        with engine.connect() as connection:
            completeness = completeness_now(connection, utc_now(), live)
    except PlatformError as error:
        return Finding("Sessions", False, str(error))
    except SQLAlchemyError:
        return Finding("Sessions", True, "there is no table of prices yet: sentiment-platform db upgrade")
    finally:
        engine.dispose()
    said = "; ".join(
        f"{exchange}: {', '.join(sentences[:3])}" + (f" and {len(sentences) - 3} more" if len(sentences) > 3 else "")
        for exchange, sentences in completeness.by_exchange.items()
    )
    lost = [symbol for symbol in completeness.unknown if symbol in live]
    remedy = f" Write {lost[0]} with the suffix of its exchange in SENTIMENT_PRICE_SYMBOLS." if lost else ""
    return Finding("Sessions", not lost, f"{said}.{remedy}" if said else "no price of the last 45 days is missing.")


def _splits(settings: Settings) -> Finding:
    from sqlalchemy.exc import SQLAlchemyError

    from sentiment_platform.store.engine import create_platform_engine
    from sentiment_platform.store.splits import questions_open

    engine = create_platform_engine(settings.direct_database_url())
    try:
        with engine.connect() as connection:
            asked = questions_open(connection)
    except SQLAlchemyError:
        return Finding(
            "Prices", False, "their tables cannot be read. Bring the database up to date: sentiment-platform db upgrade"
        )
    finally:
        engine.dispose()
    return Finding("Prices", not asked, " ".join(one.words + "." for one in asked) or "no split waits for an answer.")


def _news(settings: Settings, variables: Mapping[str, str]) -> Finding:
    from sentiment_platform.news.sources.configured import configured_sources, nothing_on

    try:
        sources = [one for one in configured_sources(settings, variables) if one.chosen]
    except PlatformError as error:
        return Finding("News", False, str(error))
    on = ", ".join(source.name for source in sources if source.off is None)
    off = "; ".join(f"{source.name}: {source.off}" for source in sources if source.off is not None)
    words = nothing_on(sources) or f"{on} {'is' if ',' not in on else 'are'} on." + (f" Chosen, but off: {off}." if off else "")
    return Finding("News", not off, words)


def look_at_database(settings: Settings) -> str:
    """How soon the database answers, in words."""
    from sentiment_platform.store.engine import create_platform_engine, wait_until_awake

    engine = create_platform_engine(settings.direct_database_url())
    try:
        waited_s = wait_until_awake(engine, limit_s=10)
    finally:
        engine.dispose()
    return f"answers after {waited_s * 1000:.0f} ms"


def look_at_redis(settings: Settings) -> str:
    """That Redis answers, and what it does when it is full."""
    from redis.exceptions import RedisError

    from sentiment_platform.errors import TransientError
    from sentiment_platform.features.connection import connect

    client = connect(settings.redis_url, timeout_s=2.0)
    try:
        policy = client.info("memory").get("maxmemory_policy", "unknown")
    except RedisError as error:
        raise TransientError(f"Redis does not answer: {error}.", remedy="Check REDIS_URL and that the server runs.") from error
    finally:
        client.close()
    return f"answers, maxmemory-policy {policy}"


def _broker(settings: Settings) -> str:
    from sentiment_platform.queues.broker import check_broker
    from sentiment_platform.running.worker import listening

    if on_workers(settings) and not settings.broker_url:
        return "not configured: the local stack provides it"
    (said, *_) = [check_broker(settings, queue) for queue in QUEUES.values()]
    counts = [f"{listening(settings, queue)} steps at once on queue {queue.name}" for queue in QUEUES.values()]
    return f"{said}; workers do {', '.join(counts)}"


def look_at_registry(settings: Settings) -> str:
    """What the registry has deployed last, verified."""
    from contextlib import closing

    from sentiment_platform.registry.access import RegistryAccess
    from sentiment_platform.registry.reader import LatestDeployment

    with closing(RegistryAccess(settings).reader()) as reader:
        latest = reader.poll_latest()
    return f"latest deployment {latest.document.tag}" if isinstance(latest, LatestDeployment) else "answers, nothing deployed yet"
