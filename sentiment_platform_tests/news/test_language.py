"""Claims about languages that no source states: the text says so, the row says that it did, and English headlines stay English."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.news.admission import store_items
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.language import detected_language
from sentiment_platform.store.profiles import source_profiles

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "title",
    [
        "Köhler & Söhne raises outlook",
        "Shin-Etsu Chemical to buy back shares",
        "Société Générale names Slawomir Krupa as CEO",
        "Hindustan Zinc Q3 profit up 12%",
        "Banco Bilbao says loan losses fell",
        "O'Reilly, McDonald's and L'Oréal shares slip",
    ],
)
def test_an_english_headline_with_names_is_english(title: str) -> None:
    assert detected_language(title, None) == "en"


@pytest.mark.parametrize(
    ("title", "summary"),
    [
        ("Ofenbauer senkt Prognose und streicht Stellen", None),
        ("窯業メーカーが業績予想を上方修正", None),
        ("Le fabricant de fours relève ses prévisions", "Les commandes ont augmenté."),
        ("qwrt zxcv bnmp", None),
    ],
)
def test_what_is_not_english_is_undetermined(title: str, summary: str | None) -> None:
    assert detected_language(title, summary) == "und"


def test_a_headline_of_names_is_what_its_summary_is() -> None:
    title = "Kestrane Fenmoor Halvik"
    assert detected_language(title, None) == "und"
    assert detected_language(title, "The companies say that they will close two plants and cut jobs.") == "en"


def test_a_stated_language_stays_and_a_detected_one_says_so(engine: Engine) -> None:
    def item(number: int, title: str, **more: Any) -> RawItem:
        return RawItem(
            source="wire",
            origin="o",
            position=number,
            title=title,
            published_at=NOW,
            published_text="x",
            guid=f"{number}",
            **more,
        )

    items = [
        item(1, "Kiln maker wins a contract"),
        item(2, "Ofenbauer senkt Prognose und streicht Stellen"),
        item(3, "Ofenbauer verliert Auftrag", language="de"),
        item(4, "Looms sell well", language="klingon!"),
    ]
    for run in ("first", "again"):
        with engine.begin() as connection:
            store_items(connection, items, run_id=run, now=NOW)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT language, language_detected FROM platform.raw_data ORDER BY external_id")).all()
        (profile,) = source_profiles(connection, NOW, NOW.replace(hour=13))
    assert [tuple(row) for row in rows] == [("en", True), ("und", True), ("de", False), ("en", True)]
    assert profile.missing["language"] == 0.75, "what was detected was not delivered"
