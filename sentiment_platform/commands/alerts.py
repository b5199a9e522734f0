"""`alerts`: what is wrong, and who knows of it."""

import getpass
from typing import TYPE_CHECKING, Any

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import joined, print_json, say, show_table, styled
from sentiment_platform.commands.parameters import COUNT, json_option

if TYPE_CHECKING:
    from sentiment_platform.store.incidents import StoredIncident

NOTHING_OPEN = (
    "No alert is open. Monitoring looks every 15 minutes; at once: sentiment-platform run alert_job. What is over: --all"
)


@click.group()
def alerts() -> None:
    """What is wrong, what to do about it, and who knows of it.

    \b
    Example:
      sentiment-platform alerts list
    """


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is over, after what is open.")
@click.option("--limit", type=COUNT, default=50, help="So many at most.")
@json_option
def list_alerts(everything: bool, limit: int, as_json: bool) -> None:
    """What is open, the newest first.

    As JSON: one object an alert (id, fingerprint, class, severity, source, summary, remedy, detail, opened_at, last_seen_at, resolved_at,
    acknowledged_at, acknowledged_by, acknowledged_note).

    \b
    Examples:
      sentiment-platform alerts list
      sentiment-platform alerts list --all --json
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.incidents import incidents_page

    with connected_session() as (_, engine), engine.connect() as connection:
        incidents = [one for one in incidents_page(connection, limit, 0) if everything or one.resolved_at is None]
    if as_json:
        print_json([_described(incident) for incident in incidents])
        return
    show_table(
        ["id", "severity", "class", "open since", "over since", "what", "acknowledged by", "note"],
        [_row(incident) for incident in incidents],
        empty=NOTHING_OPEN,
    )


@alerts.command()
@click.argument("alert_id")
@click.option("--note", help="What others should know, such as who looks at it; shown beside the alert.")
@click.option("--dry-run", is_flag=True, help="Say what would stand, and change nothing.")
def acknowledge(alert_id: str, note: str | None, dry_run: bool) -> None:
    """Say that you know of an open alert: it stays open, and nobody is reminded of it until it gets worse.

    The same again changes nothing.

    \b
    Example:
      sentiment-platform alerts acknowledge 6827a604a9654d9d8118e1b8b2b2a8cc --note "the feed's owner mends it"
    """
    from sentiment_platform.alerts.acknowledgement import acknowledge as acknowledged
    from sentiment_platform.local.session import connected_session

    with connected_session() as (_, engine), engine.begin() as connection:
        known = acknowledged(connection, alert_id, by=getpass.getuser(), note=note, now=utc_now(), dry_run=dry_run)
    incident = known.incident
    how = "was acknowledged so before" if not known.changed else "would be acknowledged" if dry_run else "is acknowledged"
    said = f", note: {incident.acknowledged_note}" if incident.acknowledged_note else ""
    say(joined(styled(incident.id, "green"), f" {how} by {incident.acknowledged_by}{said}. {incident.summary}"))


def _described(incident: "StoredIncident") -> dict[str, Any]:
    from sentiment_platform.alerts.remedies import remedy_of

    return {
        "id": incident.id,
        "fingerprint": incident.fingerprint,
        "class": incident.category,
        "severity": incident.severity,
        "source": incident.source,
        "summary": incident.summary,
        "remedy": remedy_of(incident.source),
        "detail": incident.detail,
        "opened_at": incident.opened_at,
        "last_seen_at": incident.last_seen_at,
        "resolved_at": incident.resolved_at,
        "acknowledged_at": incident.acknowledged_at,
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_note": incident.acknowledged_note,
    }


def _row(incident: "StoredIncident") -> tuple[Any, ...]:
    return (
        incident.id,
        incident.severity,
        incident.category,
        incident.opened_at,
        incident.resolved_at,
        incident.summary,
        incident.acknowledged_by,
        incident.acknowledged_note,
    )
