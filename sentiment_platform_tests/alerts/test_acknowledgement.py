"""Claims about reminders, and about what stops them: somebody's word that they know."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from sentiment_platform.alerts.acknowledgement import AlreadyResolved, UnknownIncident, acknowledge
from sentiment_platform.alerts.delivery import Webhook, deliver
from sentiment_platform.store import audit
from sentiment_platform.store.incidents import (
    Incident,
    StoredIncident,
    claim_message,
    mark_sent,
    open_incident,
    open_incidents,
    resolve_incident,
)
from sentiment_platform.store.tables import AuditRow
from sentiment_platform_tests.alerts.sink import Sink, running_sink
from sentiment_platform_tests.monitoring.seeding import NOW

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
DISK = Incident(fingerprint="disk", category="system", severity="critical", source="tests", summary="The disk is full.")
WARNED = replace(DISK, severity="warning", summary="The disk fills up.")
OTHER = replace(DISK, fingerprint="other")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


def look(engine: Engine, incident: Incident, after: timedelta) -> None:
    """A look at `after` from the beginning still sees it."""
    with engine.begin() as connection:
        open_incident(connection, incident, NOW + after)


def send(engine: Engine, sink: Sink, after: timedelta) -> None:
    deliver(engine, Webhook(sink.url, "secret of the tests", "RUNBOOK.md"), lambda: NOW + after)


def say(engine: Engine, fingerprint: str = "disk", note: str | None = None, *, by: str = "ada", dry_run: bool = False) -> bool:
    """Whether an acknowledgement of the open incident changed anything."""
    with engine.begin() as connection:
        (incident,) = [one for one in open_incidents(connection) if one.fingerprint == fingerprint]
        return acknowledge(connection, incident.id, by=by, note=note, now=NOW, dry_run=dry_run).changed


def now_open(engine: Engine, fingerprint: str = "disk") -> StoredIncident:
    with engine.connect() as connection:
        (incident,) = [one for one in open_incidents(connection) if one.fingerprint == fingerprint]
    return incident


def test_what_is_critical_is_told_again_each_day_until_somebody_acknowledges_it_and_its_end_is_told_all_the_same(
    engine: Engine, sink: Sink
) -> None:
    look(engine, DISK, -MINUTE)
    look(engine, OTHER, timedelta())
    send(engine, sink, timedelta())
    opened = [("open", "disk"), ("open", "other")]
    assert sink.told == opened
    for after in (MINUTE, DAY - MINUTE):
        send(engine, sink, after)
    assert sink.told == opened, "not before a day is over"
    send(engine, sink, DAY)
    send(engine, sink, DAY + MINUTE)
    reminded = [*opened, ("reminder", "disk"), ("reminder", "other")]
    assert sink.told == reminded
    assert say(engine, "disk")
    send(engine, sink, 2 * DAY)
    # The control: the one that nobody acknowledged goes on.
    assert sink.told == [*reminded, ("reminder", "other")]
    assert len({headers["Idempotency-Key"] for headers, _ in sink.requests}) == len(sink.requests), "a reminder is no repetition"
    with engine.begin() as connection:
        for fingerprint in ("disk", "other"):
            resolve_incident(connection, fingerprint, NOW + 20 * DAY)
    send(engine, sink, 20 * DAY)
    assert sink.told[5:] == [("resolve", "disk"), ("resolve", "other")], "however long it was open"
    send(engine, sink, 30 * DAY)
    assert len(sink.told) == 7


def test_a_warning_is_told_once_and_at_once_again_when_it_becomes_critical_also_to_who_acknowledged_the_warning(
    engine: Engine, sink: Sink
) -> None:
    look(engine, WARNED, timedelta())
    for after in (timedelta(), 2 * DAY):
        send(engine, sink, after)
    assert sink.told == [("open", "disk")]
    assert say(engine, note="a known leak")
    look(engine, WARNED, 2 * DAY)
    assert now_open(engine).acknowledged_note == "a known leak"  # the control: seen again, as bad as before

    look(engine, DISK, 2 * DAY)
    worse = now_open(engine)
    assert (worse.severity, worse.acknowledged_at, worse.acknowledged_by, worse.acknowledged_note) == (
        "critical",
        None,
        None,
        None,
    )
    send(engine, sink, 2 * DAY)
    assert sink.told == [("open", "disk"), ("reminder", "disk")]
    assert sink.messages[1]["incident"]["severity"] == "critical"

    # What goes to and fro over the bound is not told each time, and who knows of the worst knows.
    assert say(engine, note="a new disk is on its way")
    for after in (2 * DAY + MINUTE, 4 * DAY):
        look(engine, WARNED, after)
        look(engine, DISK, after)
        send(engine, sink, after)
    assert len(sink.told) == 2
    assert now_open(engine).acknowledged_note == "a new disk is on its way"


def test_what_became_worse_while_its_first_message_was_on_its_way_is_told_again(engine: Engine) -> None:
    look(engine, WARNED, timedelta())
    with engine.begin() as connection:
        message = claim_message(connection, NOW)
    assert message is not None
    look(engine, DISK, MINUTE)
    with engine.begin() as connection:
        mark_sent(connection, message, NOW + MINUTE)
        again = claim_message(connection, NOW + MINUTE)
    assert again is not None
    assert (again.event, again.incident.severity) == ("reminder", "critical")


def test_the_same_word_again_changes_nothing_another_one_replaces_it_and_a_dry_run_stores_none(engine: Engine) -> None:
    look(engine, DISK, timedelta())

    def trail() -> list[tuple[str, str, str | None]]:
        with engine.connect() as connection:
            assert audit.verify(connection) == []
            rows = connection.execute(select(AuditRow.__table__).order_by(AuditRow.id)).all()
        return [(row.action, row.actor, row.detail["note"]) for row in rows]

    assert say(engine, note="on it", dry_run=True)
    assert (now_open(engine).acknowledged_at, trail()) == (None, [])
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: say(engine, note=" on it "), range(8))) == 1
    assert not say(engine, note="on it", dry_run=True)
    assert say(engine, note=" ", by="grace")
    assert (now_open(engine).acknowledged_by, now_open(engine).acknowledged_note) == ("grace", None)
    said = "alerts:acknowledge"
    assert trail() == [(said, "ada", "on it"), (said, "grace", None)]


def test_an_unknown_incident_and_one_that_is_over_are_refused_with_the_reason(engine: Engine) -> None:
    look(engine, DISK, timedelta())
    incident = now_open(engine)
    with engine.begin() as connection:
        resolve_incident(connection, "disk", NOW)
        with pytest.raises(UnknownIncident, match="alerts list"):
            acknowledge(connection, "0" * 32, by="ada", note=None, now=NOW)
        with pytest.raises(AlreadyResolved, match="over since"):
            acknowledge(connection, incident.id, by="ada", note=None, now=NOW)
    look(engine, DISK, DAY)
    assert now_open(engine).id != incident.id
    assert now_open(engine).acknowledged_at is None, "the next time it happens nobody knows of it yet"
