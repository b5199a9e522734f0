import pytest

from sentiment_platform.models.evaluation.seen_data import in_sample, seen_by_starter, starter_hashes


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


def test_texts_that_a_starter_was_fitted_on_are_known_by_their_hash_in_all_that_goes_back_to_it() -> None:
    training_set, hashes = starter_hashes()
    seen, new = f"{min(hashes)}{'0' * 24}", f"{next(f'{n:08x}' for n in range(2**32) if f'{n:08x}' not in hashes)}{'0' * 24}"
    of_starter = {"starter": {"training_set": training_set, "label_sets": ["sentfin"]}}
    assert seen_by_starter(of_starter, [seen, new]) == {seen}
    # The controls: a version that goes back to no starter, and one of another release, whose texts nobody knows here.
    assert seen_by_starter({}, [seen, new]) == set()
    assert seen_by_starter({"starter": {"training_set": "f" * 64, "label_sets": ["sentfin"]}}, [seen, new]) == set()
