"""`.env`: what of it counts, and what is said of a line that cannot be read."""

import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_platform.env_file import env_file_variables, load_env_file
from sentiment_platform.errors import SettingsError
from sentiment_platform.store.resources import PlatformResource


def written(folder: Path, text: str) -> Path:
    path = folder / ".env"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_variable_of_the_shell_wins_over_the_file_also_where_it_is_empty(tmp_path: Path) -> None:
    path = written(tmp_path, "SENTIMENT_SOURCES=gdelt\nSENTIMENT_FEEDS=a=https://a.example/rss\nTIINGO_API_KEY=from-the-file\n")
    environ = {"SENTIMENT_SOURCES": "sec", "SENTIMENT_FEEDS": ""}
    load_env_file(environ, path)
    assert environ == {"SENTIMENT_SOURCES": "sec", "SENTIMENT_FEEDS": "", "TIINGO_API_KEY": "from-the-file"}


def test_values_are_taken_as_they_are_written(tmp_path: Path) -> None:
    text = "\ufeff# a comment\nexport A=1\nPASSWORD=p${HOME}$x\nQUOTED='a # b'\nDOUBLE=\"two\\nlines\" # why\nEMPTY=\n\nA=2\n"
    assert env_file_variables(written(tmp_path, text)) == {
        "A": "2",
        "PASSWORD": "p${HOME}$x",
        "QUOTED": "a # b",
        "DOUBLE": "two\nlines",
        "EMPTY": "",
    }


def test_no_file_and_a_folder_of_that_name_are_nothing(tmp_path: Path) -> None:
    assert env_file_variables(tmp_path / ".env") == {}
    (tmp_path / ".env").mkdir()
    assert env_file_variables(tmp_path / ".env") == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\n\n# c\nSECRETVALUE\n", 4),
        ("\n\n\nTOKEN secretvalue\n", 4),
        ("A=1\nTOKEN: secretvalue\n", 2),
        ("KEY='secretvalue\nB=2\n", 1),
        ("A=1\nB=2\n=secretvalue\n", 3),
    ],
)
def test_a_malformed_line_is_named_by_its_number_and_never_quoted(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(SettingsError, match=rf"\.env, line {line}: .*NAME=value") as refused:
        env_file_variables(written(tmp_path, text))
    assert "secretvalue" not in str(refused.value).lower()


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        env_file_variables(path)


def test_a_command_and_an_asset_read_it_in_the_folder_that_they_work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "SENTIMENT_CONTACT=desk@example.org\nSENTIMENT_SOURCES=gdelt\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENTIMENT_SOURCES", "sec")
    settings = PlatformResource().settings()
    assert (settings.contact, settings.sources) == ("desk@example.org", "sec")
    command = [Path(sys.executable).with_name("sentiment-platform"), "doctor"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "desk@example.org" in shown
    assert "gdelt" not in shown


def test_a_command_says_which_line_is_wrong_and_prints_no_traceback(tmp_path: Path) -> None:
    written(tmp_path, "SENTIMENT_REGISTRY_TOKEN secretvalue\n")
    command = [Path(sys.executable).with_name("sentiment-platform"), "doctor"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    said = refused.stdout + refused.stderr
    assert (refused.returncode, ".env, line 1" in said) == (1, True), said
    assert "Traceback" not in said
    assert "secretvalue" not in said
