"""Which Dagster instance a command uses: the configured one, or none."""

from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.running.headless import dagster_instance


def test_an_instance_without_its_configuration_is_refused_and_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    with pytest.raises(PermanentError, match=r"no dagster\.yaml in the working folder.*names the database"), dagster_instance():
        pass
    (tmp_path / "dagster.yaml").symlink_to(tmp_path / "gone")
    with pytest.raises(PermanentError, match=r"no dagster\.yaml"), dagster_instance():
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["dagster.yaml"]
