"""Which deployment may take the place of the one that runs: a chain of revisions goes forward, and each names the one before.

And which one a rollback goes back to.
"""

from collections.abc import Callable, Iterable

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


def rollback_target(newest_first: Iterable[Deployment], differs: Callable[[Deployment], bool]) -> Deployment | None:
    """The newest earlier deployment that differs from what runs, where what a rollback left stays left: never forth again.

    A rollback leaves every revision after the one that it restores. The newest revision with a content has the last word on it: left
    there, the content is not gone back to, however often it ran before. Chosen again after that, it has a newer revision.

    Args:
        newest_first: the running deployment, then those before it; read only as far as needed. Numbers may be missing.
        differs: whether a deployment has other content than what runs.
    """
    left: list[tuple[dict[str, str], str]] = []
    oldest_restored: int | None = None
    for place, document in enumerate(newest_first):
        content = document.models(), document.default_family
        if place and content not in left and differs(document):
            if oldest_restored is None or document.revision <= oldest_restored:
                return document
            left.append(content)
        restored = document.restores
        if restored is None and document.rule == "rollback":
            # It does not say what it restored: it left the one before it.
            restored = document.previous.revision - 1 if document.previous else 0
        if restored is not None:
            oldest_restored = restored if oldest_restored is None else min(oldest_restored, restored)
    return None
