from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.labels.formats import FORMATS
from sentiment_platform.text.normalise import text_hash
from sentiment_platform_tests.commands.conftest import Invoke
from sentiment_platform_tests.monitoring.seeding import features, probabilities, seed_predictions


def file(folder: Path, name: str, *lines: str) -> str:
    path = folder / name
    path.write_text("\n".join(lines))
    return str(path)


def test_labels_are_imported_shown_by_set_and_compared_between_annotators(invoke: Invoke, tmp_path: Path) -> None:
    desk = file(
        tmp_path, "desk.csv", "headline,label,who", "Sales rose,positive,ada", "Sales rose,neutral,bob", "Sales fell,oops,ada"
    )
    first = invoke("labels", "import", desk, "--licence", "CC-BY-NC-4.0", "--map", "text=headline,annotator=who")
    assert first.exit_code == 0
    assert "3 rows: 2 labels of set desk, 2 new or changed." in first.output
    assert "1 row quarantined: sentiment-platform news quarantine --source desk" in first.output
    assert "any known spelling: 'oops'." in first.output
    assert "--labels 'oops=...'" in first.output
    again = invoke("labels", "import", desk, "--licence", "CC-BY-NC-4.0", "--map", "text=headline,annotator=who")
    assert "0 new or changed" in again.output

    machine = file(tmp_path, "vendor.csv", "text,label", "Sales rose,negative")
    assert "Next:" not in invoke("labels", "import", machine, "--kind", "machine", "--licence", "MIT").output
    shown = invoke("labels", "sets").output
    row = next(line for line in shown.splitlines() if "desk" in line and "human" in line)
    assert [cell in row for cell in ("0 / 1 / 1", "CC-BY-NC-4.0", "no")] == [True] * 3
    assert next(line for line in shown.splitlines() if "vendor" in line and "machine" in line)

    compared = invoke("labels", "agreement").output
    assert "1 texts have several voices" in compared
    assert "neutral: bob; positive: ada" in compared
    # What a machine said is no voice.
    assert "negative" not in compared


def test_a_text_is_shown_by_what_its_id_begins_with(invoke: Invoke, tmp_path: Path) -> None:
    told = "Orders doubled [again]"
    lines = (f"{told},positive,ada", f"{told},negative,bob", "Orders were flat,neutral,ada")
    assert (
        invoke("labels", "import", file(tmp_path, "ids.csv", "text,label,annotator", *lines), "--licence", "MIT").exit_code == 0
    )
    identifier = text_hash(told)
    shown = invoke("labels", "show", identifier[:16])
    assert shown.exit_code == 0
    rows = [line for line in shown.output.splitlines() if told in line]
    assert [("positive" in row and "ada" in row, "negative" in row and "bob" in row) for row in rows] == [
        (True, False),
        (False, True),
    ]
    assert "flat" not in shown.output

    unknown = invoke("labels", "show", identifier[:8], "0123456789abcdef")
    assert unknown.exit_code == 1
    assert told in unknown.output, "what is known is shown all the same"
    assert "begins with 0123456789abcdef." in unknown.output
    short = invoke("labels", "show", identifier[:5])
    assert short.exit_code == 2
    assert "at least 6 characters" in short.output


def test_a_file_that_cannot_be_used_is_an_error_with_its_remedy(invoke: Invoke, tmp_path: Path) -> None:
    wrong = file(tmp_path, "desk.csv", "headline,label", "Sales rose,positive")
    found = invoke("labels", "import", wrong)
    assert found.exit_code == 1
    assert "has no labelled text" in found.output
    assert "Expected columns text (or title) and label" in found.output


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_explained(invoke: Invoke, name: str) -> None:
    lines = invoke("labels", "import", "--help").output.splitlines()
    assert any(line.strip().startswith(f"{name} ") for line in lines)


def test_the_random_sample_is_counted_exported_and_counts_as_labelled_in_set_audit_alone(
    engine: Engine, invoke: Invoke, tmp_path: Path
) -> None:
    assert "0 wait for a label" in invoke("labels", "tasks").output
    nothing = invoke("labels", "tasks", "export", "--out", str(tmp_path / "none.csv"))
    assert (nothing.exit_code, (tmp_path / "none.csv").exists()) == (0, False)
    texts = [f"Ferry operator {n} carries more cars" for n in range(4)]
    seed_predictions(engine, features(8, 1), probabilities(8, 2), until=utc_now(), texts=[*texts, *texts])
    assert (
        "8 answers of the last 30 days in the sample: 4 texts, of which 4 wait for a label." in invoke("labels", "tasks").output
    )

    out = tmp_path / "tasks.csv"
    told = invoke("labels", "tasks", "export", "--out", str(out), "--limit", "3").output
    assert f"3 texts in {out}. Next, once labelled: sentiment-platform labels import {out} --set audit\n" in told
    nobody = invoke("labels", "import", str(out), "--set", "audit")
    assert nobody.exit_code == 1
    assert "no row has a label yet (rows: 3)." in nobody.output
    out.write_text(out.read_text().replace(",\n", ",positive\n").replace(",\r\n", ",positive\r\n"))
    assert invoke("labels", "import", str(out), "--set", "desk", "--licence", "MIT").exit_code == 0
    assert msgspec.json.decode(invoke("labels", "tasks", "--json").output)["waiting"] == 4
    labelled = out.read_text()
    refused = invoke("labels", "tasks", "export", "--out", str(out))
    assert (refused.exit_code, out.read_text()) == (1, labelled)
    assert "replace this one with --overwrite" in refused.output

    out.write_text(labelled.replace(",positive", ",  ", 2))
    part = invoke("labels", "import", str(out), "--set", "audit", "--licence", "MIT")
    assert part.exit_code == 0
    assert "3 rows: 1 label of set audit, 1 new or changed." in part.output
    assert "2 rows have no label yet." in part.output
    assert "quarantine" not in part.output
    assert "Next: sentiment-platform run monitor_job" in part.output
    assert "train_job" not in part.output
    out.write_text(labelled)
    assert invoke("labels", "import", str(out), "--set", "audit", "--licence", "MIT").exit_code == 0
    assert msgspec.json.decode(invoke("labels", "tasks", "--json").output) == {"answers": 8, "texts": 4, "waiting": 1}
    assert "of which 1 waits for a label" in invoke("labels", "tasks").output
    again = invoke("labels", "tasks", "export", "--out", str(out), "--overwrite")
    assert again.exit_code == 0
    assert f"1 text in {out}." in again.output
    assert "positive" not in out.read_text()
