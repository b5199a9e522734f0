"""Each file is read by the readers of news, of labels and of prices: they say the same, or all refuse it."""

from datetime import date
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.importers import parse_columns, plain
from sentiment_platform.market.price_files import parse_price_map, read_price_file
from sentiment_platform.news.archive import archive_items, parse_mapping
from sentiment_platform.text_files.maps import parse_map
from sentiment_platform.text_files.written import TextFileError, Written, written_as

NATIONAL = {
    "cp1251": "Канатный цех снизил прогноз на год",
    "koi8_r": "Канатный цех снизил прогноз на год",
    "cp1250": "Výrobce čajníků zvýšil tržby a přidal dividendu",
    "gb18030": "水壶厂商上调全年业绩预期",
    "big5": "水壺廠商調高全年業績預期",
    "shift_jis": "やかんメーカーが業績予想を上方修正",
    "euc_jp": "やかんメーカーが業績予想を上方修正",
    "iso2022_jp": "やかんメーカーが業績予想を上方修正",
    "euc_kr": "주전자 업체가 연간 전망을 높였다",
    "cp1253": "Η εταιρεία αύξησε τα κέρδη της",
    "cp1254": "Çaydanlık şirketi kârını artırdı",
    "cp1255": "מפעל הקומקומים העלה תחזית",
    "mac_roman": "Le fabricant de théières relève ses prévisions",
    "cp850": "Le fabricant de théières relève ses prévisions",
}


def titles(path: Path, written: Written | None = None, mapping: str = "title=text,published_at=day") -> list[str | None]:
    return [item.title for item in archive_items(path, parse_mapping(mapping), "desk", written=written)]


def texts(path: Path, written: Written | None = None, mapping: str = "") -> list[str]:
    return [example.text for example in plain(path, columns=parse_columns(mapping), written=written).examples]


def made(folder: Path, text: str, encoding: str) -> Path:
    path = folder / "desk.csv"
    path.write_bytes(f"text,day,label\n{text},2024-07-02,neg\n".encode(encoding))
    return path


@pytest.mark.parametrize("encoding", NATIONAL)
def test_a_national_encoding_is_refused_with_samples_until_it_is_named(tmp_path: Path, encoding: str) -> None:
    text = NATIONAL[encoding]
    path = made(tmp_path, text, encoding)
    for read in (titles, texts):
        with pytest.raises(TextFileError, match="--encoding") as refused:
            read(path)
        if encoding not in ("cp1255", "cp850", "cp1254", "mac_roman"):
            assert text[:6] in str(refused.value), "one of the samples is the right one"
        assert read(path, written_as(encoding)) == [text]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_read_without_a_word_and_without_a_mark_of_its_own(tmp_path: Path, encoding: str) -> None:
    path = made(tmp_path, "Канатный цех снизил прогноз, say “€”".replace(",", ";"), encoding)
    assert titles(path) == ["Канатный цех снизил прогноз; say “€”"]
    assert texts(path) == ['Канатный цех снизил прогноз; say "€"']
    assert titles(path, written_as(encoding)) == titles(path)
    if encoding.startswith("utf-8"):
        with pytest.raises(TextFileError, match="Leave --encoding out"):
            titles(path, written_as("cp1251"))


@pytest.mark.parametrize(
    "text",
    [
        "Kettle maker’s café unit – “strong” at €5m",
        "L’État à la hausse: société très prospère",
        "Über 5 % mehr Umsatz für Größe und Öl",
        "El año de señales según España",
        "Maior lucro não é ilusão",
        "Overskudd for små båter på sjø",
    ],
)
def test_western_words_are_guessed_and_the_guess_is_told_with_the_words(tmp_path: Path, text: str) -> None:
    written = Written()
    assert titles(made(tmp_path, text, "cp1252"), written) == [text]
    assert all(word in text for word in written.guessed)
    assert "cp1252" in (written.note() or "")
    assert "--encoding" in (written.note() or "")
    assert Written().note() is None


@pytest.mark.parametrize(
    ("head", "separator"),
    [
        ("text;day;label", ";"),
        ("TEXT\tDay\tLabel", "\t"),
        ("Text|DAY|label", "|"),
        ("sep=;\n Text ; Day ;Label", ";"),
        ("text,day,label", ","),
    ],
)
def test_delimiters_are_found_and_columns_in_any_case(tmp_path: Path, head: str, separator: str) -> None:
    path = tmp_path / "desk.csv"
    row = separator.join(('"Kettles; ropes, and more"', "2024-07-02", "neg"))
    path.write_text(f"{head}\r\n{row}\r\n\r\n", newline="")
    assert titles(path) == texts(path) == ["Kettles; ropes, and more"]


