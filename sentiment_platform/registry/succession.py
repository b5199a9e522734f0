"""Which deployment may take the place of the one that runs: a chain of revisions goes forward, and each names the one before."""

from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.refusal import Refused


def require_successor(document: Deployment, data: bytes, known: Deployment) -> None:
    """Raise `Refused` (older_revision) unless `document`, whose exact bytes are `data`, is `known`, follows from it or comes later.

    What comes later need not name `known`: where its release and the database were lost, its writer could not know it.
    """
    remedy = "Find out who offers it; what runs stays. Was a release deleted? `sentiment-platform models restore` publishes what it said anew."
    if document.revision < known.revision:
        raise Refused(
            f"Revision {document.revision} is older than the running {known.revision}.", reason="older_revision", remedy=remedy
        )
    previous = document.previous
    named = digest(data) if document.revision == known.revision else None
    if named is None and previous is not None and previous.revision == known.revision:
        named = previous.digest
    if named not in (None, known.as_previous().digest):
        raise Refused(
            f"Revision {document.revision} does not follow from the running {known.revision}.",
            reason="older_revision",
            remedy=remedy,
        )
