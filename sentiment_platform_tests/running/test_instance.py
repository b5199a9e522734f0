"""Which Dagster instance a command uses: the configured one, or none."""

from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.running.dagster_files import INSTANCE, WORKSPACE, dagster_file
from sentiment_platform.running.headless import dagster_instance
from sentiment_platform_tests.source_code import ROOT


def test_an_instance_without_its_configuration_is_refused_and_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(PermanentError, match=r"no dagster\.yaml in .*names the database"), dagster_instance():
        pass
    (tmp_path / "dagster.yaml").symlink_to(tmp_path / "gone")
    with pytest.raises(PermanentError, match=r"no dagster\.yaml"), dagster_instance():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["dagster.yaml"]


@pytest.mark.parametrize("name", [INSTANCE, WORKSPACE])
def test_a_folder_without_a_configuration_gets_the_repositorys_and_one_of_its_own_wins(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ROOT not in tmp_path.parents
    assert dagster_file(name).read_bytes() == (ROOT / name).read_bytes()
    (tmp_path / name).write_text("telemetry:\n  enabled: false\n")
    assert dagster_file(name) == tmp_path.resolve() / name
    monkeypatch.chdir(ROOT)
    assert dagster_file(name) == ROOT / name
