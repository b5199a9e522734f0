import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine, text

from sentiment_platform.clock import utc_now
from sentiment_platform.market.calendar import trading_days
from sentiment_platform_tests.commands.conftest import Invoke


def test_prices_are_imported_once_and_what_there_is_is_shown(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "exm.csv"
    rows = ["2025-11-24,10,12,9,11,100", "2025-11-25,11,12,10,11,100", "2025-11-27,11,12,10,11,100"]
    path.write_text("\n".join(["day,open,high,low,close,volume", *rows]))
    arguments = ("market", "import", str(path), "--symbol", "exm", "--map", "session=day")
    first = invoke(*arguments)
    assert first.exit_code == 0
    said = " ".join(first.output.split())
    assert "3 rows: 2 new, 0 revised, 0 known, 0 of days that another source has, 1 quarantined." in said
    assert "session_is_a_trading_day" in invoke("news", "quarantine", "--source", "archive").output
    path.write_text(path.read_text().replace("10,11,100", "10,11.5,100", 1))
    assert "3 rows: 0 new, 1 revised, 1 known" in invoke(*arguments).output
    shown = invoke("market", "show").output
    row = next(line for line in shown.splitlines() if "EXM" in line)
    assert [cell in row for cell in ("XNYS", "archive", "2025-11-24", "2025-11-25")] == [True] * 4


def test_what_is_missing_is_shown_by_exchange(invoke: Invoke, tmp_path: Path) -> None:
    closed = [one.day for one in trading_days(utc_now().date() - timedelta(days=30), utc_now().date(), "XKRX").sessions][:-2]
    path = tmp_path / "seoul.csv"
    rows = [f"{symbol},{day},10,12,9,11" for symbol in ("999990.KS", "LMP.QQ") for day in closed if day != closed[3]]
    path.write_text("\n".join(["symbol,session,open,high,low,close", *rows]))
    assert invoke("market", "import", str(path)).exit_code == 0
    said = " ".join(invoke("market", "show").output.split())
    assert f"XKRX: 999990.KS lacks {closed[3]}." in said
    assert "unknown: LMP.QQ has no exchange that is known, so no outcomes." in said
    series = json.loads(invoke("market", "show", "--json").output)
    assert [(one["exchange"], one["missing"]) for one in series] == [("XKRX", [str(closed[3])]), ("unknown", [])]


def test_a_file_without_a_symbol_says_what_to_give(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "exm.csv"
    path.write_text("session,open,high,low,close\n2025-11-24,10,12,9,11\n")
    found = invoke("market", "import", str(path))
    assert found.exit_code == 1
    assert "Give --symbol" in found.output


def test_a_split_is_asked_about_answered_and_taken_back_on_the_command_line(
    invoke: Invoke, tmp_path: Path, engine: Engine
) -> None:
    path = tmp_path / "exm.csv"
    levels = {"2025-11-03": 90.0, "2025-11-04": 91.0, "2025-11-05": 90.0, "2025-11-06": 60.5, "2025-11-07": 60.0}
    path.write_text("session,open,high,low,close\n" + "".join(f"{day},{p},{p},{p},{p}\n" for day, p in levels.items()))
    import_it = ("market", "import", str(path), "--symbol", "EXM")

    def stored() -> list[float]:
        with engine.connect() as connection:
            return list(connection.execute(text("SELECT close FROM platform.market_prices ORDER BY session")).scalars())

    said = " ".join(invoke(*import_it).output.split())
    split = "sentiment-platform market import --split EXM 2025-11-06 3:2"
    assert "3 new, 0 revised, 0 known, 0 of days that another source has, 2 quarantined." in said
    assert split in said
    assert split in " ".join(invoke("market", "show").output.split())
    [series] = json.loads(invoke("market", "show", "--json").stdout)
    assert [(one["ratio"], one["commands"][0]) for one in series["asked"]] == [("3:2", split)]
    doctor = invoke("doctor")
    assert (doctor.exit_code, split in " ".join(doctor.output.split())) == (1, True)

    named = " ".join(invoke(*split.split()[1:]).output.split())
    assert "3 earlier bars were adjusted." in named
    assert "2 bars that waited were judged again: 2 new" in named
    assert stored() == [60.0, 91.0 / 1.5, 60.0, 60.5, 60.0]
    assert "0 earlier bars" in invoke(*split.split()[1:]).output
    assert "0 new, 0 revised, 5 known" in invoke(*import_it).output
    assert "no split waits" in " ".join(invoke("doctor").output.split())

    invoke("market", "import", "--take-back", "EXM", "2025-11-06")
    assert stored() == list(levels.values())
    invoke("market", "import", "--real-move", "EXM", "2025-11-06")
    assert (stored(), "--split" in invoke("market", "show").output) == (list(levels.values()), False)
    with engine.connect() as connection:
        acts = connection.execute(text("SELECT action FROM platform.audit_log WHERE subject = 'EXM' ORDER BY id")).scalars()
        assert list(acts) == ["market:split", "market:take_back", "market:real_move"]


def test_an_answer_that_cannot_be_says_so_and_changes_nothing(invoke: Invoke) -> None:
    assert "Name a FILE" in invoke("market", "import").output
    wrong = invoke("market", "import", "--split", "EXM", "2025-11-06", "2")
    assert (wrong.exit_code, "2:1 halves" in " ".join(wrong.output.split())) == (2, True)
    nobody = invoke("market", "import", "--take-back", "EXM", "2025-11-06")
    assert (nobody.exit_code, "Nobody said anything" in nobody.output) == (1, True)
