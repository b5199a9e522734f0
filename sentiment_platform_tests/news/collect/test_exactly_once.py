"""At least once delivery, exactly once storage: whatever is delivered how often, in which order and through which crashes.

A state machine delivers records one to five times, shuffled, in three runs; transactions are killed in the server, and commits are
made whose acknowledgement is lost. After every step the tables hold what was committed, and at the end every record once.
"""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from sentiment_platform.news.admission import Tally, store_items
from sentiment_platform.news.articles import cluster_days
from sentiment_platform.news.identity import identify
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.quality import judge

pytestmark = pytest.mark.slow

NOON = datetime(2025, 1, 6, 12, tzinfo=UTC)
RUNS = ("first", "second", "third")


def record(n: int, source: str, copy: bool) -> RawItem:
    """Record `n` of a source. Every fifth breaks the contract; a copy is the same article under another address and time."""
    return RawItem(
        source=source,
        origin=f"https://{source}.example/feed",
        position=n,
        title=None if n % 5 == 0 else f"Company {n} opens office {n}",
        url=f"https://e.example/{n}{'?utm_source=copy' if copy else ''}",
        guid=f"{source}-{n}",
        published_at=NOON + timedelta(hours=n),
        published_text="x",
    )


RECORDS = tuple(record(n, source, copy) for n in range(8) for source, copy in (("wire", False), ("other", True)))
Store = Callable[[Connection, Sequence[RawItem], str, datetime], Tally]


def store(connection: Connection, items: Sequence[RawItem], run_id: str, now: datetime) -> Tally:
    return store_items(connection, items, run_id=run_id, now=now)


def store_again_under_another_name(connection: Connection, items: Sequence[RawItem], run_id: str, now: datetime) -> Tally:
    """A defect: every run makes its own rows."""
    named = [msgspec.structs.replace(item, url=f"{item.url}&run={run_id}", guid=f"{item.guid}-{run_id}") for item in items]
    return store_items(connection, named, run_id=run_id, now=now)


def store_once_ever(connection: Connection, items: Sequence[RawItem], run_id: str, now: datetime) -> Tally:
    """A defect: an item that an earlier attempt began is taken for stored."""
    known = {item.guid for item in items if item.guid in BEGUN}
    BEGUN.update(item.guid for item in items)
    return store_items(connection, [item for item in items if item.guid not in known], run_id=run_id, now=now)


BEGUN: set[str | None] = set()


class Delivery(RuleBasedStateMachine):
    """What a source hands over and what becomes of it; the model is the set of records that were committed."""

    def __init__(self, engine: Engine, store: Store) -> None:
        super().__init__()
        self.engine, self.store = engine, store
        self.run = 0
        self.committed: set[RawItem] = set()

    @initialize()
    def empty(self) -> None:
        BEGUN.clear()
        with self.engine.begin() as connection:
            for table in ("story_clusters", "sightings", "raw_data", "quarantine"):
                connection.execute(text(f"DELETE FROM platform.{table}"))

    @rule(
        items=st.lists(st.sampled_from(RECORDS), min_size=1, max_size=8),
        times=st.integers(1, 5),
        seed=st.integers(0, 99),
        fate=st.sampled_from(["committed", "committed", "killed", "acknowledgement lost"]),
    )
    def deliver(self, items: list[RawItem], times: int, seed: int, fate: str) -> None:
        delivered = items * times
        random.Random(seed).shuffle(delivered)
        try:
            self._hand_over(delivered, fate)
        except OperationalError:
            assert fate != "committed"
        if fate != "killed":
            self.committed |= set(items)

    def _hand_over(self, items: list[RawItem], fate: str) -> None:
        now = NOON + timedelta(days=1 + self.run)
        with self.engine.connect() as connection:
            tally = self.store(connection, items, RUNS[self.run], now)
            assert tally.fetched == tally.stored + tally.duplicate + tally.quarantined
            if fate == "acknowledgement lost":
                connection.commit()
            if fate != "committed":
                with self.engine.connect() as other:
                    pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
                    other.execute(text("SELECT pg_terminate_backend(:pid, 1000)"), {"pid": pid})
                    other.commit()
                connection.execute(text("SELECT 1"))
            connection.commit()

    @rule()
    def start_the_next_run(self) -> None:
        self.run = min(self.run + 1, len(RUNS) - 1)

    @invariant()
    def the_tables_hold_what_was_committed(self) -> None:
        good = set(judge(sorted(self.committed, key=lambda item: str(item.guid)), NOON + timedelta(days=9)).accepted)
        with self.engine.connect() as connection:
            stored = set(connection.execute(text("SELECT content_hash FROM platform.raw_data")).scalars())
            names = {tuple(row) for row in connection.execute(text("SELECT source, external_id FROM platform.sightings"))}
            refused = connection.execute(text("SELECT payload ->> 'guid' FROM platform.quarantine")).scalars().all()
        assert stored == {identify(item).content_hash for item in good}
        assert names == {(item.source, item.guid) for item in good}
        assert sorted(refused) == sorted(str(item.guid) for item in self.committed - good)

    def teardown(self) -> None:
        """The source goes on until everything was acknowledged once; then every record is there once, with one story each."""
        self.run = len(RUNS) - 1
        self._hand_over(list(RECORDS), "committed")
        self.committed = set(RECORDS)
        self.the_tables_hold_what_was_committed()
        for _ in range(2):
            found = cluster_days(self.engine, NOON - timedelta(days=1), NOON + timedelta(days=3), run_id="run", now=NOON)
            assert (found.articles, found.stories) == (6, 6)
        with self.engine.connect() as connection:
            times = connection.execute(text("SELECT count(*), count(DISTINCT article_id) FROM platform.story_clusters")).one()
        assert tuple(times) == (6, 6)


def check(engine: Engine, store: Store, examples: int) -> None:
    """Run the machine; what fails is not made smaller, which would take longer than the test may."""
    phases = (Phase.explicit, Phase.generate)
    bounds = settings(
        max_examples=examples,
        stateful_step_count=12,
        deadline=None,
        phases=phases,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(lambda: Delivery(engine, store), settings=bounds)


def test_every_record_is_stored_exactly_once_through_repetition_disorder_kills_and_lost_acknowledgements(engine: Engine) -> None:
    check(engine, store, examples=20)


@pytest.mark.parametrize("defect", [store_again_under_another_name, store_once_ever])
def test_a_store_that_counts_twice_or_loses_is_found_out(engine: Engine, defect: Store) -> None:
    with pytest.raises(AssertionError):
        check(engine, defect, examples=20)
