"""The whole loop as a user runs it: `sentiment-platform demo --exit` in a process of its own, then commands on what it left behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_S = 600
COMMAND = Path(sys.executable).with_name("sentiment-platform")


def run(state: Path, *arguments: str, limit_s: float = 120) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SENTIMENT_", "DAGSTER_"))}
    environment |= {"SENTIMENT_STATE_DIR": str(state), "TRANSFORMER_BASE": "packaged:minilm", "COLUMNS": "300", "NO_COLOR": "1"}
    return subprocess.run(
        [str(COMMAND), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
        cwd=Path(__file__).parents[2],
    )


@pytest.fixture(scope="module")
def state(servers_dir: Path) -> Path:
    """State folder of the demo; under the servers' folder, which PostgreSQL's user can reach."""
    folder = servers_dir / "demo"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def demo(state: Path) -> "subprocess.CompletedProcess[str]":
    done = run(state, "demo", "--exit", limit_s=LIMIT_S)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


@pytest.fixture(scope="module")
def words(demo: "subprocess.CompletedProcess[str]") -> str:
    return " ".join(demo.stdout.split())


@pytest.mark.slow
@pytest.mark.timeout(LIMIT_S)
def test_the_loop_ends_with_both_families_deployed_and_no_failed_request(words: str) -> None:
    swapped = re.search(r"deploy-000002 went live .*?; (\d+) requests meanwhile, (\d+) failed", words)
    assert swapped is not None
    assert int(swapped[1]) > 50
    assert swapped[2] == "0"
    assert "v1.0.0-vader" in words
    assert "v1.0.0-finbert" in words
    assert "Five live predictions" in words


@pytest.mark.slow
def test_vader_answers_within_90_seconds_of_the_start(words: str) -> None:
    after = re.search(r"It answers, (\d+) s after the start", words)
    assert after is not None
    assert int(after[1]) < 90


@pytest.mark.slow
def test_refused_feed_items_are_shown_and_nothing_is_left_uncounted(words: str) -> None:
    counted = re.search(r"(\d+) articles, (\d+) stories, (\d+) refused rows in quarantine", words)
    assert counted is not None
    articles, stories, refused = map(int, counted.groups())
    assert articles > stories > 700
    assert refused > 0


@pytest.mark.slow
def test_drift_of_the_second_wave_leads_to_a_decision_to_retrain_with_its_reason(words: str) -> None:
    assert re.search(r"retrain True: drift of \w+ severity", words)


@pytest.mark.slow
def test_the_commands_that_the_demo_suggests_work(demo: "subprocess.CompletedProcess[str]", state: Path) -> None:
    asked = run(state, "predict", "Net loss narrowed")
    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert "v1.0.0-finbert (default)" in asked.stdout
    assert "v1.0.0-vader" in asked.stdout
    prediction_id = re.search(r"explain ([0-9a-f-]{36})", demo.stdout)
    assert prediction_id is not None
    explained = run(state, "explain", prediction_id[1])
    assert explained.returncode == 0, explained.stdout + explained.stderr
    for heading in ("Answer", "Features", "Model", "Training set", "Deployment"):
        assert heading in explained.stdout
    back = run(state, "models", "rollback")
    assert back.returncode == 0, back.stdout + back.stderr
    assert "deploy-000003 published: v1.0.0-vader, default vader" in " ".join(back.stdout.split())
    verified = run(state, "models", "verify")
    assert verified.returncode == 0
    assert "deploy-000003" in verified.stdout
    again = run(state, "run", "baseline_job")
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.slow
def test_a_job_that_does_not_exist_and_a_step_that_fails_exit_with_1(demo: object, state: Path) -> None:
    unknown = run(state, "run", "no_such_job")
    assert unknown.returncode == 1
    assert "The jobs are" in unknown.stdout
    nothing = run(state / "empty", "run", "baseline_job")
    assert nothing.returncode == 1
    assert "training_set" in nothing.stdout


@pytest.mark.slow
def test_the_database_still_agrees_with_the_typed_models(demo: object, state: Path) -> None:
    checked = run(state, "db", "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
