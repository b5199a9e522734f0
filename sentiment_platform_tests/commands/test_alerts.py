"""Claims about `alerts`: what is open is listed, and acknowledged with a note, once."""

import json
from datetime import UTC, datetime

from sqlalchemy import Engine

from sentiment_platform.store.incidents import Incident, open_incident, open_incidents, resolve_incident
from sentiment_platform_tests.commands.conftest import Invoke

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_an_alert_is_tried_acknowledged_once_and_listed_with_who_knows_of_it(engine: Engine, invoke: Invoke) -> None:
    with engine.begin() as connection:
        for name in ("disk", "feed"):
            open_incident(
                connection,
                Incident(
                    fingerprint=name, category="system", severity="critical", source="tests", summary=f"The {name} is broken."
                ),
                NOW,
            )
        resolve_incident(connection, "feed", NOW)
        (alert,) = open_incidents(connection)

    def listed(*options: str) -> list[dict[str, str | None]]:
        return json.loads(invoke("alerts", "list", "--json", *options).stdout)

    assert [one["fingerprint"] for one in listed()] == ["disk"]
    assert [one["fingerprint"] for one in listed("--all")] == ["disk", "feed"]
    word = ("alerts", "acknowledge", alert.id, "--note", "a new one comes at noon")
    tried = invoke(*word, "--dry-run")
    assert (tried.exit_code, "would be acknowledged by" in tried.stdout, listed()[0]["acknowledged_by"]) == (0, True, None)
    assert "is acknowledged by" in invoke(*word).stdout
    (known,) = listed()
    assert (known["acknowledged_note"], known["resolved_at"]) == ("a new one comes at noon", None)
    again = invoke(*word)
    assert (again.exit_code, "was acknowledged so before" in again.stdout, listed()) == (0, True, [known])
    assert "a new one comes at noon" in invoke("alerts", "list").stdout

    over = listed("--all")[1]["id"]
    for refused, why, remedy in (("nonsense", "There is no alert", "alerts list"), (over, "is over since", "Only an open one")):
        told = invoke("alerts", "acknowledge", str(refused))
        assert (told.exit_code, why in told.stderr, remedy in told.stderr) == (1, True, True), told.output
