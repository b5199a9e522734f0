"""What people asked for in serving: merged into what runs, refused where it can never be, settled once it is published."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine

from sentiment_platform.experiments.choice import ChosenPair
from sentiment_platform.promotion.grounds import choice_evidence, sentence
from sentiment_platform.promotion.next_revision import Intent
from sentiment_platform.promotion.online import Online
from sentiment_platform.registry.deployment import AUTO_ROLLBACK, Deployment, Rule
from sentiment_platform.store import audit
from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.selections import (
    OpenSelectionRequest,
    close_selection_requests,
    open_selection_requests,
    refuse_selection_request,
)
from sentiment_platform.store.versions import get_version


@dataclass(frozen=True, kw_only=True)
class Requested:
    """Everything that people asked for, merged into what runs; `newest` is the request that decides, `requests` are those that it settles.

    `rule`: rollback where what counts of them is one rollback. `restores`: what a rollback among them goes back to, also where people
    chose something on top: what it left stays left. `left`: the version that serving's own watch sent back with it.
    """

    champions: Mapping[str, str]
    default_family: str
    newest: OpenSelectionRequest
    requests: Sequence[OpenSelectionRequest]
    rule: Rule
    restores: int | None
    left: str | None = None

    @property
    def content(self) -> tuple[Mapping[str, str], str]:
        """Family -> version, and the default family."""
        return self.champions, self.default_family

    def intent(self, pairs: Sequence[ChosenPair]) -> Intent:
        """What to publish; `pairs` is what the comparison with what runs says."""
        actor, reason = self.newest.actor, self.newest.reason
        restored: dict[str, int | str] = {} if self.restores is None else {"restores": self.restores}
        if self.left is not None:
            restored["left"] = self.left
        said = sentence(f"Requested by {actor}: {reason}")
        if self.restores is not None and self.rule == "manual":
            said += f" It includes a rollback to the content of revision {self.restores}."
        return Intent(
            champions=self.champions,
            default_family=self.default_family,
            rule=self.rule,
            actor=actor,
            reason=reason,
            evidence=choice_evidence(said, pairs, **restored),
            # Whoever goes back wants nothing more tried, whatever is chosen on top.
            online=None if self.restores is None else Online(),
        )

    def holds(self, request: OpenSelectionRequest) -> bool:
        """Whether what is merged names its version."""
        return self.champions[request.family] == request.version


def requested_content(engine: Engine) -> Requested | None:
    """What the open requests of people ask for together; None where there is none, or nothing runs yet."""
    with engine.connect() as connection:
        requests = open_selection_requests(connection)
        current = latest_deployment(connection)
    if not requests or current is None:
        return None
    champions = current.versions() | {request.family: request.version for request in requests}
    named = [request.default_family for request in requests if request.default_family is not None]
    # What a later request replaced counts no more.
    counting = [request for request in requests if champions[request.family] == request.version]
    acts = {(request.expected_revision, request.restores) for request in counting}
    restores = next((request.restores for request in reversed(counting) if request.restores is not None), None)
    left = [version for family, version in current.versions().items() if champions[family] != version]
    return Requested(
        left=left[0] if left and requests[-1].actor.startswith(AUTO_ROLLBACK) else None,
        champions=champions,
        default_family=named[-1] if named else current.default_family,
        newest=requests[-1],
        requests=requests,
        rule="rollback" if restores is not None and len(acts) == 1 else "manual",
        restores=restores,
    )


def refuse_impossible_requests(engine: Engine, now: Callable[[], datetime]) -> list[str]:
    """Settle the open requests that no deployment can meet, or may meet any more, each with an audit row; the reasons."""
    refused: list[str] = []
    with engine.begin() as connection:
        running = latest_deployment(connection)
        for request in open_selection_requests(connection):
            reason = _not_registered(connection, request) or _was_overtaken(request, running)
            if reason and refuse_selection_request(connection, request.request_id, reason):
                detail = {"request_id": request.request_id, "requested_by": request.actor, "reason": reason}
                audit.record(
                    connection, at=now(), actor="graph", action="selection:refused", subject=request.version, detail=detail
                )
                refused.append(reason)
    return refused


def _not_registered(connection: Connection, request: OpenSelectionRequest) -> str:
    registered = get_version(connection, request.version)
    known = registered is not None and registered.family == request.family
    return "" if known else f"{request.version} is not a registered version of {request.family}."


def _was_overtaken(request: OpenSelectionRequest, running: Deployment | None) -> str:
    """Why it no longer holds: it was decided on a revision that was left meanwhile, for something else than it asks for."""
    expected = request.expected_revision
    if running is None or expected is None or running.revision <= expected:
        return ""
    wanted = (request.version, request.default_family or running.default_family)
    if (running.versions().get(request.family), running.default_family) == wanted:
        # A run that died after it published this has left it open; else somebody wanted the same.
        return ""
    return (
        f"It was decided on revision {expected}; {running.tag} was published since ({running.rule} by {running.actor}). "
        "Look at what answers now, and decide again."
    )


def settle_requests(engine: Engine, requested: Requested, revision: int) -> None:
    """Mark those that `revision` names as published with it, and those that others replaced as superseded.

    A rollback from `revision` itself is no part of it: it was undone before anything was published.
    """

    def is_met(request: OpenSelectionRequest) -> bool:
        return requested.holds(request) and (request.restores is None or request.expected_revision != revision)

    met = [request for request in requested.requests if is_met(request)]
    with engine.begin() as connection:
        close_selection_requests(connection, [request.id for request in met], revision)
        for request in requested.requests:
            if request not in met:
                by = next((one for one in reversed(met) if one.family == request.family), requested.newest)
                reason = (
                    f"Superseded by the request of {by.actor} for {by.version} ({by.request_id}), published as deploy {revision}."
                )
                close_selection_requests(connection, [request.id], revision, superseded=reason)
