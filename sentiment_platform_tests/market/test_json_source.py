import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from sentiment_platform.errors import SettingsError
from sentiment_platform.market.errors import PriceSourceBusyError, PriceSourceError
from sentiment_platform.market.json_source import MAX_BYTES, PriceRequest, PriceSource, fetch_bars, read_catalogue
from sentiment_platform.market.prices import collect_prices
from sentiment_platform.settings import Settings
from sentiment_platform.store.market import WrittenBars, coverage
from sentiment_platform_tests.market.making import NOW, sessions
from sentiment_platform_tests.news.server import ScriptedServer, reply, serving

WEEK = PriceRequest("EX/M", date(2025, 11, 24), date(2025, 11, 28))
PATH = "/prices/EX%2FM?from=2025-11-24&to=2025-11-28"


@pytest.fixture
def vendor() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server


def entry(vendor: ScriptedServer) -> PriceSource:
    fields = {"session": "d", "open": "o", "high": "h", "low": "l", "close": "c"}
    url = vendor.url + "/prices/{symbol}?from={first}&to={last}"
    return PriceSource(url, {"Authorization": "Token {key}"}, "data.rows", fields, verified=False)


def body(*days: date, close: float = 10.0) -> bytes:
    return json.dumps({"data": {"rows": [{"d": str(day), "o": 10, "h": 20, "l": 5, "c": close} for day in days]}}).encode()


def fetch(vendor: ScriptedServer) -> list[object]:
    return list(fetch_bars(entry(vendor), WEEK, "secret", allow_private_hosts=True))


def test_one_request_brings_the_bars_and_carries_the_key_in_a_header_only(vendor: ScriptedServer) -> None:
    vendor.answers[PATH] = reply(body(date(2025, 11, 24)))
    (bar,) = fetch_bars(entry(vendor), WEEK, "secret", allow_private_hosts=True)
    assert (bar.symbol, bar.session, bar.open, bar.volume) == ("EX/M", date(2025, 11, 24), 10.0, None)
    ((path, headers),) = vendor.requests
    assert (path, headers["Authorization"]) == (PATH, "Token secret")


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (reply(status=429), PriceSourceBusyError, "answered 429"),
        (reply(status=503), PriceSourceBusyError, "answered 503"),
        (reply(status=401), PriceSourceError, "refused the key"),
        (reply(status=404), PriceSourceError, "answered 404 for EX/M"),
        (reply(status=302, Location="http://127.0.0.1:1/"), PriceSourceError, "answered 302"),
        (reply(b"<html>"), PriceSourceError, "sent no JSON"),
        (reply(b'{"data": {"rows": "none"}}'), PriceSourceError, "no list of bars"),
        (reply(b'{"data": {"rows": [1]}}'), PriceSourceError, "no list of bars"),
        (reply(b" " * (MAX_BYTES + 1)), PriceSourceError, "more than"),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_says_whether_waiting_helps(
    vendor: ScriptedServer, answer: object, error: type[Exception], reason: str
) -> None:
    vendor.answers[PATH] = answer  # type: ignore[assignment]
    with pytest.raises(error, match=reason) as caught:
        fetch(vendor)
    assert "secret" not in str(caught.value)


def test_no_list_means_no_bars_and_a_silent_vendor_is_busy(vendor: ScriptedServer) -> None:
    vendor.answers[PATH] = reply(b'{"data": {"count": 0}}')
    assert fetch(vendor) == []
    gone = PriceSource("http://127.0.0.1:1/{symbol}", {}, "", {}, verified=False)
    with pytest.raises(PriceSourceBusyError, match="did not answer"):
        fetch_bars(gone, WEEK, "", allow_private_hosts=True)
    with pytest.raises(PriceSourceError, match="https only"):
        fetch_bars(gone, WEEK, "")


def configured(settings: Settings) -> Settings:
    return replace(settings, price_source="vendor", price_symbols="exm, OTHER,exm", price_key="secret")


