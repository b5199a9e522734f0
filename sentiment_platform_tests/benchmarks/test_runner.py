"""The runner of benchmarks: what a line holds, when the status is not 0, and that the rows which exist can be found."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform_tests.benchmarks.__main__ import main
from sentiment_platform_tests.benchmarks.import_time import import_time
from sentiment_platform_tests.benchmarks.rows import Figure, Table

ROOT = Path(__file__).parents[2]


def _table(value: float, *, at_least: bool = False) -> Table:
    table = Table()

    @table.row("X.1", "a row made for the test")
    def measure() -> Iterator[Figure]:
        yield Figure("the answer", value, "s", 2.0, 5, at_least, {"rounds_s": [value]})

    assert measure is not None
    return table


def _printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_row_prints_one_object_a_line_with_figure_bound_machine_and_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["X.1"], _table(1.5)) == 0
    (line,) = _printed(capsys)
    assert "cores" in line.pop("machine")
    expected = {
        "id": "X.1",
        "what": "the answer",
        "value": 1.5,
        "unit": "s",
        "target": "<= 2",
        "pass": True,
        "n": 5,
        "rounds_s": [1.5],
    }
    assert line == expected


@pytest.mark.parametrize(("value", "at_least", "status"), [(2.0, False, 0), (2.1, False, 1), (2.0, True, 0), (1.9, True, 1)])
def test_a_figure_beyond_its_bound_makes_the_status_1(
    capsys: pytest.CaptureFixture[str], value: float, at_least: bool, status: int
) -> None:
    assert main([], _table(value, at_least=at_least)) == status
    assert _printed(capsys)[0]["pass"] is (status == 0)


def test_an_unknown_row_is_refused_before_anything_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["X.1", "X.2"], _table(1.0)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no benchmark row X.2" in shown.err
    assert "Known: X.1" in shown.err


def test_an_id_is_taken_once() -> None:
    table = _table(1.0)
    with pytest.raises(PermanentError, match=r"X\.1 exists already"):
        table.row("X.1", "another")(lambda: iter(()))


def test_the_rows_of_this_repository_are_found() -> None:
    command = [sys.executable, "-m", "sentiment_platform_tests.benchmarks", "--list"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True).stdout
    rows = dict(line.split(maxsplit=1) for line in shown.splitlines())
    assert {"F.10", "F.12"} <= set(rows)
    # Both halves of the claim about the start of serving belong to its one row.
    assert "VADER only, and with a transformer of 82 million parameters" in rows["F.10"]
    assert [row_id for row_id in rows if row_id.startswith("F.10")] == ["F.10"]


def test_an_import_is_measured_in_processes_of_its_own_and_a_slow_one_misses_its_bound(tmp_path: Path) -> None:
    figure = import_time("json", 10.0, rounds=5)
    assert figure.n == len(figure.explains["rounds_s"]) == 5
    assert 0 < figure.value < 10
    assert figure.passes
    assert not import_time("json", figure.value / 100, rounds=1).passes


def test_what_cannot_be_imported_is_an_error_and_not_a_figure() -> None:
    with pytest.raises(PermanentError, match="no_such_module"):
        import_time("no_such_module", 1.0)


def test_the_letter_of_a_group_chooses_all_of_its_rows() -> None:
    table = _table(1.0)
    table.row("X.2", "another")(lambda: iter(()))
    table.row("XY.1", "of another group")(lambda: iter(()))
    assert [row.row_id for row in table.choose(["X"])] == ["X.1", "X.2"]
    assert [row.row_id for row in table.choose(["XY.1"])] == ["XY.1"]
