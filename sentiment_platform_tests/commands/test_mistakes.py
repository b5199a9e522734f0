"""What a person types wrongly is answered with what is wrong and what to do, never with a traceback."""

from pathlib import Path

import pytest

from sentiment_platform_tests.commands.conftest import Invoke

MISTAKES: dict[str, tuple[list[str], str]] = {
    "no time": (["models", "at", "yesterday"], "Write it like 2026-03-01T09:30"),
    "no day of the calendar": (["models", "at", "2026-02-30"], "Write it like 2026-03-01T09:30"),
    "an unknown version": (["models", "promote", "v9.9.9-vader", "--reason", "why not"], "is not registered here"),
    "nothing to roll back": (["models", "rollback", "--to", "999"], "Nothing has been deployed yet"),
    "no JSON": (["models", "search", "--trials", "1", "--parameters", "epochs"], "is no JSON object"),
    "an unknown prediction": (["explain", "nothing-like-it"], "There is no prediction nothing-like-it"),
    "labels in an empty file": (["labels", "import", "EMPTY"], "Its columns are none"),
    "news in an empty file": (["news", "import", "EMPTY", "--map", "title=headline,published_at=date"], "Its columns are none"),
    "an unknown field": (["news", "import", "EMPTY", "--map", "headline=title"], "fields are title"),
    "text with brackets": (["models", "at", "[/b] [noon]"], "[/b] [noon]"),
    "no job": (["run", "nojob"], "The jobs are alert_job, baseline_job"),
    "a day that is to come": (["run", "collect_job", "--partition", "2931-01-01"], "is no day of collect_job. Its days are"),
    "a day for a job without days": (["run", "monitor_job", "--partition", "2026-03-02"], "Run it without --partition"),
    "no day for a job of days": (["run", "market_job"], "Give one with --partition, or a range"),
    "no tag": (["run", "monitor_job", "--tag", "nightly"], "Write it as KEY=VALUE"),
    "prices that are no text": (["market", "import", "BINARY"], "Give a UTF-8 CSV file"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_explained(invoke: Invoke, tmp_path: Path, mistake: str) -> None:
    files = {"EMPTY": b"", "BINARY": b"\x93\xfa\x00\xff,\xbc"}
    arguments, told = MISTAKES[mistake]
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_bytes(content)
    result = invoke(*(str(tmp_path / f"{word}.csv") if word in files else word for word in arguments))
    assert (result.exit_code, told in " ".join(result.output.split())) == (2 if "Usage: " in result.output else 1, True), (
        result.output
    )
    assert result.exception is None or isinstance(result.exception, SystemExit)
