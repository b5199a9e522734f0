"""Which deployment may take the place of the one that runs: a chain of revisions goes forward, and each names the one before."""

from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.refusal import Refused


def require_successor(document: Deployment, data: bytes, known: Deployment) -> None:
    """Raise `Refused` (older_revision) unless `document`, whose exact bytes are `data`, is `known`, follows from it or comes later."""
    remedy = "Find out who offers it; what runs stays. After a deliberate restart of the registry, clear the cache folder."
    if document.revision < known.revision:
        raise Refused(
            f"Revision {document.revision} is older than the running {known.revision}.", reason="older_revision", remedy=remedy
        )
    known_digest = known.as_previous().digest
    expected = {known.revision: digest(data), known.revision + 1: document.previous.digest if document.previous else ""}
    if expected.get(document.revision, known_digest) != known_digest:
        raise Refused(
            f"Revision {document.revision} does not follow from the running {known.revision}.",
            reason="older_revision",
            remedy=remedy,
        )
