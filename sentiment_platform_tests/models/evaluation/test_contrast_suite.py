from collections import Counter
from collections.abc import Sequence

import numpy as np

from sentiment_platform.models.evaluation.contrast_suite import pairs, score_contrast
from sentiment_platform.models.family import LABELS, Explanation, Floats
from sentiment_platform.text.normalise import text_hash


class Knowing:
    """Answers from a book of texts; 1 (neutral) for what is not in it."""

    batch_size = 64
    uses_features = False

    def __init__(self, book: dict[str, int]) -> None:
        self._book = book

    def logits(self, texts: Sequence[str]) -> Floats:
        return np.eye(3)[[self._book.get(text, 1) for text in texts]]

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        return self.logits(texts)

    def explain(self, text: str, features: Floats | None) -> Explanation:
        return Explanation(0.0, 0.0, ())


def right_answers() -> dict[str, int]:
    return {text: LABELS.index(label) for pair in pairs() for text, label in zip(pair.texts, pair.labels, strict=True)}


def test_the_suite_has_at_least_120_pairs_of_five_kinds_that_differ_in_label_and_little_else() -> None:
    assert len(pairs()) >= 120
    assert min(Counter(pair.kind for pair in pairs()).values()) >= 24
    assert set(Counter(pair.kind for pair in pairs())) == {"negation", "direction", "hedge", "guidance", "analyst"}
    for pair in pairs():
        first, second = (set(text.split()) for text in pair.texts)
        assert pair.labels[0] != pair.labels[1]
        assert len(first & second) >= 2, pair.texts
    texts = [text_hash(text) for pair in pairs() for text in pair.texts]
    assert len(set(texts)) == len(texts)


def test_no_constant_answer_and_no_order_of_the_sentences_earns_anything() -> None:
    for label in range(3):
        assert score_contrast(Knowing(dict.fromkeys(right_answers(), label))).both_right.value == 0.0
    first = Counter(pair.labels for pair in pairs())
    assert max(first.values()) < 0.5 * len(pairs())


def test_a_pair_counts_only_with_both_sentences_right() -> None:
    known = right_answers()
    assert score_contrast(Knowing(known)).both_right.value == 1.0
    negation = [pair for pair in pairs() if pair.kind == "negation"]
    for pair in negation[:5]:
        known[pair.texts[0]] = (known[pair.texts[0]] + 1) % 3
    score = score_contrast(Knowing(known))
    assert score.both_right.value == 1.0 - 5 / len(pairs())
    assert score.both_right.low < score.both_right.value < score.both_right.high
    assert score.by_kind["negation"] == 1.0 - 5 / len(negation)
    assert score.by_kind["guidance"] == 1.0
