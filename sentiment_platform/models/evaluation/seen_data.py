"""Which label sets a public base model has been trained on: what it answers on them is no evidence.

Only facts that the base's own card or paper states. Flagging the figures is `publishing` and `holdout`; comparisons, `experiments`.
"""

from collections.abc import Iterable, Mapping

SEEN_BY: Mapping[str, frozenset[str]] = {
    # Araci 2019, arXiv 1908.10063: further pre-trained on TRC2-financial (Reuters), fine-tuned on the Financial PhraseBank.
    "prosusai/finbert": frozenset({"phrasebank"}),
    "finbert": frozenset({"phrasebank"}),
    "ahmedrachid/financialbert-sentiment-analysis": frozenset({"phrasebank"}),
    "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis": frozenset({"phrasebank"}),
}
"""Base -> label sets, in lower case. A directory goes by its name, so that a copy called `finbert` counts as the public one."""


def in_sample(base_model: str, label_sets: Iterable[str]) -> bool:
    """True when the base has been trained on any of `label_sets`; `phrasebank-75` and the like are parts of `phrasebank`."""
    seen = SEEN_BY.get(base_model.lower(), frozenset())
    return any(name.lower().startswith(known) for name in label_sets for known in seen)
