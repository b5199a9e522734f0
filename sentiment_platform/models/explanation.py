"""Where a sentiment comes from, for any model: what each part of a text adds when it is read forwards and when it is read backwards.

The mean of the two is a Shapley value estimated from two orders (Strumbelj and Kononenko, 2010), each of which adds up exactly to
the difference between the whole text and none. A word and its negation share what they do together.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np

from sentiment_platform.models.family import Contribution, Explanation, Floats
from sentiment_platform.text.sentiment import sentiment_of

READ_BOTH_WAYS = "both_ways"
MAX_PARTS = 48
"""Parts that a text is read in: in a longer text a part is several words in a row."""
_WORD = re.compile(r"\S+")
Predict = Callable[[Sequence[str], Floats | None], Floats]


def sentiments(probabilities: Floats) -> Floats:
    """(n,) sentiments of probabilities (n, 3)."""
    return np.array([sentiment_of(row) for row in probabilities.tolist()])


def shares(forwards: Floats, backwards: Floats) -> Floats:
    """(n,) share of each of n parts.

    Args:
        forwards: (n + 1,) values of the first 0 to n parts.
        backwards: (n + 1,) values of the text from part 0, 1, ... n on. Both begin or end with the same whole text and the same nothing.
    """
    return (np.diff(forwards) - np.diff(backwards)) / 2


def explain_by_reading(predict: Predict, text: str, features: Floats | None) -> Explanation:
    """Explain a model by its answers alone: at most twice `MAX_PARTS` short texts in one call.

    Args:
        predict: as `Model.predict`.
        features: (1, k) of the request, the same for every part of the text.
    """
    read = [word.span() for word in _WORD.finditer(text)]
    size = max(1, -(-len(read) // MAX_PARTS))
    parts = [(at, read[at][0], read[min(at + size, len(read)) - 1][1]) for at in range(0, len(read), size)]
    last = parts[-1][2] if parts else 0
    texts = ["", *(text[:stop] for _, _, stop in parts[:-1]), text, *(text[start:last] for _, start, _ in parts[1:])]
    given = None if features is None else np.repeat(features, len(texts), axis=0)
    said = sentiments(predict(texts, given))
    # Without a word the whole text and the empty one are the same.
    forwards, backwards = said[: len(parts) + 1], np.concatenate([said[len(parts) : len(parts) * 2], said[:1]])
    contributions = [
        Contribution(text[start:stop], position, float(share), READ_BOTH_WAYS)
        for (position, start, stop), share in zip(parts, shares(forwards, backwards), strict=True)
    ]
    nothing = float(said[0])
    base = nothing if features is None else float(sentiments(predict([""], None))[0])
    return Explanation(base, nothing - base, tuple(contributions))
