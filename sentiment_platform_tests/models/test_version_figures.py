"""Figures of a manifest, read by their fields."""

import msgspec
import pytest

from sentiment_platform.models.version_figures import OriginFigures, ShownFigures, origin_figures, shown_figures
from sentiment_platform_tests.registry.examples import manifest_of


def test_a_manifest_without_figures_has_none_to_show() -> None:
    manifest = msgspec.structs.replace(manifest_of(), figures={})
    assert (origin_figures(manifest), shown_figures(manifest)) == (OriginFigures(), ShownFigures())


def test_training_reads_where_a_version_comes_from_whatever_its_other_figures_look_like() -> None:
    odd = {"options_digest": "0af1", "champion": "77c2", "ece": "small", "confusion": 3, "lineage": {"start": "base"}}
    manifest = msgspec.structs.replace(manifest_of(), figures=odd)
    assert origin_figures(manifest) == OriginFigures(options_digest="0af1", champion="77c2")
    with pytest.raises(msgspec.ValidationError):
        shown_figures(manifest)
