from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from pandera.errors import SchemaErrors

from sentiment_platform.news.items import RawItem
from sentiment_platform.news.quality import ARTICLE_RULES, RULES, broken_articles, judge, raw_news_contract
from sentiment_platform.store.stories import StoryCandidate
from sentiment_platform_tests.news.defects import DEFECTS, NOW, item


def test_every_rule_has_its_defect() -> None:
    assert list(DEFECTS) == list(RULES)


@pytest.mark.parametrize("rule", DEFECTS)
def test_a_defect_is_refused_under_the_name_of_its_rule(rule: str) -> None:
    bad = item(**DEFECTS[rule])
    judgement = judge([item(), bad, item(position=3)], NOW)
    assert [(refusal.rule, refusal.item) for refusal in judgement.refused] == [(rule, bad)]
    assert judgement.refused[0].detail == RULES[rule]
    assert [accepted.position for accepted in judgement.accepted] == [1, 3]


def test_an_item_with_several_defects_is_refused_once_and_all_are_named() -> None:
    judgement = judge([item(title=None, published_at=None, published_text="soon", url="ftp://example.com")], NOW)
    assert [refusal.rule for refusal in judgement.refused] == ["title_is_present"]
    assert judgement.refused[0].detail == "; ".join(RULES[r] for r in ("title_is_present", "published_at_is_readable"))


def test_an_item_with_nothing_but_title_and_time_is_accepted() -> None:
    bare = RawItem(source="s", origin="o", position=1, title="Profit", published_at=NOW + timedelta(hours=23), published_text="x")
    assert judge([bare], NOW).accepted == (bare,)


def test_no_items_are_no_work() -> None:
    assert judge([], NOW).accepted == ()


@pytest.mark.parametrize("title", ["Caf\u00c3\u00a9 profits rise", "Bank\u00e2\u20ac\u2122s profits rise", "Profit \ufffd rises"])
def test_a_title_that_was_read_in_the_wrong_charset_is_refused(title: str) -> None:
    assert [refusal.rule for refusal in judge([item(title=title)], NOW).refused] == ["title_is_decoded"]


@pytest.mark.parametrize(
    "title",
    ["Testing times for banks", "Nullification vote looms", "A < B, says AT&T", "S\u00c3O Paulo stocks", "<3 from investors"],
)
def test_ordinary_titles_that_look_a_little_like_defects_are_accepted(title: str) -> None:
    assert judge([item(title=title)], NOW).refused == ()


def test_a_frame_of_another_shape_is_no_matter_of_rows() -> None:
    with pytest.raises(SchemaErrors):
        raw_news_contract().broken(pl.DataFrame({"headline": ["Profit rises"]}))


ID = "0123456789abcdef" * 2
ARTICLE = StoryCandidate(
    id=ID, title="Profit rises", outlet=None, tickers=("EXM",), published_at=NOW, available_at=NOW, story_id=ID
)
ARTICLE_DEFECTS: dict[str, dict[str, object]] = {
    "id_is_a_content_hash": {"id": "1"},
    "title_is_present": {"title": "..."},
    "published_at_is_after_1990": {"published_at": datetime(1970, 1, 1, tzinfo=UTC)},
    "article_is_not_available_before_its_publication": {"available_at": NOW - timedelta(seconds=1)},
    "story_is_an_article": {"story_id": "unknown"},
    "tickers_are_symbols": {"tickers": ("exm",)},
}


def test_every_rule_of_articles_names_its_defect() -> None:
    assert list(ARTICLE_DEFECTS) == list(ARTICLE_RULES)
    for rule, defect in ARTICLE_DEFECTS.items():
        bad = replace(ARTICLE, **defect)  # type: ignore[arg-type]
        assert broken_articles([ARTICLE, bad]) == {bad.id: [rule]}
    assert broken_articles([ARTICLE]) == broken_articles([]) == {}
