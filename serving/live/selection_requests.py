"""The rows behind people's selections: requests that the graph publishes as a deployment, and the audit trail.

A selection names a version that an earlier or the current signed deployment names; nothing else may ever run.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from serving.contract.model_bodies import ExchangedPair
from serving.journal.journal_records import RollbackRecord
from serving.live.selections import Selection, StaleRevision

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.store.selections import RequestedSelection
    from serving.live.snapshot import Content


def open_selections(connection: "Connection", live_revision: int = 0) -> list[Selection]:
    """Choices that no deployment up to `live_revision` covers, as they were decided; one that no deployment ever named is passed over."""
    from sentiment_platform.store.selections import open_selection_requests

    selections: list[Selection] = []
    for request in open_selection_requests(connection, published_after=live_revision or None):
        revision = revision_naming(connection, request.version)
        if revision is not None:
            selections.append(
                Selection(
                    request_id=request.request_id,
                    family=request.family,
                    version=request.version,
                    revision=revision,
                    actor=request.actor,
                    reason=request.reason,
                    requested_at=request.requested_at,
                    expected_revision=request.expected_revision,
                    restores=request.restores,
                    default_family=request.default_family,
                )
            )
    return selections


def revision_naming(connection: "Connection", version: str) -> int | None:
    """The newest mirrored deployment that names `version` as a champion or an arm."""
    from sentiment_platform.store.deployments import deployments

    for mirrored in deployments(connection, limit=1000):
        if version in mirrored.document.models():
            return mirrored.document.revision
    return None


def asked_before(connection: "Connection", version: str) -> str | None:
    """The id of a request for `version` that is still open."""
    from sentiment_platform.store.selections import open_selection_requests

    return next((request.request_id for request in open_selection_requests(connection) if request.version == version), None)


def registered_digest(connection: "Connection", version: str) -> str | None:
    """The manifest digest under which `version` was published."""
    from sentiment_platform.store.versions import get_version

    registered = get_version(connection, version)
    return registered.manifest_digest if registered else None


def record_selections(
    connection: "Connection",
    selections: list[Selection],
    *,
    action: str,
    before: "Content",
    after: "Content",
) -> None:
    """The requests of one person's change, and its audit row with what changed, in the transaction of `connection`.

    Raises:
        ConflictError: another deployment than the expected one was published meanwhile, or another rollback leaves it already.
    """
    from sentiment_platform.store.audit import record
    from sentiment_platform.store.deployments import latest_deployment
    from sentiment_platform.store.selections import request_selection

    newest = latest_deployment(connection)
    for selection in selections:
        expected = selection.expected_revision
        if newest is not None and expected is not None and newest.revision > expected:
            raise StaleRevision(
                f"{newest.tag} was published meanwhile ({newest.rule} by {newest.actor}); this was decided on revision {expected}.",
                remedy="Look at GET /models/status and decide again.",
            )
        request_selection(connection, _requested(selection))
    asked = selections[0]
    detail = {
        "reason": asked.reason,
        "before": before[0],
        "after": after[0],
        "default_family": {"before": before[1], "after": after[1]},
        "leaves": asked.expected_revision,
        "requests": [selection.request_id for selection in selections],
    }
    subject = ", ".join(selection.version for selection in selections)
    record(connection, at=asked.requested_at, actor=asked.actor, action=action, subject=subject, detail=detail)


def enter_rollback(connection: "Connection", record: RollbackRecord, *, entered_at: datetime) -> None:
    """The requests and the audit row of a rollback that answered before the database had it; nothing where they are there.

    It overrides no deployment that was published since, and no other rollback: then its requests are refused from the start, and the
    audit row says so.
    """
    from sentiment_platform.store import audit
    from sentiment_platform.store.deployments import latest_deployment
    from sentiment_platform.store.selections import another_rollback, enter_selection, entered_requests

    newest = latest_deployment(connection)
    refusal = None
    if newest is not None and newest.revision > record.leaves:
        refusal = f"It was decided on revision {record.leaves}; {newest.tag} was published before the database heard of it."
    elif another_rollback(connection, record.leaves, list(record.requests.values())):
        refusal = f"Another rollback from revision {record.leaves} was recorded before the database heard of it."
    entered = [enter_selection(connection, _requested(selection), refusal=refusal) for selection in selections_of(record)]
    if not any(entered):
        if not entered_requests(connection, list(record.requests.values())):
            # Another one was committed at that moment, and is seen only now.
            enter_rollback(connection, record, entered_at=entered_at)
        return
    detail = {
        "reason": record.reason,
        "before": record.before,
        "after": record.before | record.versions,
        "default_family": {"before": record.default_family_before, "after": record.default_family},
        "leaves": record.leaves,
        "requests": list(record.requests.values()),
        "entered_at": entered_at.isoformat(),
        "overtaken": refusal,
    }
    subject = ", ".join(record.versions.values())
    audit.record(connection, at=record.decided_at, actor=record.actor, action="models:rollback", subject=subject, detail=detail)


def selections_of(record: RollbackRecord) -> list[Selection]:
    """The choice of each family."""
    return [
        Selection(
            request_id=record.requests[family],
            family=family,
            version=version,
            revision=record.restores,
            actor=record.actor,
            reason=record.reason,
            requested_at=record.decided_at,
            expected_revision=record.leaves,
            restores=record.restores,
            default_family=record.default_family,
        )
        for family, version in record.versions.items()
    ]


def _requested(selection: Selection) -> "RequestedSelection":
    from sentiment_platform.store.selections import RequestedSelection

    return RequestedSelection(
        request_id=selection.request_id,
        family=selection.family,
        version=selection.version,
        actor=selection.actor,
        reason=selection.reason,
        requested_at=selection.requested_at,
        expected_revision=selection.expected_revision,
        restores=selection.restores,
        default_family=selection.default_family,
    )


def exchanged(connection: "Connection", before: "Content", after: "Content") -> list[ExchangedPair]:
    """What the newest stored comparison says of each version that `after` puts in the place of one of `before`."""
    from sentiment_platform.experiments.choice import pairs_of_choice, read_choice

    return [
        ExchangedPair(
            champion=pair.champion,
            challenger=pair.challenger,
            verdict=pair.verdict,
            speaks_against=pair.speaks_against,
            words=pair.words,
        )
        for pair in read_choice(connection, pairs_of_choice(before, after))
    ]
