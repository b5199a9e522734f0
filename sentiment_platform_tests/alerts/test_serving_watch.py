"""Claims about asking serving: what comes back is judged, what does not come back is not waited for."""

import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from sentiment_platform.alerts.incidents import evaluate
from sentiment_platform.alerts.serving_watch import (
    OVERDUE,
    SOURCE,
    TIME_OUT_S,
    LiveRevision,
    Offer,
    Registry,
    ServingStatus,
    ask_serving,
    not_live,
)
from sentiment_platform.store.tables import AuditRow
from sentiment_platform_tests.monitoring.seeding import NOW, seed_deployment

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
STATUS = b'{"deployment": {"revision": 7, "tag": "deploy-000007"}, "candidate": null, "registry": {"message": null}, "new": 1}'
PUBLISHED_AT = NOW - timedelta(days=2)


@contextmanager
def answering(reply: bytes, *, trickle: bytes = b"") -> Generator[str]:
    """A server that sends `reply` to the first request, then bytes of `trickle` until the asker leaves."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(reply)
                    while not done.wait(0.2) and trickle:
                        connection.sendall(trickle)
                except OSError:
                    return
                if not reply:
                    done.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join()


def test_what_serving_says_is_read_and_what_a_newer_one_adds_is_no_matter() -> None:
    with answering(HEAD % len(STATUS) + STATUS) as url:
        assert ask_serving(url) == ServingStatus(LiveRevision(7), None, Registry(None))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "trickle", "expected"),
    [
        (b"", b"", "ReadTimeout"),
        (HEAD % 1_000_000, b" ", "its answer does not end"),
        (HEAD % 9 + b"{}       ", b"", "something else"),
        (HEAD % 9 + b"<html></>", b"", "something else"),
        (b"HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", b"", "503"),
        (b"HTTP/1.1 302 Away\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", b"", "302"),
    ],
    ids=["silent", "slow", "another document", "a page", "away", "elsewhere"],
)
def test_any_other_answer_is_none_and_takes_seconds(reply: bytes, trickle: bytes, expected: str) -> None:
    with answering(reply, trickle=trickle) as url:
        started = time.monotonic()
        found = ask_serving(url)
        assert time.monotonic() - started < 2 * TIME_OUT_S
    assert isinstance(found, str)
    assert expected in found


def test_an_address_that_is_none_is_said() -> None:
    assert ask_serving("no address") == "UnsupportedProtocol"


@pytest.mark.parametrize(
    ("live", "offer", "after", "expected"),
    [
        (2, None, 2 * OVERDUE, None),
        (1, None, OVERDUE, None),
        (1, Offer("failed", 2, ("v1.0.1-vader",), "unavailable", "away"), OVERDUE, None),
        (
            1,
            Offer("failed", 2, ("v1.0.1-vader",), "unavailable", "away"),
            2 * OVERDUE,
            ("deployment:2", "warning", "unavailable"),
        ),
        (1, None, 2 * OVERDUE, ("deployment:2", "warning", "not tried) and runs revision 1. no answer")),
        (None, None, 2 * OVERDUE, ("deployment:2", "warning", "runs nothing")),
        (2, Offer("refused", None, (), "signature", "who?"), timedelta(), ("deployment:unread", "critical", "signature")),
        (2, Offer("refused", 3, (), "digest", "bits"), timedelta(), ("deployment:3", "critical", "digest")),
    ],
)
def test_a_deployment_that_does_not_run_is_told_at_once_when_refused_and_otherwise_when_overdue(
    engine: Engine, live: int | None, offer: Offer | None, after: timedelta, expected: tuple[str, str, str] | None
) -> None:
    seed_deployment(engine)
    seed_deployment(engine)
    status = ServingStatus(LiveRevision(live) if live else None, offer, Registry("no answer"))
    with engine.connect() as connection:
        found = not_live(connection, status, PUBLISHED_AT + after)
    assert [(incident.fingerprint, incident.severity) for incident in found] == ([expected[:2]] if expected else [])
    assert all(expected[2] in incident.summary for incident in found if expected)


def test_a_refusal_is_in_the_audit_trail_once_an_incident_and_a_deployment_that_is_only_late_is_not(engine: Engine) -> None:
    seed_deployment(engine)
    seed_deployment(engine)
    late = Offer("failed", 2, ("v1.0.1-vader",), "unavailable", "away")
    refused = Offer("refused", 2, ("v1.0.1-vader",), "digest", "bits")
    unread = Offer("refused", None, (), "signature", "who?")
    now = PUBLISHED_AT + 2 * OVERDUE

    def look(offer: Offer | None, minutes: int, live: int = 1) -> list[tuple[str, str]]:
        status = ServingStatus(LiveRevision(live), offer, Registry())
        at = now + timedelta(minutes=minutes)
        evaluate(engine, at, {SOURCE: lambda connection, at: not_live(connection, status, at)})
        with engine.connect() as connection:
            rows = connection.execute(select(AuditRow.__table__).order_by(AuditRow.id))
            return [(row.subject, row.detail["reason"]) for row in rows if row.action == "deployment:refused"]

    first, second = ("deploy-000002", "digest"), ("unread", "signature")
    assert look(late, 0) == []
    assert look(refused, 1) == [first]
    assert look(refused, 2) == [first]
    assert look(None, 3, live=2) == [first]
    assert look(unread, 4, live=2) == look(unread, 5, live=2) == [first, second]
    assert look(None, 6, live=2) == [first, second]
    assert look(refused, 7) == [first, second, first], "refused again after it was over"
