from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.evaluation.golden import GOLDEN_TEXTS, TOLERANCE, golden_answers, require_golden
from sentiment_platform.models.family import Explanation, Floats
from sentiment_platform.text.sentiment import LABELS


@dataclass
class Shifted:
    """A model whose answer depends on the length of a text, moved by `shift` from neutral to positive."""

    shift: float = 0.0
    batch_size: int = 4
    uses_features: bool = False

    def logits(self, texts: Sequence[str]) -> Floats:
        return np.log(self.predict(texts, None))

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        assert features is None
        share = np.array([len(text) / 200 for text in texts])
        return np.column_stack([share, 0.9 - share - self.shift, np.full(len(texts), 0.1 + self.shift)])

    def explain(self, text: str, features: Floats | None) -> Explanation:
        return Explanation(0.0, 0.0, ())


@dataclass
class Broken(Shifted):
    answer: tuple[float, ...] = (np.nan, 0.5, 0.5)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        return np.array([self.answer])


def test_the_model_that_was_recorded_answers_as_recorded() -> None:
    recorded = golden_answers(Shifted())
    assert [text for text, _ in recorded] == list(GOLDEN_TEXTS)
    assert all(len(answer) == len(LABELS) for _, answer in recorded)
    assert require_golden(Shifted(), recorded) == 0.0


def test_the_little_that_processors_differ_by_is_allowed_and_reported() -> None:
    assert require_golden(Shifted(TOLERANCE * 0.9), golden_answers(Shifted())) == pytest.approx(TOLERANCE * 0.9)


def test_another_model_is_refused_with_its_answer() -> None:
    with pytest.raises(PermanentError, match=r"'Quarterly profit.*do not deploy it"):
        require_golden(Shifted(TOLERANCE * 1.1), golden_answers(Shifted()))


def test_one_wrong_answer_of_many_is_enough() -> None:
    recorded = golden_answers(Shifted())
    text, (negative, neutral, positive) = recorded[-1]
    with pytest.raises(PermanentError, match="Supplier wins"):
        require_golden(Shifted(), [*recorded[:-1], (text, (positive, neutral, negative))])


@pytest.mark.parametrize("answer", [(np.nan, 0.5, 0.5), (np.inf, 0.0, 0.0), (0.5, 0.5)])
def test_what_is_not_three_numbers_is_refused(answer: tuple[float, ...]) -> None:
    with pytest.raises(PermanentError, match="three probabilities"):
        require_golden(Broken(answer=answer), golden_answers(Shifted()))


def test_a_model_of_which_nothing_was_recorded_is_refused() -> None:
    with pytest.raises(PermanentError, match="No answers were recorded"):
        require_golden(Shifted(), [])