def test_closed_sessions_are_stored_and_a_failing_symbol_stops_no_other(
    vendor: ScriptedServer, settings: Settings, engine: Engine
) -> None:
    days = sessions("2026-01-02", "2026-01-15")
    # Today's session is not over: it is not asked for, and a bar of it that comes anyway is not taken.
    vendor.answers["/prices/EXM?from=2026-01-01&to=2026-01-14"] = reply(body(*days))
    catalogue = {"vendor": entry(vendor)}
    first, last = date(2026, 1, 1), date(2026, 1, 15)
    found = collect_prices(engine, configured(settings), first, last, run_id="one", now=NOW, catalogue=catalogue)
    exm, other = found.fetched
    assert (exm.name, exm.written, exm.refused) == ("EXM", WrittenBars(new=len(days) - 1), 0)
    assert (other.name, other.written) == ("OTHER", WrittenBars())
    assert "answered 404" in other.failure
    assert [bar.session for bar in found.bars] == days[:-1]
    again = collect_prices(engine, configured(settings), first, last, run_id="two", now=NOW, catalogue=catalogue)
    assert (again.digest, again.fetched[0].written) == (found.digest, WrittenBars(unchanged=len(days) - 1))
    vendor.answers["/prices/EXM?from=2026-01-01&to=2026-01-14"] = reply(body(*days[:-1], close=10.5))
    corrected = collect_prices(engine, configured(settings), first, last, run_id="three", now=NOW, catalogue=catalogue)
    assert corrected.digest != found.digest
    with engine.connect() as connection:
        assert coverage(connection)[0].revised == len(days) - 1


@pytest.mark.parametrize(
    ("missing", "note"),
    [
        ({"price_key": ""}, "has no key"),
        ({"price_symbols": " , "}, "no symbols"),
        ({"price_source": ""}, "no price source is configured"),
    ],
)
def test_without_source_key_or_symbols_nothing_is_asked_for_and_the_note_says_why(
    vendor: ScriptedServer, settings: Settings, engine: Engine, missing: dict[str, str], note: str
) -> None:
    incomplete = replace(configured(settings), **missing)  # type: ignore[arg-type]
    day = date(2026, 1, 2)
    found = collect_prices(engine, incomplete, day, day, run_id="x", now=NOW, catalogue={"vendor": entry(vendor)})
    assert note in found.note
    assert (found.fetched, vendor.requests) == ((), [])


def test_an_unknown_source_is_a_mistake_and_not_a_source_that_is_off(settings: Settings, engine: Engine) -> None:
    with pytest.raises(SettingsError, match="not in the catalogue"):
        collect_prices(engine, configured(settings), date(2026, 1, 2), date(2026, 1, 2), run_id="x", now=NOW)


def test_the_catalogue_is_data_with_known_keys(tmp_path: Path) -> None:
    assert set(read_catalogue()) == {"tiingo", "polygon"}
    wrong = tmp_path / "sources.toml"
    wrong.write_text('[x]\nurl = "https://x.example"\nheaders = {}\nrows = ""\nfields = {}\nverified = true\ncolour = 1\n')
    with pytest.raises(PriceSourceError, match="unknown field `colour`"):
        read_catalogue(wrong)


@pytest.mark.shared_data
def test_recorded_answers_of_the_shipped_vendors_are_read(vendor: ScriptedServer, shared_data: Path) -> None:
    folder = shared_data / "feeds/api_json"
    tiingo = yaml.safe_load((folder / "tiingo/ticker_price_with_date.yaml").read_text())["interactions"][0]
    polygon = (folder / "polygon/v2_aggs_ticker_AAPL_range_1_day_2005-04-01_2005-04-04.json").read_bytes()
    cases = {
        "tiingo": ("GOOGL", date(2015, 1, 2), date(2015, 1, 5), tiingo["response"]["body"]["string"].encode(), (532.6, 519.46)),
        "polygon": ("AAPL", date(2005, 4, 1), date(2005, 4, 4), polygon, (1.5032, 1.4675)),
    }
    for name, (symbol, first, last, answer, prices) in cases.items():
        shipped = read_catalogue()[name]
        assert shipped.verified
        address = shipped.url.format(symbol=symbol, first=first, last=last)
        path = "/" + address.split("/", 3)[3]
        vendor.answers[path] = reply(answer)
        local = PriceSource(vendor.url + "/" + shipped.url.split("/", 3)[3], shipped.headers, shipped.rows, shipped.fields, True)
        bars = fetch_bars(local, PriceRequest(symbol, first, last), "key", allow_private_hosts=True)
        assert [bar.session for bar in bars] == [first, last], name
        assert (bars[0].open, bars[-1].close) == prices
        # The recorded request asked for the same things.
    assert "startDate=2015-01-01&endDate=2015-01-05" in tiingo["request"]["uri"]
