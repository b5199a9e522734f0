"""Pairs of sentences that differ in little: the trained transformer against VADER as it is published."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sentiment_platform.models.evaluation.contrast_suite import ContrastScore, score_contrast
from sentiment_platform.models.family import Explanation, Floats
from sentiment_platform_tests.benchmarks.quality import interval, stock_labels, vader_run
from sentiment_platform_tests.benchmarks.quality_transformer import in_domain_run
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.seeds import SEEDS


class StockVader:
    """The published thresholds of compound as a model."""

    batch_size = 64
    uses_features = False

    def logits(self, texts: Sequence[str]) -> Floats:
        return np.eye(3)[stock_labels(texts)]

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        return self.logits(texts)

    def explain(self, text: str, features: Floats | None) -> Explanation:
        return Explanation(0.0, 0.0, ())


@TABLE.row("S4.18", "contrast pairs with both sentences right: trained MiniLM less untrained VADER")
def contrast() -> Iterator[Figure]:
    transformers = [score_contrast(in_domain_run(seed).model) for seed in SEEDS]
    stock = score_contrast(StockVader())
    trained = [score_contrast(vader_run(seed).model) for seed in SEEDS]
    explains = {
        "seeds": list(SEEDS),
        "transformer": [_document(score) for score in transformers],
        "stock_vader": _document(stock),
        "trained_vader": [_document(score) for score in trained],
    }
    gained = float(np.mean([score.both_right.value for score in transformers])) - stock.both_right.value
    yield Figure("share of pairs, mean of the seeds, difference", gained, "", 0.15, stock.both_right.n, True, explains)


def _document(score: ContrastScore) -> dict[str, Any]:
    by_kind = {kind: round(share, 3) for kind, share in score.by_kind.items()}
    return {"both_right": round(score.both_right.value, 4), "interval": interval(score.both_right), "by_kind": by_kind}
