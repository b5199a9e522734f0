"""Each file is read by the readers of news, of labels and of prices: they say the same, or all refuse it."""

import gzip
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.importers import parse_columns, plain
from sentiment_platform.market.price_files import parse_price_map, read_price_file
from sentiment_platform.news.archive import archive_items, parse_mapping
from sentiment_platform.news.quality import judge
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
    "cp866": "Канатный цех снизил прогноз на год",
    "cp1256": "ارتفاع أرباح الشركة",
    "cp1257": "Įmonė padidino pelną šiemet",
    "hz": "水壶厂商上调全年业绩预期",
    "utf_7": "Канатный цех снизил прогноз",
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
        if encoding not in ("cp850", "cp1254", "cp1257", "mac_roman"):
            assert text[:6] in str(refused.value), "one of the samples is the right one"
        assert read(path, written_as(encoding)) == [text]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_unicode_is_read_without_a_word_and_without_a_mark_of_its_own(tmp_path: Path, encoding: str) -> None:
    path = made(tmp_path, "Канатный цех снизил прогноз, say “€”".replace(",", ";"), encoding)
    assert titles(path) == ["Канатный цех снизил прогноз; say “€”"]
    assert texts(path) == ['Канатный цех снизил прогноз; say "€"']
    assert titles(path, written_as(encoding)) == titles(path)
    if encoding.startswith("utf-8"):
        for other in ("cp1251", "gb18030", "shift_jis", "latin-1"):
            with pytest.raises(TextFileError, match="Leave --encoding out"):
                titles(path, written_as(other))


