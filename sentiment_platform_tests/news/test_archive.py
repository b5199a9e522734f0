import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import FeatureContext, compute_v1
from sentiment_platform.features.schema import V1
from sentiment_platform.news.archive import ColumnMap, import_archive, parse_mapping
from sentiment_platform.news.errors import ArchiveError
from sentiment_platform.news.tabular import read_rows
from sentiment_platform.store.articles import Article, articles_between, news_counts
from sentiment_platform.store.collection_reports import CollectionReport, latest_collections
from sentiment_platform.store.feature_inputs import articles_available
from sentiment_platform.store.quarantine import quarantined_items
from sentiment_platform.text_files.encodings import encoding_of
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.stated import stated_clock

NOW = datetime(2026, 1, 6, 12, tzinfo=UTC)
EPOCH, FOREVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
BY_NAME = ColumnMap(title="title", published_at="date", summary="text", tickers="tickers", url="url", outlet="outlet")
HEADER = "title,date,text,tickers,url,outlet\n"


def load(engine: Engine, path: Path, mapping: ColumnMap = BY_NAME, run_id: str = "run") -> CollectionReport:
    report = import_archive(path, mapping, source="archive", engine=engine, run_id=run_id, now=NOW)
    assert report.adds_up
    return report


def stored(engine: Engine) -> list[Article]:
    with engine.connect() as connection:
        return articles_between(connection, EPOCH, FOREVER)


