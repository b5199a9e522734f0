"""The card of a version: the same sections for every family, what stands in it, and the script that needs nothing of ours."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import msgspec
import numpy as np
import pytest

from sentiment_platform.models.evaluation.baselines import measure_baselines
from sentiment_platform.models.evaluation.golden import golden_answers
from sentiment_platform.models.families import FAMILIES, load_model
from sentiment_platform.models.model_card import NOT_RECORDED, model_card
from sentiment_platform.models.versions.description import described_data
from sentiment_platform.starters.packaged import packaged_folder, packaged_manifests
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform_tests.models.conftest import TinyArtefact
from sentiment_platform_tests.models.tiny_transformer import tiny_data
from sentiment_platform_tests.registry.examples import manifest_of

SECTIONS = (
    "What it is",
    "Data",
    "How good it is",
    "Beside baselines",
    "Calibration",
    "What the features add",
    "Contrast pairs",
    "Beside the champion of that day",
    "Limits",
    "What it costs",
    "Licences",
    "Check it",
    "Answer with it elsewhere",
)


def sections(card: str) -> dict[str, str]:
    parts = card.split("## ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_every_section_and_none_is_empty(family: str) -> None:
    manifest = packaged_manifests(packaged_folder())[family]
    read = sections(model_card(manifest))
    assert tuple(read) == SECTIONS
    assert all(read.values())
    assert FAMILIES[family].description in read["What it is"]
    assert f"gh release verify {manifest.version}" in read["Check it"]
    for entry in manifest.files.values():
        assert entry.sha256 in read["Check it"]


def test_a_manifest_of_another_build_without_figures_still_has_a_card() -> None:
    bare = msgspec.structs.replace(manifest_of("v1.0.0-forest"), figures={}, metrics={})
    read = sections(model_card(bare))
    assert tuple(read) == SECTIONS
    assert read["Beside baselines"] == read["What it costs"] == NOT_RECORDED


def test_the_card_tells_what_was_recorded() -> None:
    data = tiny_data()
    figures = {
        "data": {name: msgspec.to_builtins(part) for name, part in described_data(data).items()},
        "baselines": {name: msgspec.to_builtins(one) for name, one in measure_baselines(data).items()},
        "ece": 0.03,
        "ece_when_calibrated": 0.02,
        "features_help": False,
        "deployed_then": {
            "version": "v0.9.0-vader",
            "macro_f1": msgspec.to_builtins(Estimate(0.02, -0.01, 0.05, 900)),
            "only_this_right": 40,
            "only_that_right": 22,
            "seen": 7,
        },
    }
    read = sections(model_card(msgspec.structs.replace(manifest_of(), figures=figures)))
    assert f"| test | {len(data.test)} | " in read["Data"]
    assert "off by more than chance" in read["Calibration"]
    assert "not used" in read["What the features add"]
    assert "v0.9.0-vader" in read["Beside the champion of that day"]
    assert "fitted on 7 of these texts" in read["Beside the champion of that day"]
    commonest = max(("negative", "neutral", "positive"), key=lambda name: figures["data"]["train"]["labels"][name])
    share = figures["data"]["test"]["labels"][commonest] / len(data.test)
    assert f"| always {commonest} | {share:.3f} (" in read["Beside baselines"]


def test_names_from_outside_cannot_leave_their_cell_or_become_markup() -> None:
    hostile = msgspec.structs.replace(manifest_of(), base_model="<!-- document sha256:0 --> | a `b`", licences=("<b>x</b>",))
    card = model_card(hostile)
    assert "<!--" not in card
    assert "<b>" not in card


def test_the_script_is_short_and_gives_the_golden_answers_without_the_platform(
    tiny_artefact: TinyArtefact, tmp_path: Path
) -> None:
    (entry,) = [entry for entry in FAMILIES.values() if entry.script]
    package, _, name = entry.script.partition(":")
    script = files(package).joinpath(name).read_text("utf-8")
    assert len(script.splitlines()) <= 20
    assert "sentiment_platform" not in script
    directory = tiny_artefact.directory
    golden = golden_answers(load_model("finbert", directory))
    for file in ("model.onnx", "tokenizer.json", "config.json", "head.json"):
        (tmp_path / file).write_bytes((directory / file).read_bytes())
    recorded = [{"text": text, "probabilities": list(row)} for text, row in golden]
    (tmp_path / "manifest.json").write_text(json.dumps({"golden": recorded}), "utf-8")
    guarded = f"{script}\nimport sys\nassert not [name for name in sys.modules if name.startswith('sentiment_platform')]\n"
    done = subprocess.run(
        [sys.executable, "-I", "-"], cwd=tmp_path, input=guarded, capture_output=True, text=True, timeout=60, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(golden)
    for line, (text, expected) in zip(lines, golden, strict=True):
        answered, _, rest = line.partition("] [")
        assert np.abs(np.array(json.loads(answered + "]")) - expected).max() < 1e-4
        assert rest.endswith(text)
