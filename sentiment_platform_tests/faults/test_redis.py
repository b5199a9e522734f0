"""Whatever happens to Redis: every prediction is answered, soon, without anything that is old or was tampered with."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from sentiment_platform.entities import feature_key, unknown_keys
from sentiment_platform.features.online import encode, microseconds
from sentiment_platform.features.schema import V1
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.settings import Settings
from sentiment_platform.store.tables import Prediction
from sentiment_platform_tests.faults.proxy import Proxy
from sentiment_platform_tests.faults.redis import EMPTYING, FAULTS, TOO_SLOW, USABLE, Rig
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess

pytestmark = pytest.mark.slow

TEXT = "Harbour Mills reports great profit"
ASKED = {"ticker": "HML", "source": "Quill"}
RECOVERY_S = 5.0
TICKER = V1.names.index("ticker_articles_1d")


@pytest.fixture
def rig(servers_dir: Path) -> Iterator[Rig]:
    state = servers_dir / "faulty-redis"
    state.mkdir(mode=0o711, exist_ok=True)
    server = LocalRedis(state)
    server.start()
    with Proxy(server.port) as proxy:
        yield Rig(server, proxy)
    server.stop()


@dataclass
class Asked:
    """Seconds that answers took, sorted, and looks at the health; how many of the repeated texts were answered with all that Redis has."""

    took_s: list[float] = field(default_factory=list[float])
    health_s: list[float] = field(default_factory=list[float])
    whole: int = 0


def whole(serving: ServingProcess, text: str = TEXT) -> bool:
    # Anything but 200 fails in here.
    answer = serving.predict(text, **ASKED)
    return answer["performance"]["cache_hit"] and answer["feature_status"] == "PRESENT"


def timed(work: Callable[[], bool]) -> tuple[float, bool]:
    started = time.perf_counter()
    outcome = work()
    return time.perf_counter() - started, outcome


def said_of_redis(serving: ServingProcess) -> str:
    said = serving.health()["dependencies"]["redis"]
    return said["message"] or said["status"]


def asked_of_redis(serving: ServingProcess) -> bool:
    """Ask on, so that it is looked at again; true."""
    return bool(serving.predict(TEXT, **ASKED))


def ask(serving: ServingProcess, name: str, requests: int) -> Asked:
    """Each text twice."""
    asked = Asked()
    for number in range(requests):
        took_s, is_whole = timed(lambda number=number: whole(serving, f"{TEXT} {name} {number // 2}"))
        asked.took_s.append(took_s)
        asked.whole += is_whole
        if number % 5 == 0:
            took_s, is_healthy = timed(lambda: serving.answers("/health"))
            assert is_healthy, name
            asked.health_s.append(took_s)
    asked.took_s.sort()
    asked.health_s.sort()
    return asked


def test_no_fault_of_redis_costs_an_answer_or_more_than_moments(
    settings: Settings, rig: Rig, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    rig.fill()
    serving = start_serving(over=replace(settings, redis_url=rig.url))
    serving.wait_until(lambda: whole(serving), RECOVERY_S)
    with rig.client() as client:
        assert unknown_keys(client) == []
        lives_s = [client.ttl(kept) for kept in client.scan_iter("prediction:*")]
        assert lives_s
        assert all(0.9 * 3600 - 5 <= life_s <= 3600 for life_s in lives_s)
    recovered: dict[str, float] = {}
    added: dict[str, float] = {}
    late: dict[str, float] = {}
    health: dict[str, float] = {}
    for name, (begin, end) in FAULTS.items():
        usual = ask(serving, f"before {name}", 20)
        begin(rig)
        try:
            during = ask(serving, name, 60)
            if name == USABLE:
                serving.wait_until(lambda: whole(serving), RECOVERY_S)
                waited = [took_s for took_s, is_whole in (timed(lambda: whole(serving)) for _ in range(20)) if is_whole]
                assert min(waited) > 0.02, "the control: whoever asks Redis waits for it"
            if name == TOO_SLOW:
                serving.wait_until(lambda: asked_of_redis(serving) and "slow" in said_of_redis(serving))
        finally:
            end(rig)
        ended = time.monotonic()
        if name in EMPTYING:
            rig.fill()
        serving.wait_until(lambda: whole(serving), 3 * RECOVERY_S)
        recovered[name] = time.monotonic() - ended
        # The machine of a test may be busy: the exact 99th percentile is the benchmark's (R.8).
        added[name] = during.took_s[30] - usual.took_s[10]
        late[name] = during.took_s[54] - usual.took_s[18]
        health[name] = during.health_s[6]
        assert usual.whole > 0
        assert name == USABLE or during.whole < 30, f"the control: {name} strikes"
    assert {name: round(seconds, 2) for name, seconds in recovered.items() if seconds > RECOVERY_S} == {}
    assert {name: round(seconds, 3) for name, seconds in added.items() if seconds > 0.06} == {}
    assert {name: round(seconds, 3) for name, seconds in late.items() if seconds > 0.06} == {}, "the slowest tenth"
    assert {name: round(seconds, 3) for name, seconds in health.items() if seconds > 0.05} == {}


def served_ticker_values(serving: ServingProcess, engine: Engine, texts: list[str]) -> dict[str, Any]:
    serving.wait_until(lambda: serving.health()["journal_backlog_records"] == 0)
    with engine.connect() as connection:
        rows = connection.execute(select(Prediction.text, Prediction.features).where(Prediction.text.in_(texts)))
        return {row.text: row.features[TICKER] for row in rows}


def test_a_poisoned_or_old_context_value_never_reaches_a_model(
    settings: Settings, engine: Engine, rig: Rig, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model())
    serving = start_serving(over=replace(settings, redis_url=rig.url))
    now = datetime.now(UTC)
    good = {"ticker_articles_1d": 4.0}

    def changed(**changes: object) -> bytes:
        return json.dumps(json.loads(encode("v1", good, now, now)) | changes).encode()

    stored: dict[str, tuple[bytes, str, float | None]] = {
        "right": (changed(), "PRESENT", 4.0),
        "negative": (changed(values={"ticker_articles_1d": -1.0}), "PRESENT", None),
        "huge": (changed(values={"ticker_articles_1d": 1e300}), "PRESENT", None),
        "text": (changed(values={"ticker_articles_1d": "4"}), "MISSING", None),
        "truth": (changed(values={"ticker_articles_1d": True}), "MISSING", None),
        "not a number": (changed(values={"ticker_articles_1d": float("nan")}), "MISSING", None),
        "another schema": (changed(schema="v2"), "MISSING", None),
        "a day and a minute old": (
            encode("v1", good, now, now - timedelta(days=1, minutes=1)),
            "STALE",
            None,
        ),
        "from the future": (changed(written_at_us=microseconds(now + timedelta(days=2))), "MISSING", None),
    }
    for name, (raw, status, _) in stored.items():
        with rig.client() as client:
            # Without an expiry: only the reader's own clock can see that it is old.
            client.set(feature_key("v1", "ticker:HML"), raw)
        assert serving.predict(f"{TEXT} {name}", ticker="HML")["feature_status"] == status, name
    expected = {f"{TEXT} {name}": value for name, (_, _, value) in stored.items()}
    assert served_ticker_values(serving, engine, list(expected)) == expected
