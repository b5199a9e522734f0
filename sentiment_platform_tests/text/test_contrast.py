from random import Random

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from sentiment_platform.text.contrast import reweigh_around


def by_the_package(but: int, sentiments: list[float]) -> list[float]:
    words = ["x"] * len(sentiments)
    words[but] = "but"
    return SentimentIntensityAnalyzer._but_check(words, list(sentiments))


def ours(but: int, sentiments: list[float]) -> list[float]:
    positions = [position for position, value in enumerate(sentiments) if value != 0]
    weighed = list(sentiments)
    new = reweigh_around(but, positions, [sentiments[position] for position in positions], before=0.5, after=1.5)
    for position, value in zip(positions, new, strict=True):
        weighed[position] = value
    return weighed


def test_words_before_but_count_half_and_words_after_it_half_more() -> None:
    assert ours(1, [2.0, 0.0, 3.0]) == [1.0, 0.0, 4.5]


def test_of_equal_valences_the_first_one_is_reweighed_as_in_the_package() -> None:
    # The word before "but" becomes 1.0, so that the 1.0 after it is taken for that word and halves it again.
    assert ours(1, [2.0, 0.0, 1.0]) == by_the_package(1, [2.0, 0.0, 1.0]) == [0.5, 0.0, 1.0]


def test_any_pattern_of_equal_valences_is_reweighed_as_in_the_package() -> None:
    random = Random(3)
    repeated_hits = 0
    for _ in range(5_000):
        size = random.randint(1, 30)
        # Powers of the two factors: reweighed valences meet untouched ones all the time.
        sentiments = [random.choice((0.0, 0.5, 1.0, 1.5, 2.0, 2.25, 3.0, -1.0, -2.0)) for _ in range(size)]
        but = random.randrange(size)

        expected = by_the_package(but, sentiments)
        assert ours(but, sentiments) == expected
        plain = [value * (0.5 if at < but else 1.5 if at > but else 1) for at, value in enumerate(sentiments)]
        repeated_hits += plain != expected
    # Otherwise the simple rule would have passed too.
    assert repeated_hits > 1_000
