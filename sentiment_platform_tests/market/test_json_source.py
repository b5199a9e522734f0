import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import msgspec
import pytest
import yaml
from sqlalchemy import Engine

from sentiment_platform.errors import SettingsError
from sentiment_platform.fetching.errors import SourceBusyError, SourceRefusedError, SourceUnreachableError
from sentiment_platform.fetching.http import FetchLimits
from sentiment_platform.fetching.politeness import PoliteClient, Retries
from sentiment_platform.market.bars import RawBar
from sentiment_platform.market.errors import PriceSourceError
from sentiment_platform.market.json_source import MAX_BYTES, PriceRequest, PriceSource, fetch_bars, read_catalogue
from sentiment_platform.market.prices import MAX_SILENT, collect_prices
from sentiment_platform.settings import Settings
from sentiment_platform.store.market import WrittenBars, coverage
from sentiment_platform_tests.market.making import NOW, sessions
from sentiment_platform_tests.news.server import ScriptedServer, reply, serving

WEEK = PriceRequest("EX-M", date(2025, 11, 24), date(2025, 11, 28))
PATH = "/prices/EX%2FM?from=2025-11-24&to=2025-11-28"


@pytest.fixture
def vendor() -> Iterator[ScriptedServer]:
    with serving() as server:
        yield server


def entry(vendor: ScriptedServer) -> PriceSource:
    fields = {"session": "d", "open": "o", "high": "h", "low": "l", "close": "c"}
    url = vendor.url + "/prices/{symbol}?from={first}&to={last}"
    return PriceSource(
        url=url, headers={"Authorization": "Token {key}"}, rows="data.rows", fields=fields, verified=False, class_separator="/"
    )


def replace_url(source: PriceSource, url: str) -> PriceSource:
    return msgspec.structs.replace(source, url=url)


def body(*days: date, close: float = 10.0) -> bytes:
    return json.dumps({"data": {"rows": [{"d": str(day), "o": 10, "h": 20, "l": 5, "c": close} for day in days]}}).encode()


class Clock:
    """Time that passes by being slept only; `naps` lists the seconds."""

    def __init__(self) -> None:
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return sum(self.naps)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)


def asking(clock: Clock | None = None, *, total_s: float = 30.0, attempts: int = 1, private: bool = True) -> PoliteClient:
    clock = clock or Clock()
    limits = FetchLimits(max_bytes=MAX_BYTES, total_s=total_s, allow_private_hosts=private)
    retries = Retries(attempts=attempts)
    return PoliteClient(agent="tests", limits=limits, retries=retries, monotonic=clock.monotonic, sleep=clock.sleep)


def fetch(vendor: ScriptedServer, client: PoliteClient | None = None) -> list[RawBar]:
    return fetch_bars(entry(vendor), WEEK, "secret", client or asking(), NOW)


def test_one_request_brings_the_bars_and_carries_the_key_in_a_header_only(vendor: ScriptedServer) -> None:
    vendor.answers[PATH] = reply(body(date(2025, 11, 24)))
    (bar,) = fetch(vendor)
    assert (bar.symbol, bar.session, bar.open, bar.volume) == ("EX-M", date(2025, 11, 24), 10.0, None)
    ((path, headers),) = vendor.requests
    assert (path, headers["Authorization"]) == (PATH, "Token secret")


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (reply(status=500), SourceUnreachableError, "answered 500"),
        (reply(status=503), SourceBusyError, "answered 503"),
        (reply(status=429), SourceBusyError, "answered 429"),
        (reply(status=401), SourceRefusedError, "answered 401. Check the address and the key"),
        (reply(status=404), SourceRefusedError, "EX/M answered 404"),
        (reply(status=302, Location="http://127.0.0.1:1/"), SourceRefusedError, "not at a host of a configured source"),
        (reply(b"<html>"), PriceSourceError, "sent no JSON"),
        (reply(b'{"data": {"rows": "none"}}'), PriceSourceError, "no list of bars"),
        (reply(b'{"data": {"rows": [1]}}'), PriceSourceError, "no list of bars"),
        (reply(b" " * (MAX_BYTES + 1)), SourceRefusedError, "more than"),
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
    gone = PriceSource(url="http://127.0.0.1:1/{symbol}", headers={}, rows="", fields={}, verified=False)
    with pytest.raises(SourceUnreachableError, match="could not be reached"):
        fetch_bars(gone, WEEK, "", asking(), NOW)


