"""Where a version stands in its life: derived from the newest deployment, the earlier ones, the gate's newest evidence and its release.

No state is kept anywhere. What a new deployment makes of a version is held against `STEPS` before it is signed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sentiment_platform.errors import PermanentError
from sentiment_platform.registry.deployment import Deployment

State = Literal["registered", "shadow", "challenger", "champion", "retired", "archived"]
STATES: tuple[State, ...] = get_args(State)
STEPS: Mapping[State, frozenset[State]] = {
    "registered": frozenset({"shadow", "challenger", "champion", "archived"}),
    "shadow": frozenset({"registered", "challenger", "champion", "retired", "archived"}),
    "challenger": frozenset({"registered", "shadow", "champion", "retired", "archived"}),
    "champion": frozenset({"retired"}),
    "retired": frozenset({"shadow", "challenger", "champion", "archived"}),
    "archived": frozenset(),
}
"""What may follow a state. To stay what it is a version always may, but for one that is archived: nothing names it any more."""
MEANING: Mapping[State, str] = {
    "registered": "published, and asked of nothing yet",
    "shadow": "answers a share of the requests beside a champion, and is never served",
    "challenger": "an arm of the running experiment, or weighed by the gate's newest evidence",
    "champion": "answers for its family",
    "retired": "was a champion; returns by a person's word, or by a rollback",
    "archived": "its release is gone, or no longer what was registered: it can run nowhere anew",
}


@dataclass(frozen=True, kw_only=True)
class Documents:
    """What states are derived from.

    Attributes:
        deployment: the newest one; None before the first.
        were_champions: every version that a deployment ever named as a champion.
        weighed: what the gate's newest evidence has of new versions.
        gone: versions whose release is known to be gone, or to be another than was registered.
    """

    deployment: Deployment | None
    were_champions: Collection[str] = ()
    weighed: Collection[str] = ()
    gone: Collection[str] = ()

    def after(self, document: Deployment) -> "Documents":
        """The same once `document` is the newest deployment."""
        ran = {*self.were_champions, *(self.deployment.versions().values() if self.deployment else ())}
        return Documents(deployment=document, were_champions=ran, weighed=self.weighed, gone=self.gone)


def state_of(version: str, documents: Documents) -> State:
    """Where `version` stands. A champion whose release is gone goes on where it runs, so it stays a champion."""
    deployment = documents.deployment
    if deployment is not None and version in deployment.versions().values():
        return "champion"
    if version in documents.gone:
        return "archived"
    if deployment is not None and deployment.shadow and deployment.shadow.version == version:
        return "shadow"
    if deployment is not None and version in deployment.models():
        return "challenger"
    if version in documents.were_champions:
        return "retired"
    return "challenger" if version in documents.weighed else "registered"


def require_step(version: str, now: State, then: State) -> None:
    """Pass only where `then` may follow `now`.

    Raises:
        PermanentError: it may not.
    """
    if now == "archived":
        raise PermanentError(
            f"{version} is archived: {MEANING['archived']}.",
            remedy="Publish it again under a new number, or choose another version; see `sentiment-platform models list`.",
        )
    if then != now and then not in STEPS[now]:
        raise PermanentError(
            f"{version} is a {now} and cannot become {then} in one step.",
            remedy="Let another version take its place first; the next deployment may then name it otherwise.",
        )


def require_steps(document: Deployment, documents: Documents) -> None:
    """Pass only where each version may become what `document` makes of it.

    Raises:
        PermanentError: a step is not legal, or a version would answer beside itself.
    """
    if document.shadow and document.shadow.version in document.versions().values():
        raise PermanentError(
            f"{document.shadow.version} answers, and cannot be in shadow as well.", remedy="Name another version, or no shadow."
        )
    before, after = documents.deployment, documents.after(document)
    for version in {*document.named_models(), *(before.named_models() if before else ())}:
        now, then = state_of(version, documents), state_of(version, after)
        # What nobody names any more may be archived with that; what is wanted may not be.
        if version in document.named_models() or then != "archived":
            require_step(version, now, then)
