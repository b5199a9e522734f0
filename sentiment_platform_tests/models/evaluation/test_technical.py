from pathlib import Path

import pytest

from sentiment_platform.errors import TransientError
from sentiment_platform.models.evaluation.technical import measure_technical, processor
from sentiment_platform.models.families import loader_of
from sentiment_platform_tests.models.vader.small_vader import export


def test_a_model_is_measured_in_its_own_process_on_the_machine_that_it_names(tmp_path: Path) -> None:
    export(tmp_path)
    found = measure_technical(loader_of("vader"), tmp_path, [f"Profit rose by {n} per cent" for n in range(500)])
    assert found.processor == processor() != ""
    assert found.n_texts == 200
    assert 0 < found.latency_p50_ms <= found.latency_p95_ms < 1000
    assert found.texts_per_s > 1
    assert 0 < found.loaded_mb < 200


def test_a_directory_that_holds_no_model_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="could not be measured"):
        measure_technical(loader_of("vader"), tmp_path, ["Profit rose"])
