"""What a model has seen before it was trained here: what it answers on that is no evidence.

A public base has seen label sets: only facts that its own card or paper states. A starter has seen texts, whose hashes are shipped with
it. Flagging the figures is `description` and `holdout`; comparisons, `experiments`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from sentiment_platform.models.family import LabelledTexts

SEEN_BY: Mapping[str, frozenset[str]] = {
    # Araci 2019, arXiv 1908.10063: further pre-trained on TRC2-financial (Reuters), fine-tuned on the Financial PhraseBank.
    "prosusai/finbert": frozenset({"phrasebank"}),
    "finbert": frozenset({"phrasebank"}),
    "ahmedrachid/financialbert-sentiment-analysis": frozenset({"phrasebank"}),
    "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis": frozenset({"phrasebank"}),
}
"""Base -> label sets, in lower case. A directory goes by its name, so that a copy called `finbert` counts as the public one."""
STARTER = "starter"
"""Name of the figure that holds a version's `StarterData`."""
HASH_FILE = "starter_texts.bin"
HASH_DIGITS = 8
"""Hexadecimal digits of a text's hash that are kept: another text has the same ones in four cases of a million."""
MOST_SEEN = 0.01
"""Share of texts that a starter has seen up to which a verdict on them is still evidence."""


class StarterData(msgspec.Struct, frozen=True, kw_only=True):
    """What a starter was trained on; a figure of its manifest, and of each version that training went on to from it.

    Attributes:
        training_set: digest; the shipped hashes are those of one training set.
        label_sets: where its texts come from.
    """

    training_set: str
    label_sets: tuple[str, ...]


class _Seen(msgspec.Struct, frozen=True):
    starter: StarterData | None = None


def in_sample(base_model: str, figures: Mapping[str, Any], ids: Sequence[str], label_sets: Iterable[str]) -> bool:
    """True when a version's base, or the starter that it goes back to, was trained on what it is asked here.

    Args:
        figures: of its manifest.
        ids, label_sets: of the texts that it is asked.
    """
    return knows_the_set(base_model, figures, label_sets) or len(seen_by_starter(figures, ids)) > MOST_SEEN * len(ids)


def knows_the_set(base_model: str, figures: Mapping[str, Any], label_sets: Iterable[str]) -> bool:
    """True when a version's base, or a starter of another release, was trained on one of `label_sets`: no text of it is known by name."""
    sets = set(label_sets)
    if _are_of(SEEN_BY.get(base_model.lower(), frozenset()), sets):
        return True
    starter = starter_data(figures)
    return starter is not None and starter.training_set != starter_hashes()[0] and _are_of(starter.label_sets, sets)


def seen_by_starter(figures: Mapping[str, Any], ids: Iterable[str]) -> set[str]:
    """Those of `ids` that the starter was fitted on to which a version goes back; of a starter of another release no text is known.

    Args:
        figures: of the version's manifest.
    """
    starter = starter_data(figures)
    training_set, hashes = starter_hashes()
    if starter is None or starter.training_set != training_set:
        return set()
    return {name for name in ids if name[:HASH_DIGITS] in hashes}


def starter_data(figures: Mapping[str, Any]) -> StarterData | None:
    """What the figures of a manifest say of a starter; None where the version goes back to none."""
    return msgspec.convert(figures, _Seen).starter


@cache
def starter_hashes() -> tuple[str, frozenset[str]]:
    """The digest of the training set of the shipped starters, and the hashes of the texts that they were fitted on, in hexadecimal."""
    content = files("sentiment_platform.models.evaluation").joinpath(HASH_FILE).read_bytes().hex()
    hashes = content[64:]
    return content[:64], frozenset(hashes[at : at + HASH_DIGITS] for at in range(0, len(hashes), HASH_DIGITS))


def hash_file(training_set: str, *parts: LabelledTexts) -> bytes:
    """The content of the file that `starter_hashes` reads: the digest, then the hashes of all texts of `parts`, sorted.

    An example's id is a hash of its words.
    """
    hashes = {name[:HASH_DIGITS] for part in parts for name in part.ids}
    return bytes.fromhex("".join([training_set, *sorted(hashes)]))


def _are_of(seen: Iterable[str], label_sets: Iterable[str]) -> bool:
    """Whether any of `label_sets` is one of `seen`; `phrasebank-75` and the like are parts of `phrasebank`."""
    return any(name.lower().startswith(known) for name in label_sets for known in seen)