def test_a_csv_archive_is_imported_and_a_second_time_nothing_changes(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_text(
        HEADER + 'Profit rises,"Wed, 05 Nov 2025 14:21:36 -0500",Up.,"EXM,ABC",https://e.example/1,Ledger\n'
        "Loss narrows,2025-11-05,,,https://e.example/2,\n,,,,,\nNo date,,,,https://e.example/3,\n"
    )
    report = load(engine, path)
    assert (report.fetched, report.stored, report.duplicate, report.quarantined) == (3, 2, 0, 1)
    assert (report.outcome, report.detail) == ("imported", "news.csv: 1 empty rows left out")
    loss, profit = stored(engine)
    assert (profit.title, profit.summary, profit.tickers, profit.outlet) == ("Profit rises", "Up.", ("EXM", "ABC"), "Ledger")
    assert profit.available_at == profit.published_at == datetime(2025, 11, 5, 19, 21, 36, tzinfo=UTC)
    assert (loss.published_at, loss.available_at) == (datetime(2025, 11, 5, tzinfo=UTC), datetime(2025, 11, 6, tzinfo=UTC))
    again = load(engine, path, run_id="again")
    assert (again.stored, again.duplicate, again.quarantined) == (0, 2, 1)
    with engine.connect() as connection:
        assert news_counts(connection).articles == 2
        assert [item.rule for item in quarantined_items(connection)] == ["published_at_is_present"]
        assert [report.run_id for report in latest_collections(connection)] == ["again"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_of_an_archive_is_found(engine: Engine, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "news.csv"
    path.write_text(HEADER + "Caf\u00e9 \u201cprofits\u201d,2025-11-05,,,,\n", encoding=encoding)
    assert encoding_of(path, Written()) == encoding
    load(engine, path)
    assert [article.title for article in stored(engine)] == ["Caf\u00e9 \u201cprofits\u201d"]


def test_bytes_of_no_known_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_bytes(b"title,date\n\x81\x8d,2025-11-05\n")
    with pytest.raises(PermanentError, match="cannot be told for certain"):
        list(read_rows(path, ["title", "date"]))


def test_json_lines_and_parquet_give_what_the_csv_gives(engine: Engine, tmp_path: Path) -> None:
    import polars as pl

    lines = tmp_path / "news.jsonl"
    lines.write_text(
        '{"title": "Profit rises", "date": "2025-11-05T10:00:00Z", "tickers": ["EXM"]}\n\n{"title": "\\ud800", "date": 1762336800}\n'
    )
    mapping = ColumnMap(title="title", published_at="date", tickers="tickers")
    report = load(engine, lines, mapping)
    assert (report.stored, report.quarantined) == (1, 1)
    table = tmp_path / "news.parquet"
    frame = {
        "title": ["Profit rises", "A day"],
        "date": [datetime(2025, 11, 5, 10, tzinfo=UTC), None],
        "tickers": [["EXM"], None],
    }
    pl.DataFrame(frame).write_parquet(table)
    report = load(engine, table, mapping)
    assert (report.duplicate, report.quarantined) == (1, 1)
    pl.DataFrame({"0": ["Days"], "1": [date(2025, 11, 5)]}).write_parquet(table)
    assert load(engine, table, ColumnMap(title=0, published_at=1)).stored == 1


def test_a_file_without_header_is_read_by_position(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_text("2025-11-05,Profit rises\n2025-11-06\n")
    report = load(engine, path, parse_mapping("title=1,published_at=0"))
    assert (report.stored, report.quarantined) == (1, 1)


def test_a_day_that_only_a_stated_format_reads_has_no_time_of_day(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    hours: dict[str, float | None] = {}
    for day, date_format in (("05/02/2025", "%d/%m/%Y"), ("05/02/2025 00:00", "%d/%m/%Y %H:%M"), ("05/02/2025", "month-first")):
        path.write_text(f"headline,day\nKiln maker wins a contract,{day}\n")
        stated = stated_clock("UTC", date_format)
        import_archive(
            path,
            parse_mapping("title=headline,published_at=day"),
            source=date_format,
            engine=engine,
            run_id="run",
            now=datetime(2025, 6, 1, tzinfo=UTC),
            stated=stated,
        )
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
    with engine.connect() as connection:
        for article in articles_between(connection, start, end):
            context = FeatureContext(published_at=article.published_at, day_only=article.day_only)
            vector = dict(zip(V1.names, compute_v1(article.title, context), strict=True))
            hours[article.source] = vector["hour_utc"]
        again = {article.source: article.day_only for article in articles_available(connection, start, end)}
    assert hours == {"%d/%m/%Y": None, "%d/%m/%Y %H:%M": 0.0, "month-first": None}
    assert again == {"%d/%m/%Y": True, "%d/%m/%Y %H:%M": False, "month-first": True}


@pytest.mark.parametrize(
    "mapping",
    [
        "",
        "title=a",
        "title=a,published_at=0",
        "title=a,published_at=b,colour=c",
        "title=a,title=b,published_at=c",
        "title=,published_at=b",
    ],
)
def test_an_unusable_column_map_is_refused(mapping: str) -> None:
    with pytest.raises(ArchiveError, match="The map is"):
        parse_mapping(mapping)


def test_a_column_map_of_names_and_of_positions() -> None:
    assert parse_mapping("title=Headlines, published_at=Time") == ColumnMap(title="Headlines", published_at="Time")
    assert parse_mapping("title=1,published_at=0,url=2") == ColumnMap(title=1, published_at=0, url=2)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "headline,date\nx,2025-01-01\n", "has no column title"),
        ("a.csv", 'title,date\n"never closed' + "x" * 200_000, "quotation mark"),
        ("a.jsonl", '{"title": 1}\n{broken\n', "line 2"),
        ("a.jsonl", "[1]\n", "no object"),
        ("a.parquet", "no parquet", "cannot be read"),
        ("a.xlsx", "", "unknown kind"),
    ],
)
def test_an_unreadable_archive_is_refused_with_its_place(
    engine: Engine, tmp_path: Path, name: str, content: str, reason: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(PermanentError, match=reason):
        load(engine, path, ColumnMap(title="title", published_at="date"))


def test_progress_is_told_batch_by_batch(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_text("".join(f"2025-11-05,Story number {n}\n" for n in range(5_001)))
    told: list[int] = []
    import_archive(path, ColumnMap(title=1, published_at=0), source="a", engine=engine, run_id="r", now=NOW, progress=told.append)
    assert told == [5_000, 5_001]


@pytest.mark.shared_data
def test_the_seven_companies_news_is_imported_and_shared_articles_carry_every_ticker(engine: Engine, shared_data: Path) -> None:
    mapping = parse_mapping("title=title,published_at=date,summary=text,tickers=tickers,url=news_url,outlet=source_name")
    reports = [
        load(engine, path, mapping, run_id=path.stem) for path in sorted((shared_data / "dated/mag7/training_news").glob("*.csv"))
    ]
    assert sum(report.fetched for report in reports) == 2_800
    assert sum(report.quarantined for report in reports) == 0
    articles = stored(engine)
    assert sum(report.stored for report in reports) == len(articles)
    assert any(len(article.tickers) > 1 for article in articles)
    assert (min(a.published_at for a in articles).date(), max(a.published_at for a in articles).date()) == (
        date(2025, 10, 2),
        date(2025, 11, 13),
    )


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "mapping", "first_day", "least"),
    [
        ("guardian", "title=Headlines,published_at=Time", date(2020, 7, 18), 400),
        ("cnbc", "title=Headlines,published_at=Time,summary=Description", date(2020, 7, 17), 440),
        ("reuters", "title=Headlines,published_at=Time,summary=Description", date(2020, 7, 18), 400),
    ],
)
def test_raw_scrapes_are_read_in_their_encoding_and_date_shape(
    engine: Engine, shared_data: Path, name: str, mapping: str, first_day: date, least: int
) -> None:
    report = load(engine, shared_data / "dated/raw_subset" / f"{name}_headlines.csv", parse_mapping(mapping))
    articles = stored(engine)
    assert report.stored == len(articles) >= least
    assert max(article.published_at for article in articles).date() == first_day
    assert not any("\ufffd" in article.title or "\x92" in article.title for article in articles)
    with engine.connect() as connection:
        assert {item.rule for item in quarantined_items(connection)} <= {"published_at_is_readable"}


@pytest.mark.shared_data
def test_the_reuters_headlines_are_imported_at_2000_rows_a_second(engine: Engine, shared_data: Path) -> None:
    started = time.perf_counter()
    report = load(engine, shared_data / "dated/reuters/reuters_headlines.csv", parse_mapping("title=1,published_at=0"))
    took_s = time.perf_counter() - started
    print(f"{report.fetched:,} rows in {took_s:.1f} s, {report.fetched / took_s:,.0f} rows/s; {report}")
    assert report.stored + report.duplicate == report.fetched == 32_770
    assert report.fetched / took_s >= 2_000
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM platform.raw_data")).scalar_one() == report.stored


def test_a_second_import_on_another_clock_says_that_the_stored_times_stay(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "news.csv"
    path.write_text(HEADER + "Kiln maker wins,2025-11-05 09:30,,,,\nKiln maker loses,2025-11-06 14:00Z,,,,\n")
    load(engine, path)
    before = [article.published_at for article in stored(engine)]
    assert load(engine, path, run_id="again").detail == "news.csv", "the control: the same clock"
    report = import_archive(
        path, BY_NAME, source="archive", engine=engine, run_id="zoned", now=NOW, stated=stated_clock("Europe/Athens")
    )
    assert (report.stored, report.duplicate) == (0, 2)
    assert report.detail == "news.csv: 1 of the duplicates are stored with another time, which stays"
    assert [article.published_at for article in stored(engine)] == before
