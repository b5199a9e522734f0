from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform_tests.commands.conftest import Invoke


def test_an_archive_is_imported_by_its_column_map_once_and_its_bad_rows_are_shown(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(
        "headline,day,symbol\n"
        "Exemplary raises its outlook,2025-11-24 08:00,EXM\n"
        "Exemplary raises its outlook,2025-11-24 08:00,EXM\n"
        "Sample Corp closes a plant,sometime,SMP\n"
    )
    arguments = ("news", "import", str(path), "--map", "title=headline,published_at=day,tickers=symbol")
    first = invoke(*arguments)
    assert first.exit_code == 0, first.output
    assert "3 rows: 1 stored, 1 duplicate, 1 quarantined." in first.output
    assert "3 rows: 0 stored, 2 duplicate, 1 quarantined." in invoke(*arguments).output
    refused = invoke("news", "quarantine", "--source", "desk").output
    assert "published_at_is_readable" in refused


LOCAL = {
    "2025-03-07 09:31": "2025-03-07 14:31",
    "2025-03-09 02:30": "2025-03-09 07:30",  # no such time of day: the later reading
    "2025-03-10 09:31": "2025-03-10 13:31",
    "2025-07-01 15:00": "2025-07-01 19:00",
    "2025-10-31 09:31": "2025-10-31 13:31",
    "2025-11-02 01:30": "2025-11-02 06:30",  # twice: the later one
    "2025-11-03 09:31": "2025-11-03 14:31",
    "2025-07-01T15:00:00Z": "2025-07-01 15:00",  # names its own clock
}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--zone", "America/New_York"], "7 times have no offset and are read as America/New_York; 71% of them fall"),
        ([], "7 times have no offset and are read as UTC; 14% of them fall"),
    ],
)
def test_a_local_clock_is_named_over_both_changes_of_a_year_or_the_import_says_what_it_took(
    invoke: Invoke, engine: Engine, tmp_path: Path, options: list[str], said: str
) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("headline,day\n" + "".join(f"Kiln maker wins contract {n},{day}\n" for n, day in enumerate(LOCAL)))
    shown = " ".join(invoke("news", "import", str(path), "--map", "title=headline,published_at=day", *options).output.split())
    assert "8 rows: 8 stored" in shown
    assert f"{said} between 13:30 and 20:00 UTC, when the exchange is open." in shown
    assert ("say so with --zone America/New_York" in shown) == (not options)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT title, published_at FROM platform.raw_data ORDER BY title")).all()
    right = list(LOCAL.values() if options else [day[:16].replace("T", " ") for day in LOCAL])
    assert [f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" for _, at in rows] == right


def test_a_column_that_the_file_has_not_is_an_error_with_its_remedy(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("headline,day\nExemplary raises its outlook,2025-11-24\n")
    wrong = invoke("news", "import", str(path), "--map", "title=heading,published_at=day")
    assert wrong.exit_code == 1
    assert "heading" in wrong.output
    assert "headline" in wrong.output


def test_a_file_with_a_header_alone_stores_nothing_and_fails(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "kiln.csv"
    path.write_text("headline,day\n")
    ended = invoke("news", "import", str(path), "--map", "title=headline,published_at=day")
    assert (ended.exit_code, "it has no rows" in ended.stderr) == (1, True)


def test_an_import_prints_the_command_for_its_days_and_days_before_the_first_partition_get_one_by_it(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.csv"
    path.write_text(
        "headline,day\nKiln maker doubles its profit,2016-04-05T10:00:00Z\nKiln maker warns,2016-04-07T23:30:00-05:00\n"
    )
    said = " ".join(invoke("news", "import", str(path), "--map", "title=headline,published_at=day").output.split())
    assert "The days 2016-04-05 to 2016-04-08 have no partition: they begin with 2018-01-01." in said
    assert "Next: SENTIMENT_FIRST_DAY=2016-04-05 sentiment-platform run collect_job --from 2016-04-05 --to 2016-04-08 " in said
    # Without the setting a range and a day are refused in words.
    for days in (("--from", "2016-04-05", "--to", "2016-04-08"), ("--partition", "2016-04-05")):
        refused = invoke("run", "collect_job", *days)
        assert refused.exit_code == 2
        assert "set SENTIMENT_FIRST_DAY=2016-04-05." in " ".join(refused.output.split())
    monkeypatch.setenv("SENTIMENT_FIRST_DAY", "2016-01-01")
    again = invoke("news", "import", str(path), "--map", "title=headline,published_at=day").output
    assert "have no partition" not in again
    assert "Next: sentiment-platform run collect_job --from 2016-04-05 --to 2016-04-08" in again
