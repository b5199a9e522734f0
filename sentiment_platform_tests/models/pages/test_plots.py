"""Pictures: real PNG bytes that show what they claim and can be read wherever they are looked at."""

import base64
import io
from typing import Any

import msgspec
import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.pages.drawing import PALETTE, as_markdown, blend, contrast
from sentiment_platform.models.pages.model_pictures import model_picture
from sentiment_platform.models.pages.plots import (
    confusion_panel,
    differences_png,
    drift_heatmap_png,
    panels_png,
    reliability_panel,
)
from sentiment_platform.models.version_figures import ShownFigures
from sentiment_platform.statistics.calibration import calibration_report
from sentiment_platform.statistics.drift.by_feature import drift_by_feature
from sentiment_platform.statistics.metrics import classification_report
from sentiment_platform.statistics.significance import paired_bootstrap
from sentiment_platform.statistics.softmax_regression import softmax


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    return y, *(softmax(rng.normal(size=(300, 3)) + strength * np.eye(3)[y]) for strength in (1.0, 1.8))


def drift_rows(shift):
    rng = np.random.default_rng(1)
    reference, current = rng.normal(size=(300, 3)), rng.normal(size=(300, 3))
    current[:, 1] += shift
    reference[:, 2] = current[:, 2] = np.nan
    return drift_by_feature(reference, current, ["first", "second", "absent"])


def pixels(png):
    from matplotlib.image import imread

    return np.asarray(imread(io.BytesIO(png), format="png"))


def share_of(colour, png):
    wanted = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return float((np.abs(pixels(png)[:, :, :3] - wanted).max(axis=2) < 0.01).mean())


def test_every_picture_is_an_opaque_png_of_a_sensible_size(answers):
    y, a, b = answers
    report = calibration_report(y, b, seed=0)
    pictures = [
        panels_png([confusion_panel(classification_report(y, b, seed=0).confusion, 0.7)]),
        panels_png([reliability_panel(report.bins, report.ece)]),
        differences_png([("b against a", paired_bootstrap(y, a, b, seed=0).difference)] * 3, metric="macro-F1", margin=0.03),
        drift_heatmap_png(drift_rows(1.0)),
    ]
    for png in pictures:
        image = pixels(png)
        assert 300 < image.shape[0] < 1000
        assert 350 < image.shape[1] < 1000
        assert share_of(PALETTE["paper"], png) > 0.15
        assert image.shape[2] == 3 or image[:, :, 3].min() == 1.0
        assert len(png) < 200_000


def test_three_panels_side_by_side_fit_the_window_of_the_dagster_ui(answers):
    y, _, b = answers
    panel = confusion_panel(classification_report(y, b, seed=0).confusion, 0.7)
    assert pixels(panels_png([panel] * 3)).shape[1] < 1100


def test_red_appears_only_where_something_drifted():
    assert share_of(PALETTE["red"], drift_heatmap_png(drift_rows(1.5))) > 0.05
    assert share_of(PALETTE["red"], drift_heatmap_png(drift_rows(0.0))) == 0.0


def test_a_perfect_confusion_matrix_has_full_blue_cells(answers):
    y = answers[0]
    assert (
        share_of(PALETTE["blue"], panels_png([confusion_panel(classification_report(y, np.eye(3)[y], seed=0).confusion, 1.0)]))
        > 0.1
    )


def test_models_without_any_difference_can_still_be_drawn(answers):
    y, a, _ = answers
    nothing = paired_bootstrap(y, a, a, seed=0).difference
    assert differences_png([("a against a", nothing)], metric="macro-F1", margin=0.03)
    with pytest.raises(PermanentError, match="no pair"):
        differences_png([], metric="macro-F1", margin=0.03)


def test_the_same_figures_make_the_same_bytes():
    assert drift_heatmap_png(drift_rows(1.0)) == drift_heatmap_png(drift_rows(1.0))


def test_colours_can_be_told_from_paper_and_text_read_on_every_cell():
    for name in ("grey", "blue", "orange", "green", "red"):
        assert contrast(PALETTE[name], PALETTE["paper"]) >= 3.0
    assert contrast(PALETTE["ink"], PALETTE["paper"]) >= 7.0
    for name in ("blue", "orange", "red"):
        for strength in np.linspace(0, 1, 21):
            fill = blend(PALETTE[name], float(strength))
            assert max(contrast("#ffffff", fill), contrast(PALETTE["ink"], fill)) >= 3.5


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_markdown_holds_the_picture_and_a_harmless_alt_text():
    png = drift_heatmap_png(drift_rows(0.0))
    markdown = as_markdown(png, "drift of [a]\n(today)")
    assert markdown.startswith("![drift of (a) (today)](data:image/png;base64,")
    assert base64.b64decode(markdown.partition("base64,")[2].removesuffix(")")) == png
    with pytest.raises(PermanentError):
        as_markdown(b"<svg/>", "not a picture")


def test_a_report_without_rows_is_refused():
    with pytest.raises(PermanentError):
        drift_heatmap_png([])


EPOCHS = [{"epoch": n, "macro_f1": 0.6 + 0.05 * n, "log_loss": 0.7 - 0.1 * n, "stage": f"stage {n // 3}"} for n in range(1, 5)]
LOSSES = [(10 * n, 1.0 / n) for n in range(1, 40)]
TRIALS = [
    {"number": n, "state": ("complete", "pruned", "failed")[n % 3], "value": n / 10 if n % 3 < 2 else None} for n in range(9)
]


def drawn(figures: dict[str, Any]) -> bytes | None:
    return model_picture(msgspec.convert(figures, ShownFigures))


def test_a_model_is_drawn_from_the_figures_of_its_manifest_and_from_nothing_else(answers) -> None:
    y, _, b = answers
    report = calibration_report(y, b, seed=0)
    figures: dict[str, Any] = {
        "training": {"losses": LOSSES, "epochs": EPOCHS, "best_epoch": 3},
        "search": {"trials": TRIALS, "best_value": 0.6, "importances": {"learning_rate": 0.7, "layer_decay": 0.3}},
        "confusion": [list(row) for row in classification_report(y, b, seed=0).confusion],
        "reliability": msgspec.to_builtins([row for row in report.bins if row.count]),
        "ece": report.ece,
    }
    whole = drawn(figures)
    assert whole is not None
    assert drawn({**figures, "training": {**figures["training"], "best_epoch": 2}}) != whole
    assert drawn({"training": {"n_train": 5}, "search": {"trials": [], "best": None}}) is None
    with pytest.raises(PermanentError):
        panels_png([])


def test_the_parts_of_a_model_stand_side_by_side_and_four_of_them_in_two_rows(answers) -> None:
    y, _, b = answers
    parts: dict[str, Any] = {
        "confusion": [list(row) for row in classification_report(y, b, seed=0).confusion],
        "training": {"losses": LOSSES, "epochs": EPOCHS, "best_epoch": 3},
        "search": {"trials": TRIALS, "best_value": 0.6, "importances": {}},
        "ece": 0.1,
        "reliability": msgspec.to_builtins([row for row in calibration_report(y, b, seed=0).bins if row.count]),
    }
    one, two, three, four = (
        pixels(drawn({name: parts[name] for name in names})).shape[:2]
        for names in (["confusion"], ["confusion", "training"], ["confusion", "training", "search"], list(parts))
    )
    assert [round(size[1] / one[1]) for size in (two, three, four)] == [2, 3, 2]
    assert [round(size[0] / one[0]) for size in (two, three, four)] == [1, 1, 2]