def test_a_delimiter_that_nobody_would_look_for_is_named(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("text^day^label\nKettles sell^2024-07-02^pos\n")
    with pytest.raises(PermanentError, match="no column"):
        titles(path)
    assert titles(path, written_as("", "^")) == texts(path, written_as("", "^")) == ["Kettles sell"]
    for wrong in ("ab", '"'):
        with pytest.raises(ValueError, match="no delimiter"):
            written_as("", wrong)
    with pytest.raises(ValueError, match="no encoding"):
        written_as("cp9999")


def test_positions_find_their_delimiter_too(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("2024-07-02;Kettles, and ropes\n2024-07-03;Ropes\n")
    assert titles(path, mapping="title=1,published_at=0") == ["Kettles, and ropes", "Ropes"]


def test_names_hold_what_separates_the_map(tmp_path: Path) -> None:
    known = ("title", "published_at")
    assert parse_map("title=Title, long,published_at=Date", known) == {"title": "Title, long", "published_at": "Date"}
    assert parse_map('title="a,b=c",published_at=x=y', known) == {"title": "a,b=c", "published_at": "x=y"}
    assert parse_map('title="say ""it""", published_at = d ', known) == {"title": 'say "it"', "published_at": "d"}
    path = tmp_path / "desk.csv"
    path.write_text('"Title, long",Day=UTC,label\nKettles sell,2024-07-02,pos\n')
    assert titles(path, mapping='title="title, long",published_at=day=utc') == ["Kettles sell"]
    path.write_text("Text,TEXT,day\na,b,2024-07-02\n")
    with pytest.raises(TextFileError, match="2 columns called text"):
        titles(path)


def test_a_long_cell_costs_at_most_its_row(tmp_path: Path) -> None:
    path, long = tmp_path / "desk.csv", "word " * 300_000
    path.write_text(f"text,day,label,more\n{long},2024-07-02,neg,\nKettles sell,2024-07-02,pos,{long}\nRopes,2024-07-02,neu,\n")
    assert titles(path)[1:] == texts(path) == ["Kettles sell", "Ropes"]


@pytest.mark.parametrize("tail", ["", "\n", "\nRopes,2024-07-03,neg\n"])
def test_a_quotation_mark_that_is_never_closed_is_no_cell(tmp_path: Path, tail: str) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(f'text,day,label\n"Kettles sell,2024-07-02,pos{tail}')
    for read in (titles, texts):
        with pytest.raises(TextFileError, match="never closed"):
            read(path)
    path.write_text('text,day,label\nA 5" pipe,2024-07-02,pos\n"A ""5"" pipe",2024-07-02,pos')
    assert titles(path) == texts(path) == ['A 5" pipe', 'A "5" pipe']


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('Ropes,2024-07-02,neg\n"Kettles sell,2024-07-03,pos\nLooms,2024-07-04,neg\nKilns 19",2024-07-05,pos\n', 3),
        ('"Kettles sell,2024-07-03,pos\nLooms,2024-07-04,neg\nRopes,2024-07-05,neg\nKilns 19",2024-07-05,pos\n', 2),
        ('Ropes,2024-07-02,neg\n"Kettles sell,2024-07-03,pos\n"Looms, ropes",2024-07-04,neg\n', 3),
        ('Ropes,2024-07-02,neg\nSay it,2024-07-03,"pos\nLooms,2024-07-04,neg\nRopes,2024-07-04,"neg"\n', 3),
    ],
)
def test_a_quotation_mark_that_a_later_row_closes_swallows_no_rows(tmp_path: Path, rows: str, line: int) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(f"text,day,label\n{rows}")
    for read in (titles, texts):
        with pytest.raises(TextFileError, match=rf"line {line}: a quotation mark opens a cell that takes in the rows after it"):
            read(path)


@pytest.mark.parametrize(
    "cell",
    [
        '"Kettles sell,\nsaid the maker, on Monday\nand more"',
        '"Kilns: 1, 2, 3\n4, 5, 6\n7, 8"',
        '"A list:\n\nropes, looms\n2024-07-01"',
        '"""Quoted"", he said,\n""twice"" even"',
        '"Kettles sell\r\nas in 2024, and in May"',
    ],
)
def test_texts_of_several_lines_are_cells(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "desk.csv"
    with path.open("w", newline="") as file:
        file.write(f"text,day,label\nRopes,2024-07-02,neg\n{cell},2024-07-03,pos\nLooms,2024-07-04,neg\n")
    assert [title and title.split()[0] for title in titles(path)][::2] == ["Ropes", "Looms"]
    assert len(texts(path)) == 3


def test_prices_that_a_quotation_mark_swallows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        'symbol,session,open,high,low,close\n"LAMP,2025-01-06,1,2,1,2\nLAMP,2025-01-07,1,2,1,2\n"LAMP",2025-01-08,1,2,1,2\n'
    )
    with pytest.raises(TextFileError, match="line 2: a quotation mark opens a cell"):
        list(read_price_file(path, parse_price_map("")))


def test_entities_and_tags_are_no_part_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("text,day,label\n<p>K&amp;R <b>cuts</b> Rope&#39;s P/E &lt; 9</p>,2024-07-02,neg\n")
    assert titles(path) == texts(path) == ["K&R cuts Rope's P/E < 9"]


def test_prices_are_read_by_the_same_reader(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes("sep=;\nКод;Session;Open;HIGH;low;close\nLAMP;2025-01-06;1;2;1;2\n".encode("cp1251"))
    columns = parse_price_map("symbol=код")
    with pytest.raises(TextFileError, match="--encoding"):
        list(read_price_file(path, columns))
    (bar,) = read_price_file(path, columns, written=written_as("cp1251"))
    assert (bar.symbol, bar.session, bar.high) == ("LAMP", date(2025, 1, 6), 2.0)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("A kötélgyár erősen nőtt", "cp1250"),
        ("Společnost zdražila", "cp1250"),
        ("Banca urcă mâine sărac", "cp1250"),
        ("Bankanın kârı", "cp1254"),
    ],
)
def test_words_that_look_western_but_for_one_letter_are_not_guessed(tmp_path: Path, text: str, encoding: str) -> None:
    path = made(tmp_path, text, encoding)
    with pytest.raises(TextFileError, match="--encoding"):
        titles(path)
    assert titles(path, written_as(encoding)) == [text]
