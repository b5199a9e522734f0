"""What a named person wants deployed, for `next_revision.publish` to ask under the lease: a promotion, a rollback, a restored revision."""

from collections.abc import Sequence

from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.choice import ChosenPair
from sentiment_platform.promotion.grounds import choice_evidence
from sentiment_platform.promotion.next_revision import Intent
from sentiment_platform.registry.deployment import Deployment, Evidence
from sentiment_platform.registry.succession import rollback_target
from sentiment_platform.store.deployments import deployments, get_deployment, latest_deployment
from sentiment_platform.store.versions import get_version


def intent_of_promotion(
    engine: Engine, version: str, actor: str, reason: str, pairs: Sequence[ChosenPair] | None = None
) -> Intent:
    """A named person's word: `version` becomes champion of its family and its family the default; for `publish` to ask.

    Args:
        pairs: what the comparison with what runs says (`grounds.weigh_promotion`), for the document.

    Raises:
        PermanentError: the version is not registered.
    """
    with engine.connect() as connection:
        registered = get_version(connection, version)
        current = latest_deployment(connection)
    if registered is None:
        raise PermanentError(f"{version} is not registered here.", remedy="See `sentiment-platform models list`.")
    champions = (current.versions() if current else {}) | {registered.family: version}
    evidence = choice_evidence(f"Promoted by {actor}: {reason}", pairs)
    return Intent(
        champions=champions, default_family=registered.family, rule="manual", actor=actor, reason=reason, evidence=evidence
    )


def intent_of_rollback(
    engine: Engine, actor: str, reason: str, to_revision: int | None = None, pairs: Sequence[ChosenPair] | None = None
) -> Intent:
    """What ran before: the content of `to_revision`, or of `rollback_target`; for `publish` to ask.

    Raises:
        PermanentError: there is nothing to go back to.
    """
    with engine.connect() as connection:
        documents = [mirrored.document for mirrored in deployments(connection, limit=None)]
    if not documents:
        raise PermanentError("Nothing has been deployed yet.", remedy="Run `sentiment-platform run train_job` first.")
    earlier = (
        rollback_target(documents, lambda one: _content(one) != _content(documents[0]))
        if to_revision is None
        else next((one for one in documents[1:] if one.revision == to_revision), None)
    )
    if earlier is None:
        raise PermanentError(
            _no_way_back(documents[0], to_revision),
            remedy="`sentiment-platform models list` shows every deployment; `models rollback --to N` takes any of them.",
        )
    return Intent(
        champions=earlier.versions(),
        default_family=earlier.default_family,
        rule="rollback",
        actor=actor,
        reason=reason,
        evidence=choice_evidence(f"Rollback to the content of {earlier.tag}.", pairs, restores=earlier.revision),
    )


def _content(document: Deployment) -> tuple[dict[str, str], str]:
    return document.models(), document.default_family


def _no_way_back(running: Deployment, to_revision: int | None) -> str:
    if to_revision is None:
        return f"There is no earlier deployment than {running.tag} with other content that no rollback left."
    return f"Revision {to_revision} is {'what runs now' if to_revision == running.revision else 'not known here'}."


def intent_of_restore(engine: Engine, revision: int, actor: str, reason: str) -> Intent:
    """The content of a mirrored revision again, whatever became of its release; for `publish` to ask.

    Raises:
        PermanentError: the database does not know the revision.
    """
    with engine.connect() as connection:
        mirrored = get_deployment(connection, revision)
    if mirrored is None:
        raise PermanentError(
            f"Revision {revision} is not known here.", remedy="`sentiment-platform models list` shows every deployment that is."
        )
    document = mirrored.document
    return Intent(
        champions=document.versions(),
        default_family=document.default_family,
        rule="rollback",
        actor=actor,
        reason=reason,
        evidence=Evidence((), (), {"restores": revision}, f"The content of {document.tag} was published again."),
    )
