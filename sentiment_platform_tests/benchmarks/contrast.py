"""Pairs of sentences that differ in little: the trained transformer against VADER as it is published."""

from collections.abc import Iterator, Sequence

import numpy as np

from sentiment_platform.models.contrast_suite import score_contrast
from sentiment_platform.models.family import Contribution, Floats
from sentiment_platform_tests.benchmarks.quality import interval, stock_labels
from sentiment_platform_tests.benchmarks.quality_transformer import in_domain_run
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure


class StockVader:
    """The published thresholds of compound as a model."""

    batch_size = 64

    def logits(self, texts: Sequence[str]) -> Floats:
        return np.eye(3)[stock_labels(texts)]

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        return self.logits(texts)

    def explain(self, text: str) -> list[Contribution]:
        return []


@TABLE.row("S4.18", "contrast pairs with both sentences right: trained MiniLM less untrained VADER")
def contrast() -> Iterator[Figure]:
    transformer, vader = score_contrast(in_domain_run().model), score_contrast(StockVader())
    explains = {
        name: {"both_right": score.both_right.value, "interval": interval(score.both_right), "by_kind": dict(score.by_kind)}
        for name, score in (("transformer", transformer), ("vader", vader))
    }
    gained = transformer.both_right.value - vader.both_right.value
    yield Figure("share of pairs, difference", gained, "", 0.15, vader.both_right.n, True, explains)
