"""Which texts tell the same story: near-duplicates by the Jaccard similarity of their words; and which of them count in training.

A story is wide on purpose: templates with other numbers stay on one side of a split. A copy is narrow: what is counted once must say
the same.

An exact join with prefix filtering, linear in practice: two sets can only be similar if their rarest words meet.
Source: Bayardo, Ma and Srikant, "Scaling up all pairs similarity search", WWW 2007.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import ceil

from sentiment_platform.news.stories.headlines import contradict, read_headline
from sentiment_platform.text.normalise import text_key

SIMILARITY = 0.8


def story_of(texts: Sequence[str], similarity: float = SIMILARITY) -> list[int]:
    """For each text the index of the first text of its story (itself where it is the first).

    Texts with equal `text_key`, or whose words overlap by at least `similarity` (intersection over union of distinct words), are one
    story, and so are their neighbours' neighbours: which texts belong together does not depend on their order.
    """
    # Not split(): texts without any word share the empty one.
    words = [frozenset(text_key(text).split(" ")) for text in texts]
    frequency = Counter(word for bag in words for word in bag)
    index: dict[str, list[int]] = defaultdict(list)
    story = list(range(len(texts)))

    def first(text: int) -> int:
        while story[text] != text:
            story[text] = story[story[text]]
            text = story[text]
        return text

    for current, bag in enumerate(words):
        rare_first = sorted(bag, key=lambda word: (frequency[word], word))
        prefix = rare_first[: len(bag) - ceil(similarity * len(bag)) + 1]
        for earlier in {earlier for word in prefix for earlier in index[word]}:
            other = words[earlier]
            if len(bag & other) >= similarity * len(bag | other):
                one, two = sorted((first(current), first(earlier)))
                story[two] = one
        for word in prefix:
            index[word].append(current)
    return [first(text) for text in range(len(texts))]


def counted_as(texts: Sequence[str], stories: Sequence[str | None], similarity: float = SIMILARITY) -> list[int]:
    """For each text the index of the text that counts for it: its own, or that of an earlier text of which it is a syndicated copy.

    Copies are texts of one collected story (`stories`: its id, None for a text that was not collected), and near-duplicates that do
    not contradict each other: another number, name or outcome is another fact. Put the text that shall stand for its copies first.
    """
    headlines = [read_headline(text) for text in texts]
    told: dict[str, int] = {}
    kept: dict[int, list[int]] = defaultdict(list)
    counted: list[int] = []
    for position, near in enumerate(story_of(texts, similarity)):
        story = stories[position]
        representative = told.get(story) if story is not None else None
        if representative is None:
            here = headlines[position]
            same = (one for one in kept[near] if not contradict(headlines[one], here, same_companies=False))
            representative = next(same, position)
        if representative == position:
            kept[near].append(position)
        if story is not None:
            told.setdefault(story, representative)
        counted.append(representative)
    return counted
