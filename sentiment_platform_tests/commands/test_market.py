import json
from datetime import timedelta
from pathlib import Path

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
