"""The rows behind people's selections: requests that the graph publishes as a deployment, and the audit trail.

A selection names a version that an earlier or the current signed deployment names; nothing else may ever run.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from serving.contract.model_bodies import ExchangedPair
from serving.journal.journal_records import RollbackRecord
from serving.live.selections import Selection, StaleRevision, require_no_rollback, standing, superseded

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from sentiment_platform.registry.deployment import Deployment
    from sentiment_platform.store.selections import RequestedSelection
    from serving.live.snapshot import Content


def open_selections(connection: "Connection", live_revision: int = 0) -> list[Selection]:
    """Choices that no deployment up to `live_revision` covers, as they were decided; one that no deployment ever named is passed over."""
    from sentiment_platform.store.selections import open_selection_requests

    requests = open_selection_requests(connection, published_after=live_revision or None)
    named = _newest_naming(connection, {request.version for request in requests})
    return [
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
        for request in requests
        # What a rollback goes back to names its version, also where the mirror has lost that.
        if (revision := named.get(request.version) or request.restores) is not None
    ]


def revision_naming(connection: "Connection", version: str) -> int | None:
    """The newest mirrored deployment that names `version` as a champion or an arm."""
    return _newest_naming(connection, {version}).get(version)


def _newest_naming(connection: "Connection", versions: set[str]) -> dict[str, int]:
    from sentiment_platform.store.deployments import deployments

    found: dict[str, int] = {}
    for mirrored in deployments(connection, limit=1000) if versions else ():
        for version in versions & mirrored.document.models().keys():
            found.setdefault(version, mirrored.document.revision)
        if len(found) == len(versions):
            break
    return found


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
        ConflictError: another deployment than the expected one was published meanwhile, or, of a rollback, another one answers already.
    """
    from sentiment_platform.store.audit import record
    from sentiment_platform.store.deployments import latest_deployment
    from sentiment_platform.store.selections import request_selection

    newest = latest_deployment(connection)
    for selection in selections:
        require_newest(newest, selection.expected_revision)
    standing_now = _standing(connection, newest)
    if newest is not None and any(selection.restores is not None for selection in selections):
        require_no_rollback(standing_now, newest)
    ends = _supersede(connection, standing_now, selections, newest)
    for selection in selections:
        request_selection(connection, _requested(selection), refusal=ends.get(selection.request_id))
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


def require_newest(newest: "Deployment | None", expected: int | None) -> None:
    """Pass where `newest`, the newest that is stored, is not later than `expected`; raises StaleRevision."""
    if newest is not None and expected is not None and newest.revision > expected:
        raise StaleRevision(
            f"{newest.tag} was published meanwhile ({newest.rule} by {newest.actor}); this was decided on revision {expected}.",
            remedy="Look at GET /models/status and decide again.",
        )


def enter_rollback(connection: "Connection", record: RollbackRecord, *, entered_at: datetime) -> None:
    """The requests and the audit row of a rollback that answered before the database had it; nothing where they are there.

    It overrides no deployment that was published since, and no rollback that answers: then its requests are refused from the start, and
    the audit row says so.
    """
    from sentiment_platform.store import audit
    from sentiment_platform.store.deployments import latest_deployment
    from sentiment_platform.store.selections import enter_selection, entered_requests

    newest = latest_deployment(connection)
    standing_now = [one for one in _standing(connection, newest) if one.request_id not in record.requests.values()]
    selections, refusal = selections_of(record), None
    ends: dict[str, str] = {}
    another = f"Another rollback from revision {record.leaves} was recorded before the database heard of it."
    if newest is not None and newest.revision > record.leaves:
        refusal = f"It was decided on revision {record.leaves}; {newest.tag} was published before the database heard of it."
    elif standing_now and standing_now[-1].restores is not None:
        refusal = another
    else:
        ends = _supersede(connection, standing_now, selections, newest)

    def enter() -> bool:
        whys = {one.request_id: refusal or ends.get(one.request_id) for one in selections}
        entered = [enter_selection(connection, _requested(one), refusal=whys[one.request_id]) for one in selections]
        return any(entered)

    if not enter():
        if entered_requests(connection, list(record.requests.values())):
            return
        # Another one was committed at that moment, and is seen only now.
        refusal = another
        enter()
    detail = {
        "reason": record.reason,
        "before": record.before,
        "after": record.before | record.versions,
        "default_family": {"before": record.default_family_before, "after": record.default_family},
        "leaves": record.leaves,
        "requests": list(record.requests.values()),
        "entered_at": entered_at.isoformat(),
        "overtaken": refusal or next((ends[one] for one in record.requests.values() if one in ends), None),
    }
    subject = ", ".join(record.versions.values())
    audit.record(connection, at=record.decided_at, actor=record.actor, action="models:rollback", subject=subject, detail=detail)


def _standing(connection: "Connection", newest: "Deployment | None") -> list[Selection]:
    """The choices that answer on top of the newest deployment, in the order in which they were decided."""
    selections = open_selections(connection)
    return standing(selections, newest) if newest is not None else selections


def _supersede(
    connection: "Connection", standing_now: list[Selection], selections: list[Selection], newest: "Deployment | None"
) -> dict[str, str]:
    """Close the requests that change nothing beside `selections`; request id -> why, of each that is superseded.

    One of `selections` is where somebody chose after it was decided, before it got here. A promotion (revision 0) answers only once it
    is published: until then nothing is superseded by it.
    """
    from sentiment_platform.store.selections import refuse_selection_request

    answering = [one for one in selections if one.revision > 0]
    in_order = sorted([*standing_now, *answering], key=lambda one: one.requested_at)
    ends = {
        request_id: f"Superseded by the request of {by.actor} for {by.version} ({by.request_id})."
        for request_id, by in superseded(in_order, newest.default_family if newest is not None else None).items()
    }
    for one in standing_now:
        if one.request_id in ends:
            refuse_selection_request(connection, one.request_id, ends[one.request_id])
    return ends


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
