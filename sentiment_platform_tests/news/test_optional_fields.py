"""Claims about optional fields: whatever stands in one, the article is stored, with what can be read of it and a note on the rest."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from sentiment_platform.news.admission import store_items
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.optional_fields import with_usable_fields
from sentiment_platform.news.quality import judge
from sentiment_platform.text.language_names import language_code
from sentiment_platform_tests.news.defects import GOOD, NOW, item

NEEDED = {"source", "origin", "position", "title", "published_at", "published_text", "day_only", "zone", "notes", "problem"}
OPTIONAL = [field.name for field in msgspec.structs.fields(RawItem) if field.name not in NEEDED]
HOSTILE = [
    "\x00", "a\x00b", "\ufffd", "\ud7ff", "a" * 30_000, "/news/1", "//host/1", "file:///etc/passwd", "https://e.example/" + "a" * 3_000,
    "http://[::1", "klingon!", "nan", "None", "-", "", " ", "\u200b", "<b>x</b>", "1e999", "\U0010ffff", "https://google.com/amp/" * 4_000,
]  # fmt: skip


def values(field: str) -> st.SearchStrategy[Any]:
    texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))
    return st.lists(texts, max_size=4).map(tuple) if field == "tickers" else texts


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional={name: values(name) for name in OPTIONAL}))
def test_no_value_of_any_optional_field_costs_the_article(fields: dict[str, Any]) -> None:
    judgement = judge([item(**fields)], NOW)
    assert judgement.refused == ()
    (accepted,) = judgement.accepted
    assert with_usable_fields(accepted) is accepted


def test_every_hostile_value_of_every_optional_field_is_stored_in_a_database(engine: Engine) -> None:
    assert set(OPTIONAL) == {"summary", "url", "guid", "outlet", "language", "tickers"}
    items = [
        item(**{"guid": f"{name}-{n}", "url": f"https://e.example/{name}/{n}", name: (value,) if name == "tickers" else value})
        for name in OPTIONAL
        for n, value in enumerate(HOSTILE)
    ]
    # Each is an article of its own, also without its address.
    items = [msgspec.structs.replace(one, title=f"Profit rises {n}") for n, one in enumerate(items)]
    with engine.begin() as connection:
        tally = store_items(connection, items, run_id="run", now=NOW)
        assert (tally.stored, tally.duplicate, tally.quarantined) == (len(items), 0, 0)
        notes = connection.execute(text("SELECT notes FROM platform.raw_data WHERE notes <> '{}' ORDER BY id")).scalars().all()
    assert tally.note == f"with a note on a field: {len(notes)}"
    assert len(notes) > 20
    assert ["url: '/news/1' is no http or https address"] in notes
    assert ["language: 'klingon!' is no language"] in notes


def test_an_item_whose_fields_are_good_is_the_same_object() -> None:
    good = RawItem(**GOOD)  # type: ignore[arg-type]
    assert with_usable_fields(good) is good


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("en", "en"), ("EN", "en"), ("en_us", "en-US"), ("en-GB", "en-GB"), ("eng", "en"), ("English", "en"), ("english (US)", "en"),
        ("Deutsch", "de"), ("German", "de"), ("zh-hans", "zh-Hans"), ("zh_Hant_TW", "zh-Hant-TW"), ("\u4e2d\u6587", "zh"),
        ("Fran\u00e7ais", "fr"), ("Portuguese", "pt"), ("jpn", "ja"), ("en-US,en;q=0.9", "en-US"), ("Klingon", None),
        ("12", None), ("Grindmills", None),
    ],
)  # fmt: skip
def test_a_language_by_code_or_name_is_its_code(written: str, code: str | None) -> None:
    assert language_code(written) == code
