from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.labels.splits import Part, StoryText, assign_parts, feedback_held_out, leaks
from sentiment_platform.text.normalise import split_bucket

DAY = datetime(2025, 1, 6, tzinfo=UTC)


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


stories = st.lists(
    st.tuples(st.integers(0, 15), st.none() | st.integers(0, 200), st.integers(0, 2)),
    max_size=60,
).map(
    lambda rows: [
        StoryText(f"Story {story} version {version}", f"s{story}", None if hours is None else at(hours), story % 5 == 4)
        for story, hours, version in rows
    ]
)


@settings(max_examples=300, deadline=None)
@given(rows=stories)
def test_no_story_and_no_text_is_in_two_parts_and_no_test_story_began_before_a_training_story(rows: list[StoryText]) -> None:
    assert not any(leaks(rows, assign_parts(rows)).values())


@settings(max_examples=100, deadline=None)
@given(rows=stories)
def test_dated_stories_are_parted_by_when_they_began(rows: list[StoryText]) -> None:
    begins: dict[str, datetime] = {}
    parts: dict[str, Part] = {}
    for row, part in zip(rows, assign_parts(rows), strict=True):
        if row.available_at and not row.from_feedback:
            begins[row.story_id] = min(row.available_at, begins.get(row.story_id, row.available_at))
            parts[row.story_id] = part
    order = {"train": 0, "validation": 1, "test": 2}
    in_time = [order[parts[story]] for story in sorted(begins, key=lambda story: (begins[story], story))]
    assert in_time == sorted(in_time)


@settings(max_examples=100, deadline=None)
@given(rows=stories)
def test_an_undated_story_is_where_its_words_put_it_whatever_else_there_is(rows: list[StoryText]) -> None:
    together = assign_parts(rows)
    for index, row in enumerate(rows):
        own = [other for other in rows if other.story_id == row.story_id]
        if all(other.available_at is None for other in own) and not row.from_feedback:
            assert assign_parts(own)[own.index(row)] == together[index]


def test_a_fifth_of_the_dated_stories_is_for_testing_and_the_newest_are() -> None:
    rows = [StoryText(f"Text {n}", f"s{n}", at(n)) for n in range(100)]
    assert assign_parts(rows) == ["train"] * 65 + ["validation"] * 15 + ["test"] * 20


def test_about_a_fifth_of_the_undated_stories_is_for_testing() -> None:
    rows = [StoryText(f"Text {n}", f"s{n}", None) for n in range(5000)]
    parts = assign_parts(rows)
    assert Counter(parts)["test"] == pytest.approx(1000, abs=100)
    assert Counter(parts)["validation"] == pytest.approx(500, abs=75)
    assert all((part == "test") == (split_bucket(row.text) % 5 == 0) for row, part in zip(rows, parts, strict=True))


def test_feedback_only_trains_whatever_its_time_and_moves_nothing_of_the_holdout() -> None:
    rows = [StoryText(f"Text {n}", f"s{n}", at(n)) for n in range(100)]
    complaints = [StoryText(f"Complaint {n}", f"c{n}", at(200 + n), from_feedback=True) for n in range(80)]
    on_old_news = StoryText("Text 3, corrected", "s3", at(300), from_feedback=True)
    on_the_holdout = StoryText("Text 99, corrected", "s99", at(0), from_feedback=True)
    every = [*rows, *complaints, on_old_news, on_the_holdout]
    parts = assign_parts(every)
    assert parts[:100] == assign_parts(rows)
    assert parts[100:] == ["train"] * 81 + ["test"]
    assert feedback_held_out(every, parts) == [False] * 181 + [True]
    # The one that may not train is left out, and then nothing leaks; the control is the same row left in.
    assert not any(leaks(every[:-1], parts[:-1]).values())
    assert leaks(every, parts)["feedback outside of the training part"] == 1


def test_a_story_with_one_dated_text_is_dated() -> None:
    rows = [StoryText(f"Text {n}", f"s{n}", at(n)) for n in range(9)]
    rows += [StoryText("Copy", "s0", None), StoryText("Copy", "s8", None)]
    assert assign_parts(rows)[-2:] == ["train", "test"]


@pytest.mark.parametrize(
    ("rows", "parts", "kind"),
    [
        ([StoryText("A", "s", None), StoryText("B", "s", None)], ["train", "test"], "stories in two parts"),
        ([StoryText("A b", "s", None), StoryText("a B!", "t", None)], ["train", "test"], "texts in two parts"),
        (
            [StoryText("A", "s", at(1)), StoryText("B", "t", at(0))],
            ["train", "test"],
            "test stories older than a training story",
        ),
        (
            [StoryText("A", "s", at(2)), StoryText("B", "t", at(9)), StoryText("C", "t", at(1))],
            ["train", "test", "test"],
            "test stories older than a training story",
        ),
    ],
)
def test_each_kind_of_leak_is_found(rows: list[StoryText], parts: list[Part], kind: str) -> None:
    found = leaks(rows, parts)
    assert {name for name, n in found.items() if n} == {kind}
    assert found[kind] == 1
    assert not any(leaks(rows, ["train"] * len(rows)).values())
