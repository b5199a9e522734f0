"""Claims about selections: a signed deployment vouches for each, one at hand needs no registry, and what was given up stays so."""

from dataclasses import replace

import pytest

from sentiment_platform.errors import TransientError
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.refusal import Refused
from sentiment_platform_tests.registry.examples import deployment_of, manifest_of
from sentiment_platform_tests.serving.live.selected import selection
from serving.live.selections import Selections

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