def test_an_address_inside_is_not_asked_and_neither_is_one_without_encryption(vendor: ScriptedServer) -> None:
    with pytest.raises(SourceRefusedError, match="not an https address"):
        fetch(vendor, asking(private=False))
    inside = replace_url(entry(vendor), f"https://127.0.0.1:{vendor.port}/{{symbol}}")
    with pytest.raises(SourceRefusedError, match="not a public address"):
        fetch_bars(inside, WEEK, "secret", asking(private=False), NOW)
    metadata = replace_url(entry(vendor), "http://169.254.169.254/{symbol}")
    with pytest.raises(SourceRefusedError, match="not a public address"):
        fetch_bars(metadata, WEEK, "secret", asking(), NOW)
    assert vendor.requests == []


def test_a_vendor_that_trickles_is_left_after_the_whole_time_whatever_each_read_takes(vendor: ScriptedServer) -> None:
    over = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not over.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    vendor.answers[PATH] = trickle
    try:
        with pytest.raises(SourceUnreachableError, match=r"took more than 0\.5 s"):
            fetch(vendor, asking(total_s=0.5))
    finally:
        over.set()
    shipped = FetchLimits()
    assert shipped.total_s < Retries().total_s < 60, "with the shipped bounds a symbol takes less than a minute"


def test_a_vendor_is_asked_again_as_it_wishes_and_symbols_keep_their_distance(vendor: ScriptedServer) -> None:
    answers = [reply(status=429, retry_after="7"), reply(status=500), reply(body(date(2025, 11, 24)))]
    vendor.answers[PATH] = lambda handler: answers.pop(0)(handler)
    clock = Clock()
    assert len(fetch(vendor, asking(clock, attempts=3))) == 1
    assert 7.0 in clock.naps
    assert read_catalogue()["polygon"].requests_per_s < 5 / 60
    assert read_catalogue()["tiingo"].requests_per_s == 1.0


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
    found = collect_prices(engine, configured(settings), first, last, run_id="one", now=NOW, catalogue=catalogue, client=asking())
    exm, other = found.fetched
    assert (exm.name, exm.written, exm.refused) == ("EXM", WrittenBars(new=len(days) - 1), 0)
    assert (other.name, other.written) == ("OTHER", WrittenBars())
    assert "answered 404" in other.failure
    assert [bar.session for bar in found.bars] == days[:-1]
    again = collect_prices(engine, configured(settings), first, last, run_id="two", now=NOW, catalogue=catalogue, client=asking())
    assert (again.digest, again.fetched[0].written) == (found.digest, WrittenBars(unchanged=len(days) - 1))
    vendor.answers["/prices/EXM?from=2026-01-01&to=2026-01-14"] = reply(body(*days[:-1], close=10.5))
    corrected = collect_prices(
        engine, configured(settings), first, last, run_id="three", now=NOW, catalogue=catalogue, client=asking()
    )
    assert corrected.digest != found.digest
    with engine.connect() as connection:
        assert coverage(connection)[0].revised == len(days) - 1


@pytest.mark.parametrize(("status", "asked"), [(429, 1), (500, MAX_SILENT), (404, 5)])
def test_a_vendor_that_is_busy_or_silent_is_not_asked_for_every_symbol(
    vendor: ScriptedServer, settings: Settings, engine: Engine, status: int, asked: int
) -> None:
    for symbol in "ABCDE":
        vendor.answers[f"/prices/{symbol}"] = reply(status=status)
    many = replace(configured(settings), price_symbols="A,B,C,D,E")
    day = date(2026, 1, 2)
    found = collect_prices(engine, many, day, day, run_id="x", now=NOW, catalogue={"vendor": entry(vendor)}, client=asking())
    assert len(vendor.requests) == asked
    assert [("not asked" in one.failure, one.name) for one in found.fetched] == [(n >= asked, s) for n, s in enumerate("ABCDE")]


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
        local = PriceSource(
            url=vendor.url + "/" + shipped.url.split("/", 3)[3],
            headers=shipped.headers,
            rows=shipped.rows,
            fields=shipped.fields,
            verified=True,
        )
        bars = fetch_bars(local, PriceRequest(symbol, first, last), "key", asking(), NOW)
        assert [bar.session for bar in bars] == [first, last], name
        assert (bars[0].open, bars[-1].close) == prices
        # The recorded request asked for the same things.
    assert "startDate=2015-01-01&endDate=2015-01-05" in tiingo["request"]["uri"]
