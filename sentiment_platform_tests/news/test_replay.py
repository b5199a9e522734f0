import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from sentiment_platform.cli import main
from sentiment_platform.news.admission import store_items
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.quality import RULES
from sentiment_platform.news.replay import replay
from sentiment_platform.store.articles import articles_between, news_counts
from sentiment_platform.store.collection_reports import collections_of_run
from sentiment_platform.store.quarantine import quarantine_totals, quarantined_items
from sentiment_platform_tests.news.defects import DEFECTS, item

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
EPOCH, FOREVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def collect(engine: Engine, items: Sequence[RawItem], *, archived: bool = False) -> None:
    with engine.begin() as connection:
        tally = store_items(connection, items, run_id="collected", now=NOW, archived=archived)
    assert tally.fetched == tally.stored + tally.duplicate + tally.quarantined


def early(n: int, **changes: object) -> RawItem:
    """Refused at NOW because it seems to come from the future, good at LATER."""
    return item(
        position=n, title=f"Profit rises {n}", url=f"https://e.example/{n}", published_at=NOW + timedelta(days=1.5), **changes
    )


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return sum(count.waiting for count in quarantine_totals(connection))


def test_every_kind_of_defect_is_in_quarantine_under_its_rule_with_payload_source_and_run(engine: Engine) -> None:
    bad = {rule: item(**{"position": n, "url": f"https://e.example/{n}", **DEFECTS[rule]}) for n, rule in enumerate(RULES)}
    collect(engine, [*bad.values(), item(position=99)])
    with engine.connect() as connection:
        found = {row.rule: row for row in quarantined_items(connection)}
        assert news_counts(connection).articles == 1
    assert len(found) == len(RULES) >= 11
    for rule, came in bad.items():
        row = found[rule]
        assert (row.source, row.run_id, row.fetched_at, row.boundary) == ("wire", "collected", NOW, "raw_news")
        assert row.payload["position"] == came.position
        assert RULES[rule] in row.detail


def test_what_is_good_after_a_fix_is_stored_as_of_when_it_was_fetched(engine: Engine) -> None:
    collect(engine, [early(1), early(2), item(position=3, title=None)])
    found = replay(engine, run_id="fixed", now=LATER)
    (report,) = found.reports
    assert (report.outcome, report.fetched, report.stored, report.duplicate, report.quarantined) == ("replayed", 3, 2, 0, 1)
    assert report.adds_up
    assert [day.isoformat() for day in found.days] == ["2025-01-08"]
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT fetched_at, available_at, published_at, run_id FROM platform.raw_data")).all()
        assert [tuple(row) for row in rows] == [(NOW, NOW + timedelta(days=1.5), NOW + timedelta(days=1.5), "fixed")] * 2
        assert [r.outcome for r in collections_of_run(connection, "fixed")] == ["replayed"]
        assert [row.rule for row in quarantined_items(connection)] == ["title_is_present"]
        totals = {count.rule: (count.waiting, count.released) for count in quarantine_totals(connection)}
    assert totals == {"title_is_present": (1, 0), "published_at_is_not_in_the_future": (0, 2)}


def test_replaying_again_changes_nothing_and_a_dry_run_neither(engine: Engine) -> None:
    collect(engine, [early(1), early(2)])
    (dry,) = replay(engine, run_id="dry", now=LATER, dry_run=True).reports
    assert (dry.fetched, dry.stored, waiting(engine)) == (2, 2, 2)
    with engine.connect() as connection:
        assert collections_of_run(connection, "dry") == []
    replay(engine, run_id="first", now=LATER)
    again = replay(engine, run_id="second", now=LATER)
    assert (again.reports, again.days, waiting(engine)) == ((), (), 0)
    with engine.connect() as connection:
        assert news_counts(connection).articles == 2


