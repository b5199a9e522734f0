"""Where annotators agree and where they stand apart: over all texts on which more than one person spoke."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sentiment_platform.labels.consolidation import voice_of
from sentiment_platform.statistics.agreement import PairAgreement, krippendorff_alpha, pairwise_agreement
from sentiment_platform.store.labels import StoredLabel

FEEDBACK = "feedback (any user)"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A text of which different things are said: label -> who says it."""

    text: str
    said: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """`alpha` is Krippendorff's, nominal, None where it is not defined; `texts` those on which at least two people spoke."""

    alpha: float | None
    texts: int
    pairs: tuple[PairAgreement, ...]
    conflicts: tuple[Conflict, ...]


def evaluate_agreement(labels: Sequence[StoredLabel]) -> Agreement:
    """Agreement of all who speak in `labels`. Who says two things of one text is not heard on it.

    The pairs show feedback as one partner: on a text where users disagree it is not heard.
    """
    words: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    named: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    texts: dict[str, str] = {}
    for label in labels:
        texts[label.text_hash] = label.text
        words[label.text_hash][voice_of(label)].add(label.label)
        named[FEEDBACK if label.kind == "feedback" else label.annotator][label.text_hash].add(label.label)
    units = [[next(iter(said)) for said in voices.values() if len(said) == 1] for voices in words.values()]
    one_word = {who: {key: next(iter(said)) for key, said in items.items() if len(said) == 1} for who, items in named.items()}
    conflicts = [
        _conflict(texts[key], voices) for key, voices in sorted(words.items()) if len(set[str]().union(*voices.values())) > 1
    ]
    return Agreement(
        krippendorff_alpha(units), sum(len(unit) > 1 for unit in units), tuple(pairwise_agreement(one_word)), tuple(conflicts)
    )


def _conflict(text: str, voices: Mapping[str, set[str]]) -> Conflict:
    said: dict[str, list[str]] = defaultdict(list)
    for who, labels in sorted(voices.items()):
        for label in labels:
            said[label].append(who)
    return Conflict(text, {label: tuple(who) for label, who in sorted(said.items())})
