import pytest

from sentiment_platform.models.evaluation.seen_data import in_sample


@pytest.mark.parametrize(
    ("base", "label_sets", "expected"),
    [
        ("ProsusAI/finbert", ["phrasebank-50"], True),
        ("ProsusAI/finbert", ["sentfin", "phrasebank-all"], True),
        ("ProsusAI/finbert", ["sentfin", "tfns"], False),
        ("finbert", ["phrasebank-75"], True),
        ("sentence-transformers/all-MiniLM-L6-v2 (packaged)", ["phrasebank-50"], False),
        ("vaderSentiment 3.3.2 lexicon", ["phrasebank-50"], False),
        ("ProsusAI/finbert", [], False),
    ],
)
def test_figures_on_what_the_base_was_trained_on_are_in_sample(base: str, label_sets: list[str], expected: bool) -> None:
    assert in_sample(base, {}, [], label_sets) is expected
