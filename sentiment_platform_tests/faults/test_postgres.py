"""Whatever happens to PostgreSQL: every prediction is answered, and what was said is stored or on the disk, exactly."""

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import psycopg
import pytest

from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.faults.postgres import FAULTS, Rig, own_server
from sentiment_platform_tests.faults.proxy import Proxy
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess
from serving.journal.segments import read_segment
from serving.links.database import THREADS

pytestmark = pytest.mark.slow

TEXT = "Harbour Mills reports great profit"
PATIENCE_S = 15.0


@dataclass
class Said:
    """Ids of what a process was asked: answered predictions, and feedback that it acknowledged."""

    serving: ServingProcess
    everything: set[str] = field(default_factory=set[str])

    def predict(self) -> str:
        """Ask for one prediction; anything but 200 fails in here."""
        identity: str = self.serving.predict(f"{TEXT} {len(self.everything)}")["prediction_id"]
        self.everything.add(identity)
        return identity

    def give_feedback(self) -> None:
        reply = self.serving.client.post("/feedback", json={"prediction_id": self.predict(), "label": "positive"})
        assert reply.status_code == 202, reply.text
        self.everything.add(reply.json()["feedback_id"])

    def on_disk(self) -> set[str]:
        """What the journal holds now."""
        on_disk: set[str] = set()
        for segment in (self.serving.settings.state_dir / "journal").glob("*.journal"):
            # It may be shipped and gone since it was listed.
            with contextlib.suppress(FileNotFoundError):
                on_disk |= {record.id for record in read_segment(segment).records}
        return on_disk


def stored(rig: Rig) -> set[str]:
    with rig.connect() as connection:
        rows = connection.execute("SELECT id FROM platform.predictions UNION ALL SELECT id FROM platform.feedback")
        return {row[0] for row in rows}


@pytest.fixture(scope="module")
def rig(servers_dir: Path) -> Iterator[Rig]:
    with own_server(servers_dir / "faulty-postgres") as server, Proxy(server.port) as proxy:
        yield Rig(server, proxy)


@pytest.fixture(scope="module")
def said(module_settings: Settings, rig: Rig) -> Iterator[Said]:
    publisher = Publisher(module_settings)
    publisher.deploy(publisher.model())
    publisher.close()
    process = ServingProcess(replace(module_settings, database_url=rig.url))
    try:
        yield Said(process.start())
    finally:
        process.stop()


def recovered(said: Said) -> bool:
    """Whether the pool serves what reads and the journal is empty."""
    return said.serving.answers("/monitoring/deployments") and said.serving.health()["journal_backlog_records"] == 0


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_of_postgres_costs_an_answer_a_record_or_acknowledged_feedback(rig: Rig, said: Said, name: str) -> None:
    fault = FAULTS[name]
    said.serving.wait_until(lambda: recovered(said), PATIENCE_S)
    said.give_feedback()
    fault.begin(rig)
    during: set[str] = set()
    try:
        before = set(said.everything)
        ends = time.monotonic() + fault.stays_s
        while time.monotonic() < ends:
            for _ in range(10):
                said.predict()
            said.give_feedback()
            fault.again(rig)
            time.sleep(0.1)
        during = said.everything - before
        # Looked at in this order, because what leaves the disk was stored before.
        disk = said.on_disk()
        if fault.stores_nothing:
            assert during <= disk, "the control: the fault keeps everything out of the database"
    finally:
        fault.end(rig)
    ended = time.monotonic()
    assert disk | stored(rig) == said.everything
    said.serving.wait_until(lambda: said.serving.answers("/monitoring/deployments"), PATIENCE_S)
    took_s = time.monotonic() - ended
    said.serving.wait_until(lambda: recovered(said), PATIENCE_S)
    assert stored(rig) == said.everything
    assert said.on_disk() == set()
    assert took_s <= fault.recovers_s


def test_reads_that_hang_on_a_locked_table_stop_neither_shipping_nor_keys_nor_acts(rig: Rig, said: Said) -> None:
    serving = said.serving
    serving.wait_until(lambda: recovered(said), PATIENCE_S)
    engine = create_platform_engine(rig.server.url)
    with engine.begin() as connection:
        key = {"X-API-Key": create_key(connection, "operator", "a desk")}
    engine.dispose()
    over = threading.Event()

    def read() -> None:
        with httpx.Client(base_url=serving.url, timeout=10) as client:
            while not over.is_set():
                told.append(client.get("/monitoring/deployments").status_code)

    told: list[int] = []
    rig.held.append(psycopg.connect(rig.server.url))
    rig.held[0].execute("LOCK TABLE platform.deployments IN ACCESS EXCLUSIVE MODE")
    try:
        with ThreadPoolExecutor(3 * THREADS) as readers:
            for _ in range(3 * THREADS):
                readers.submit(read)
            serving.wait_until(lambda: 503 in told)
            for name in ("one", "two", "three"):
                began = time.monotonic()
                turned = serving.client.put(
                    "/flags/collection", json={"enabled": True, "expected": True, "reason": name}, headers=key
                )
                assert turned.status_code == 200, turned.text
                assert time.monotonic() - began < 2, "the key was checked and the act recorded"
                identity = said.predict()
                serving.wait_until(lambda identity=identity: identity in stored(rig), 5)
            over.set()
    finally:
        over.set()
        rig.release()
    assert set(told) == {503}, "the control: whoever reads that table is told so"


def test_with_a_database_that_hangs_the_process_tells_what_it_knows_at_once_and_the_log_has_a_line_when_it_goes_and_comes(
    rig: Rig, said: Said
) -> None:
    serving = said.serving
    serving.wait_until(lambda: recovered(said), PATIENCE_S)
    hang = FAULTS["stopped by SIGSTOP"]

    def lines(words: str) -> int:
        return serving.log.read_text().count(words)

    def told(path: str, within_s: float) -> dict[str, object]:
        began = time.monotonic()
        reply = serving.client.get(path)
        assert (reply.status_code, time.monotonic() - began < within_s) == (200, True), (path, reply.text)
        return reply.json()

    whole = told("/monitoring/service", 3)
    assert (whole["stored"] is None, whole["missing"]) == (False, None), "the control"
    away, back = lines("PostgreSQL does not answer"), lines("PostgreSQL answers again")
    hang.begin(rig)
    try:
        identity = said.predict()
        for window in ("7d", "30d", "12w"):  # the first one is kept for a moment
            report = told(f"/monitoring/service?window={window}", 1.5)
            assert (report["stored"], bool(report["missing"])) == (None, True)
            assert report["process"]["answers"], "what this process knows"
            assert report["process"]["journal_backlog_records"] >= 1, identity
        flags = told("/flags", 1.5)
        assert (flags["flags"], bool(flags["missing"])) == (None, True)
        assert set(flags["here"].values()) == {True}
        serving.wait_until(lambda: serving.health()["dependencies"]["postgresql"]["status"] == "down", PATIENCE_S)
        told("/monitoring/service", 0.6)
        said.predict()
    finally:
        hang.end(rig)
    serving.wait_until(lambda: told("/monitoring/service", 3)["missing"] is None, PATIENCE_S)
    serving.wait_until(lambda: lines("PostgreSQL answers again") > back, PATIENCE_S)
    assert (lines("PostgreSQL does not answer") - away, lines("PostgreSQL answers again") - back) == (1, 1), "and none a request"
