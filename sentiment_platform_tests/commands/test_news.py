from pathlib import Path

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


def test_a_column_that_the_file_has_not_is_an_error_with_its_remedy(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("headline,day\nExemplary raises its outlook,2025-11-24\n")
    wrong = invoke("news", "import", str(path), "--map", "title=heading,published_at=day")
    assert wrong.exit_code == 1
    assert "heading" in wrong.output
    assert "headline" in wrong.output
