"""Which texts tell the same story: near-duplicates by the Jaccard similarity of their words.

An exact join with prefix filtering, linear in practice: two sets can only be similar if their rarest words meet.
Source: Bayardo, Ma and Srikant, "Scaling up all pairs similarity search", WWW 2007.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil

from sentiment_platform.text.normalise import text_key

SIMILARITY = 0.8


def story_of(texts: Sequence[str], similarity: float = SIMILARITY) -> list[int]:
    """For each text the index of the first text of its story (itself where it is the first).

    Texts with equal `text_key` are one story; otherwise a text joins the story of the first earlier text whose words overlap by at
    least `similarity` (intersection over union of distinct words).
    """
    words = [frozenset(text_key(text).split()) for text in texts]
    frequency = Counter(word for bag in words for word in bag)
    index: dict[str, list[int]] = defaultdict(list)
    story = list(range(len(texts)))
    for current, bag in enumerate(words):
        rare_first = sorted(bag, key=lambda word: (frequency[word], word))
        prefix = rare_first[: len(bag) - ceil(similarity * len(bag)) + 1]
        candidates = sorted({earlier for word in prefix for earlier in index[word]})
        for earlier in candidates:
            other = words[earlier]
            if len(bag & other) >= similarity * len(bag | other):
                story[current] = story[earlier]
                break
        for word in prefix:
            index[word].append(current)
    return story
