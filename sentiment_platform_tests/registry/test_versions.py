"""Claims about tags and their order."""

import random

import pytest

from sentiment_platform.registry.versions import DeploymentTag, TagRefused, VersionTag, next_version


def test_versions_are_ordered_by_number_not_by_text() -> None:
    tags = ["v1.0.0-vader", "v1.2.0-vader", "v1.10.0-vader", "v2.0.0-vader", "v10.0.0-vader"]
    shuffled = random.Random(7).sample(tags, len(tags))
    assert [str(version) for version in sorted(map(VersionTag.parse, shuffled))] == tags


def test_versions_of_two_families_have_no_order() -> None:
    with pytest.raises(TagRefused):
        sorted([VersionTag.parse("v1.0.0-vader"), VersionTag.parse("v1.0.0-finbert")])


@pytest.mark.parametrize(
    "tag",
    [
        "1.0.0-vader",
        "v1.0-vader",
        "v1.0.0",
        "v01.0.0-vader",
        "v1.0.0-Vader",
        "v1.0.0-vader\n",
        "v1.0.0-vader-2",
        "v1.0.٣-vader",
        "",
    ],
)
def test_anything_else_is_no_version(tag: str) -> None:
    assert VersionTag.find(tag) is None
    with pytest.raises(TagRefused):
        VersionTag.parse(tag)


@pytest.mark.parametrize(
    ("change", "expected"), [("patch", "v1.10.3-vader"), ("minor", "v1.11.0-vader"), ("major", "v2.0.0-vader")]
)
def test_the_next_version_follows_the_highest_of_its_family(change, expected: str) -> None:
    existing = ["v1.9.9-vader", "v1.10.2-vader", "v7.0.0-finbert", "deploy-000009", "0.1.0", "nightly"]
    assert str(next_version(existing, "vader", change)) == expected


def test_a_third_family_starts_at_one() -> None:
    assert str(next_version(["v3.0.0-vader"], "llama", "patch")) == "v1.0.0-llama"


def test_deployment_tags_have_six_digits_and_sort_by_revision() -> None:
    assert str(DeploymentTag(42)) == "deploy-000042"
    assert DeploymentTag.parse("deploy-000042") == DeploymentTag(42)
    assert DeploymentTag(9) < DeploymentTag(10)
    for tag in ("deploy-42", "deploy-000000", "deploy-0000042", "v1.0.0-vader", "deploy-000042\n", "deploy-٠٠٠٠٤٢"):
        assert DeploymentTag.find(tag) is None
        with pytest.raises(TagRefused):
            DeploymentTag.parse(tag)
