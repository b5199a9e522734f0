"""Claims about selections: a signed deployment vouches for each, one at hand needs no registry, and what was given up stays so."""

from dataclasses import replace

import pytest

from sentiment_platform.errors import TransientError
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.refusal import Refused
from sentiment_platform_tests.registry.examples import deployment_of, manifest_of
from sentiment_platform_tests.serving.live.selected import selection
from serving.live.selections import Selection, Selections, superseded

FIRST, SECOND = manifest_of("v1.0.0-vader"), manifest_of("v1.0.1-vader")


def test_a_version_that_a_deployment_at_hand_names_needs_no_registry() -> None:
    selections = Selections(None)
    with pytest.raises(TransientError, match="Revision 1 is not at hand"):
        selections.manifest_digest(selection(FIRST.version))
    first = deployment_of(FIRST)
    selections.remember(first)
    selections.remember(deployment_of(SECOND, previous=first))
    assert selections.manifest_digest(selection(FIRST.version)) == digest(FIRST)
    # Its own revision is not at hand, but the one that runs names it too.
    assert selections.manifest_digest(selection(SECOND.version, revision=9)) == digest(SECOND)


def test_a_version_that_its_revision_does_not_name_is_refused() -> None:
    selections = Selections(None)
    selections.remember(deployment_of(FIRST))
    with pytest.raises(Refused) as refused:
        selections.manifest_digest(selection(SECOND.version))
    assert refused.value.reason == "wrong_model"


def test_only_what_was_given_up_or_overtaken_is_left_out() -> None:
    selections = Selections(None)
    first = deployment_of(FIRST)
    second = deployment_of(SECOND, previous=first)
    bad, good = selection(FIRST.version, request_id="bad"), selection(FIRST.version, request_id="good")
    early = replace(good, request_id="early", expected_revision=1)
    assert selections.usable([bad, good, early], first) == [bad, good, early]
    selections.give_up(bad)
    assert selections.usable([bad, good, early], first) == [good, early]
    assert selections.usable([bad, good, early], second) == [good]


def asked(name: str, family: str, version: str, *, default: str | None = None, restores: int | None = None) -> Selection:
    chosen = selection(f"{version}-{family}", request_id=name)
    return replace(chosen, family=family, default_family=default, restores=restores, expected_revision=3)


@pytest.mark.parametrize(
    ("choices", "gone"),
    [
        ([asked("back", "vader", "v1.0.0", default="vader", restores=1), asked("select", "vader", "v1.0.1")], {"back": "select"}),
        # Another family, or the same wish of somebody else, takes nobody's place.
        ([asked("one", "vader", "v1.0.0"), asked("two", "finbert", "v1.0.0"), asked("three", "vader", "v1.0.0")], {}),
        # It decides who answers where none is named, until somebody names another family.
        ([asked("one", "finbert", "v1.0.0", default="finbert"), asked("two", "finbert", "v1.0.1")], {}),
        (
            [
                asked("one", "finbert", "v1.0.0", default="finbert"),
                asked("two", "finbert", "v1.0.1"),
                asked("three", "vader", "v1.0.0", default="vader"),
            ],
            {"one": "two"},
        ),
        # What both rollbacks name is the later one's.
        (
            [
                asked("back", "vader", "v1.0.0", default="vader", restores=2),
                asked("select", "finbert", "v1.0.1"),
                asked("again", "vader", "v1.0.0", default="vader", restores=1),
            ],
            {"back": "again"},
        ),
    ],
)
def test_a_choice_is_superseded_once_it_changes_nothing_any_more(choices: list[Selection], gone: dict[str, str]) -> None:
    told = {name: by.request_id for name, by in superseded(choices, "vader").items()}
    assert told == gone
    left = [one for one in choices if one.request_id not in told]
    assert content(left) == content(choices)


def content(choices: list[Selection]) -> tuple[dict[str, str], str | None]:
    named = [one.default_family for one in choices if one.default_family is not None]
    return {one.family: one.version for one in choices}, named[-1] if named else "vader"