def test_only_the_named_rule_and_source_are_tried(engine: Engine) -> None:
    collect(engine, [early(1), early(2, source="other"), item(position=3, title=None)])
    (report,) = replay(engine, source="other", run_id="one", now=LATER).reports
    assert (report.source, report.stored) == ("other", 1)
    (report,) = replay(engine, rule="published_at_is_not_in_the_future", run_id="two", now=LATER).reports
    assert (report.source, report.fetched, report.stored) == ("wire", 1, 1)
    assert waiting(engine) == 1


def test_a_time_that_can_be_read_by_now_is_read_again_and_an_archives_item_stays_one(engine: Engine) -> None:
    # As if the shape had been unknown when it came.
    collect(
        engine, [early(1, published_text="x"), item(position=2, published_at=None, published_text="2025-01-03")], archived=True
    )
    (report,) = replay(engine, run_id="fixed", now=LATER).reports
    assert report.stored == 2
    with engine.connect() as connection:
        (day, exact) = articles_between(connection, EPOCH, FOREVER)
    assert (day.published_at, day.available_at) == (datetime(2025, 1, 3, tzinfo=UTC), datetime(2025, 1, 4, tzinfo=UTC))
    assert exact.available_at == exact.published_at


@pytest.mark.parametrize("broken", [{"title": "a" * 20_001}, {"title": "profit\x00rises"}])
def test_an_item_that_could_not_be_kept_as_it_came_is_never_admitted(engine: Engine, broken: dict[str, object]) -> None:
    collect(engine, [item(**broken)])
    (report,) = replay(engine, run_id="fixed", now=LATER).reports
    assert (report.fetched, report.stored, report.quarantined) == (1, 0, 1)
    assert waiting(engine) == 1


def test_an_item_that_another_source_brought_meanwhile_leaves_quarantine_as_a_duplicate(engine: Engine) -> None:
    collect(engine, [early(1)])
    with engine.begin() as connection:
        store_items(connection, [early(1, source="other")], run_id="meanwhile", now=LATER)
    (report,) = replay(engine, run_id="fixed", now=LATER).reports
    assert (report.stored, report.duplicate, waiting(engine)) == (0, 1, 0)


def test_a_released_item_that_is_refused_again_waits_again(engine: Engine) -> None:
    collect(engine, [early(1)])
    replay(engine, run_id="fixed", now=LATER)
    collect(engine, [early(1)])
    assert waiting(engine) == 1


def invoke(database_url: str, redis_url: str, tmp_path: Path, *arguments: str) -> str:
    """Run a command as a person would, against this test's database."""
    environment = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SENTIMENT_REGISTRY_REPOSITORY": "local/registry",
        "SENTIMENT_STATE_DIR": str(tmp_path),
        "COLUMNS": "200",
    }
    result = CliRunner().invoke(main, ["news", *arguments], env=environment)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_commands_show_quarantine_and_empty_it_after_a_fix(
    engine: Engine, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    # Days that have passed when the command runs.
    passed = [msgspec.structs.replace(early(n), published_at=NOW + timedelta(days=2)) for n in range(3)]
    collect(engine, [*passed, item(position=9, title=None, source="other")])

    def shown(*arguments: str) -> str:
        return invoke(database_url, redis_url, tmp_path, *arguments)

    table = shown("quarantine")
    assert re.search(r"wire\W+published_at_is_not_in_the_future\W+3\W+0", table)
    assert "other" in table
    found = json.loads(shown("quarantine", "--source", "other", "--json"))
    assert [(row["rule"], row["payload"]["position"]) for row in found["rows"]] == [("title_is_present", 9)]
    assert found["counts"] == [
        {"boundary": "raw_news", "source": "other", "rule": "title_is_present", "waiting": 1, "released": 0},
    ]
    assert "nothing changed" in shown("replay", "--dry-run")
    assert waiting(engine) == 4
    assert "run collect_job --from 2025-01-08 --to 2025-01-08" in shown("replay", "--rule", "published_at_is_not_in_the_future")
    assert waiting(engine) == 1
    assert re.search(r"published_at_is_not_in_the_future\W+0\W+3", shown("quarantine"))
