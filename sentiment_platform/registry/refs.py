"""Taking a deployment's tag: the compare-and-swap of the registry.

Creating a git ref succeeds once; the second creation is refused. The ref points at an annotated tag whose message names the
document, so that a writer recognises its own ref when the answer to its creation was lost.
Source: https://docs.github.com/en/rest/git/refs#create-a-reference
"""

from sentiment_platform.registry.connection import Connection, UnprocessableError
from sentiment_platform.registry.drafts import Step
from sentiment_platform.registry.reply_status import NotFoundError


class DeploymentRefs:
    """Refs of one repository's deployments."""

    def __init__(self, connection: Connection, step: Step) -> None:
        self._connection = connection
        self._step = step

    def take(self, tag: str, document_digest: str) -> bool:
        """Take `tag` for the document; False when it is another's. Taking it again for the same document is True."""
        return self._connection.steady(lambda: self._take(tag, document_digest))

    def adopt(self, tag: str, document_digest: str) -> None:
        """Point the existing tag of an abandoned attempt at this document."""

        def adopt() -> None:
            sha = self._tag_object(tag, document_digest)
            self._connection.repository.get_git_ref(f"tags/{tag}").edit(sha, force=True)

        self._connection.steady(adopt)
        self._step("tag adopted")

    def names(self) -> list[str]:
        """Every tag of the repository that a model or a deployment may have; those of deleted releases are among them."""
        repository = self._connection.repository
        prefixes = ("tags/deploy-", "tags/v")
        refs = self._connection.steady(
            lambda: [ref.ref for prefix in prefixes for ref in repository.get_git_matching_refs(prefix)]
        )
        return [ref.removeprefix("refs/tags/") for ref in refs]

    def owner(self, tag: str) -> str | None:
        """The document that `tag` was taken for, "" if it does not say, None if it is free."""
        return self._connection.steady(lambda: self._owner(tag))

    def _take(self, tag: str, document_digest: str) -> bool:
        owner = self._owner(tag)
        if owner is not None:
            return owner == document_digest
        sha = self._tag_object(tag, document_digest)
        self._step("tag object created")
        try:
            with self._connection.errors():
                self._connection.repository.create_git_ref(f"refs/tags/{tag}", sha)
        except UnprocessableError:
            return self._owner(tag) == document_digest
        self._step("tag taken")
        return True

    def _owner(self, tag: str) -> str | None:
        """The document that `tag` was taken for, "" if it does not say, None if it is free."""
        repository = self._connection.repository
        try:
            with self._connection.errors():
                target = repository.get_git_ref(f"tags/{tag}").object
                if target.type != "tag":
                    return ""
                return repository.get_git_tag(target.sha).message.strip()
        except NotFoundError:
            return None

    def _tag_object(self, tag: str, document_digest: str) -> str:
        repository = self._connection.repository
        with self._connection.errors():
            head = repository.get_git_ref(f"heads/{repository.default_branch}").object.sha
            return repository.create_git_tag(tag, document_digest, head, "commit").sha
