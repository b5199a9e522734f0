"""What a person changes, as functions that make one call each, as in `calls`: every one needs an API key."""

from urllib.parse import quote

from serving.client.call import Call, post, put
from serving.contract.flag_bodies import FlagAnswer, FlagRequest
from serving.contract.incident_bodies import AcknowledgementAnswer, AcknowledgeRequest
from serving.contract.model_bodies import PromoteRequest, RollbackRequest, SelectionAnswer, SelectRequest


def select(
    family: str,
    version: str,
    reason: str,
    *,
    make_default: bool = False,
    expected_version: str | None = None,
    expected_revision: int | None = None,
    dry_run: bool = False,
) -> Call[SelectionAnswer]:
    """Let a version answer from now on, with `make_default` also where no family is named; needs a key of role admin."""
    body = SelectRequest(
        family=family,
        version=version,
        reason=reason,
        make_default=make_default,
        expected_version=expected_version,
        expected_revision=expected_revision,
        dry_run=dry_run,
    )
    return post("/models/select", SelectionAnswer, body)


def promote(
    version: str,
    reason: str,
    *,
    make_default: bool = False,
    expected_version: str | None = None,
    expected_revision: int | None = None,
    dry_run: bool = False,
) -> Call[SelectionAnswer]:
    """Ask for the first deployment of a version; needs a key of role promoter."""
    body = PromoteRequest(
        version=version,
        reason=reason,
        make_default=make_default,
        expected_version=expected_version,
        expected_revision=expected_revision,
        dry_run=dry_run,
    )
    return post("/models/promote", SelectionAnswer, body)


def roll_back(reason: str, *, expected_revision: int | None = None, dry_run: bool = False) -> Call[SelectionAnswer]:
    """Back to the deployment before; needs a key of role admin."""
    return post("/models/rollback", SelectionAnswer, RollbackRequest(reason, dry_run, expected_revision))


def acknowledge(alert_id: str, *, note: str | None = None, dry_run: bool = False) -> Call[AcknowledgementAnswer]:
    """Say that you know of an open alert; needs a key of role operator."""
    return post(f"/monitoring/alerts/{quote(alert_id, safe='')}/ack", AcknowledgementAnswer, AcknowledgeRequest(note, dry_run))


def set_flag(name: str, *, enabled: bool, reason: str, expected: bool | None = None, dry_run: bool = False) -> Call[FlagAnswer]:
    """Turn a switch; needs a key of role operator."""
    body = FlagRequest(enabled=enabled, reason=reason, expected=expected, dry_run=dry_run)
    return put(f"/flags/{quote(name, safe='')}", FlagAnswer, body)
