"""Claims about the states of a version: they follow from documents, and a step that is not legal is refused."""

from itertools import product

import msgspec
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.registry.deployment import Arm, Deployment, Experiment, Shadow
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.lifecycle import STATES, STEPS, Documents, State, require_step, require_steps, state_of
from sentiment_platform_tests.registry.examples import deployment_of, manifest_of

V1, V2, V3 = "v1.0.0-vader", "v1.1.0-vader", "v1.2.0-vader"

# Everything that may not follow, written out by hand.
ILLEGAL: set[tuple[State, State]] = {
    ("registered", "retired"),  # it never answered
    ("champion", "registered"),
    ("champion", "shadow"),
    ("champion", "challenger"),
    ("champion", "archived"),  # it goes on where it runs, until another takes its place
    ("retired", "registered"),
    *(("archived", state) for state in STATES),
}


def running(
    version: str = V1, previous: Deployment | None = None, shadow: str | None = None, arm: str | None = None
) -> Deployment:
    document = deployment_of(manifest_of(version), previous=previous)
    if shadow:
        beside = Shadow(
            name="trial",
            phase=1,
            version=shadow,
            manifest_digest=digest(manifest_of(shadow)),
            beside=version,
            share=0.1,
            daily_cap=100,
        )
        document = msgspec.structs.replace(document, shadow=beside)
    if arm:
        arms = {name: Arm(name, digest(manifest_of(name)), 0.5) for name in (version, arm)}
        document = msgspec.structs.replace(document, experiment=Experiment("trial", 1, arms))
    return document


def known(document: Deployment | None, ran: set[str] | None = None, **more: object) -> Documents:
    return Documents(deployment=document, were_champions=ran or set(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("now", "then"), list(product(STATES, STATES)))
def test_what_may_follow_a_state_is_this_table(now: State, then: State) -> None:
    if (now, then) in ILLEGAL:
        with pytest.raises(PermanentError, match="is archived" if now == "archived" else "cannot become"):
            require_step(V1, now, then)
    else:
        require_step(V1, now, then)
    assert then == now or ((now, then) in ILLEGAL) == (then not in STEPS[now])


@pytest.mark.parametrize(
    ("state", "documents"),
    [
        ("registered", known(running())),
        ("registered", known(None)),
        ("challenger", known(running(), weighed={V2})),
        ("challenger", known(running(arm=V2))),
        ("shadow", known(running(shadow=V2), {V2})),
        ("champion", known(running(V2))),
        ("champion", known(running(V2), gone={V2})),
        ("retired", known(running(), {V1, V2})),
        ("archived", known(running(), {V1, V2}, gone={V2})),
        ("archived", known(None, gone={V2})),
    ],
)
def test_the_state_follows_from_the_documents(state: State, documents: Documents) -> None:
    assert state_of(V2, documents) == state


def test_a_life_goes_from_registered_to_retired_by_documents_alone() -> None:
    first = running()
    documents = known(first, {V1})
    seen = [state_of(V2, documents)]
    for following in (
        running(previous=first, shadow=V2),
        running(previous=first, arm=V2),
        running(V2, first),
        running(V3, first),
    ):
        require_steps(following, documents)
        documents = documents.after(following)
        seen.append(state_of(V2, documents))
    assert seen == ["registered", "shadow", "challenger", "champion", "retired"]


@pytest.mark.parametrize(
    ("document", "documents", "why"),
    [
        (running(V2), known(running(), gone={V2}), "v1.1.0-vader is archived"),
        (running(arm=V2), known(running(), gone={V2}), "v1.1.0-vader is archived"),
        (running(shadow=V2), known(running(), gone={V2}), "v1.1.0-vader is archived"),
        (running(V2, shadow=V1), known(running()), "v1.0.0-vader is a champion and cannot become shadow"),
        (running(V2, arm=V1), known(running()), "v1.0.0-vader is a champion and cannot become challenger"),
    ],
    ids=["promoted after its release is gone", "an arm then", "in shadow then", "demoted to shadow", "demoted to an arm"],
)
def test_a_deployment_with_an_illegal_step_is_refused(document: Deployment, documents: Documents, why: str) -> None:
    with pytest.raises(PermanentError, match=why):
        require_steps(document, documents)
    # The negative control: with the release there, and the other version in its place already, nothing speaks against it.
    require_steps(document, Documents(deployment=running(V3), were_champions={V1, V3}))
