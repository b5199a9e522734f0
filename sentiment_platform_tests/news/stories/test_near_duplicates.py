import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_platform.labels.importers import phrasebank
from sentiment_platform.news.stories.near_duplicates import SIMILARITY, counted_as, story_of
from sentiment_platform.text.normalise import text_key

texts = st.lists(
    st.lists(
        st.sampled_from(["profit", "loss", "rose", "fell", "sharply", "again", "today", "shares", "group", "unit"]), max_size=9
    ).map(" ".join),
    max_size=25,
)


def jaccard(one: str, two: str) -> float:
    a, b = (set(text_key(text).split(" ")) for text in (one, two))
    return len(a & b) / len(a | b)


def slowly(given: Sequence[str]) -> list[int]:
    """Every pair compared, then neighbours joined until nothing changes."""
    story = list(range(len(given)))
    changed = True
    while changed:
        changed = False
        for one in range(len(given)):
            for two in range(one):
                if jaccard(given[one], given[two]) >= SIMILARITY and story[one] != story[two]:
                    story[one] = story[two] = min(story[one], story[two])
                    changed = True
    return story


@settings(max_examples=300, deadline=None)
@given(given=texts)
def test_stories_are_what_comparing_every_pair_gives(given: list[str]) -> None:
    assert story_of(given) == slowly(given)


@settings(max_examples=100, deadline=None)
@given(given=texts, seed=st.integers(0, 99))
def test_which_texts_belong_together_does_not_depend_on_their_order(given: list[str], seed: int) -> None:
    order = list(range(len(given)))
    random.Random(seed).shuffle(order)
    shuffled = story_of([given[index] for index in order])

    def groups(story: Sequence[int], names: Sequence[int]) -> set[frozenset[int]]:
        return {frozenset(name for name, s in zip(names, story, strict=True) if s == one) for one in story}

    assert groups(shuffled, order) == groups(story_of(given), range(len(given)))


def test_case_and_punctuation_do_not_make_another_story() -> None:
    assert story_of(["Profit rose!", "Loss grew", "PROFIT, rose", "???", "!"]) == [0, 1, 0, 3, 3]


def test_neighbours_of_neighbours_are_one_story() -> None:
    words = [f"w{n}" for n in range(12)]
    chain = [" ".join(words[start : start + 9]) for start in range(4)]
    assert jaccard(chain[0], chain[1]) >= SIMILARITY > jaccard(chain[0], chain[2])
    # The link in the middle comes last: it joins two stories that already were there.
    assert story_of([chain[0], chain[2], chain[1]]) == [0, 0, 0]


def test_one_different_word_in_five_is_another_story() -> None:
    assert story_of(["a b c d", "a b c d e"]) == [0, 0]
    assert story_of(["a b c d", "a b c e"]) == [0, 1]


@pytest.mark.shared_data
def test_phrasebank_has_near_duplicates_and_few(shared_data: Path) -> None:
    sentences = [e.text for e in phrasebank(shared_data / "labelled/phrasebank/Sentences_50Agree.txt").examples]
    assert 20 < len(sentences) - len(set(story_of(sentences))) < 300


def test_copies_count_once_and_templates_with_other_facts_each_for_themselves() -> None:
    given = [
        "Sample Corp net profit rose 5% in the first half of the year",
        "SAMPLE CORP net profit rose 5% in the first half of the year!",
        "Sample Corp net profit rose 6% in the first half of the year",
        "Sample Corp net profit fell 5% in the first half of the year",
        "Sample Corp net profit rose 5% in the first half of this year",
    ]
    assert len(set(story_of(given))) == 1
    assert counted_as(given, [None] * 5) == [0, 0, 2, 3, 0]


def test_articles_of_one_collected_story_count_once_whatever_their_words() -> None:
    given = ["Sample buys rival", "Deal of the year for Sample", "Weather", "Sample buys rival."]
    assert counted_as(given, ["s1", "s1", None, None]) == [0, 0, 2, 0]
    assert counted_as([], []) == []


@settings(max_examples=100, deadline=None)
@given(given=texts, stories=st.lists(st.sampled_from(["a", "b", None]), min_size=25, max_size=25))
def test_what_counts_for_others_counts_for_itself(given: list[str], stories: list[str | None]) -> None:
    counted = counted_as(given, stories[: len(given)])
    assert all(counted[one] == one <= position for position, one in enumerate(counted))