@pytest.mark.parametrize(
    ("named", "written", "text"),
    [
        ("shift_jis", "cp932", "①やかんメーカーが上方修正"),
        ("gb2312", "gb18030", "鎔水壶厂商上调"),
        ("euc-kr", "cp949", "똠방 주전자 업체"),
        ("latin-1", "cp1252", "Kettle maker’s profit – up"),
        ("gb2312", "gb2312", "茅台"),  # its four bytes are UTF-8 too
    ],
)
def test_a_name_means_what_windows_writes_under_it(tmp_path: Path, named: str, written: str, text: str) -> None:
    path = made(tmp_path, text, written)
    assert titles(path, written_as(named)) == [text]
    if named != "latin-1":
        with pytest.raises(TextFileError, match="--encoding"):
            titles(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "workbook"),
        (b"PK\x03\x04" + bytes(26) + b"desk.csv", "zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "workbook of Excel"),
        (gzip.compress(b"text,day,label\n", mtime=0), "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PAR1" + bytes(20), "Parquet"),
        (b"\n<!DOCTYPE html><html><body>text,day</body></html>", "HTML"),
        (b"<?xml version='1.0'?><rss/>", "XML"),
        (b'[{"text": "Kettles rise", "day": "2024-07-02"}]', "JSON"),
    ],
)
def test_what_is_no_text_is_refused_by_its_own_name(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "desk.csv"
    path.write_bytes(content)
    for read in (titles, texts):
        with pytest.raises(TextFileError, match=kind):
            read(path)
    if kind != "JSON":
        with pytest.raises(TextFileError, match=kind):
            titles(path.rename(tmp_path / "desk.xlsx"))


def test_a_file_that_is_utf_8_but_for_a_line_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_bytes("text,day,label\nCafé,2024-07-02,pos\n".encode() * 3 + "Café,2024-07-03,neg\n".encode("cp1252"))
    for read in (titles, texts):
        with pytest.raises(TextFileError, match=r"but for 1 of its lines \(7\)"):
            read(path)


@pytest.mark.parametrize(
    "before", ["# from the desk\n", "Headlines, of 2024; all\n\n", ",,\n,,\n", "sep=,\n# note\n", "SEP=,\n", '\ufeff"Report"\n']
)
def test_what_stands_before_the_header_is_no_header(tmp_path: Path, before: str) -> None:
    path = tmp_path / "desk.csv"
    path.write_text(
        f"{before}\u200btext\u200b,day,label\nKettles sell,2024-07-02,pos\n\u200btext\u200b,day,label\nRopes,2024-07-03,neg\n"
    )
    assert titles(path) == texts(path) == ["Kettles sell", "Ropes"]


def test_a_column_that_is_there_twice_and_a_row_that_is_too_long_are_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("day,label,text\n2024-07-02,pos,Kettles, and ropes, sell\n2024-07-03,neg,Ropes,,\n")
    cut, whole = archive_items(path, parse_mapping("title=text,published_at=day"), "desk")
    assert (cut.title, cut.published_at, whole.title) == ("2024-07-02 | pos | Kettles | and ropes | sell", None, "Ropes")
    refused = judge([cut, whole], datetime(2025, 1, 1, tzinfo=UTC)).refused
    assert [one.rule for one in refused] == ["row_fits_its_header"]
    report = plain(path)
    assert ([example.text for example in report.examples], [one.rule for one in report.refused]) == (
        ["Ropes"],
        ["row_is_readable"],
    )

    path.write_text("Session,Symbol,open,high,low,close\n2025-01-06,LAMP,1,234.5,1,240,1,230,1,235\n2025-01-07,LAMP,1,2,1,2,\n")
    wrong, right = read_price_file(path, parse_price_map(""))
    assert (wrong.symbol, wrong.open, right.symbol, right.close) == (None, None, "LAMP", 2.0)

    path.write_text("text,text,day,label\na,b,2024-07-02,neg\n")
    for read in (titles, texts):
        with pytest.raises(TextFileError, match="2 columns called text"):
            read(path)


@pytest.mark.parametrize("name", ["desk.json", "desk.jsonl", "desk.ndjson"])
def test_objects_come_one_a_line_or_as_one_list(tmp_path: Path, name: str) -> None:
    rows = [
        '{"Text": "Kettles sell", "day": "2024-07-02", "label": "pos"}',
        '{"text": "Ropes", "day": 1719914400, "label": "neg"}',
    ]
    path = tmp_path / name
    for content in ("\r\n".join(rows), ",\n".join(rows), f"\ufeff[{','.join(rows)}]", f"[\n{rows[0]},\n{rows[1]}\n]\n"):
        path.write_text(content)
        assert titles(path) == texts(path) == ["Kettles sell", "Ropes"]


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


def test_quotation_marks_behind_a_backslash_are_read_as_doubled_ones(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    rows = (
        r'"Kettles \"strong\", ropes",2024-07-02,pos',
        r'"He said \"buy\"",2024-07-02,pos',
        r'"Kilns in C:\",2024-07-02,neg',
        r"Looms \"weak\" today,2024-07-02,neg",
    )
    path.write_text("\n".join(("text,day,label", *rows)))
    right = ['Kettles "strong", ropes', 'He said "buy"', "Kilns in C:\\", r"Looms \"weak\" today"]
    assert titles(path) == texts(path) == right


def test_marks_that_nobody_sees_are_no_part_of_a_text(tmp_path: Path) -> None:
    path = tmp_path / "desk.csv"
    path.write_text("text,day,label\nKettles sell,2024-07-02,neg\n\ufeffRo\u200bpes\u200e,\u200e2024-07-02,pos\u200b\n")
    assert titles(path) == texts(path) == ["Kettles sell", "Ropes"]


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
        ("PKO zwiększa zysk", "cp1250"),
        ("Zarząd podnosi prognozę", "cp1250"),
        ("Įmonė padidino pelną", "cp1257"),
    ],
)
def test_words_that_look_western_but_for_one_letter_are_not_guessed(tmp_path: Path, text: str, encoding: str) -> None:
    path = made(tmp_path, text, encoding)
    with pytest.raises(TextFileError, match="--encoding"):
        titles(path)
    assert titles(path, written_as(encoding)) == [text]
