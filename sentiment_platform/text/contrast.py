"""The but-clause rule: what stands before the first "but" weighs less, what stands after it more.

Here: that rule over the valences of a text. Not here: rules that look at a single word's neighbours (`vader`).
"""

from collections import defaultdict
from collections.abc import Sequence
from heapq import heappop, heappush


def reweigh_around(but: int, positions: Sequence[int], valences: Sequence[float], *, before: float, after: float) -> list[float]:
    """The valences of the words at the ascending `positions`, each one weighed by its side of the word at position `but`.

    Words that are not listed have valence 0, which no factor changes. The reference implementation finds a word by its valence,
    so of several equal ones the first that still has the value is reweighed, possibly twice, possibly on the other side of
    "but". That is kept, because published scores include it, in O(n log n) where the reference is quadratic: the positions of a
    value wait in a heap, and a word's own position is the largest that its heap has seen.
    """
    weighed = list(valences)
    holders: defaultdict[float, list[int]] = defaultdict(list)
    for index, valence in enumerate(valences):
        if valence == 0:
            continue
        waiting = holders[valence]
        heappush(waiting, index)
        first = waiting[0]
        if positions[first] == but:
            continue
        heappop(waiting)
        changed = valence * (before if positions[first] < but else after)
        weighed[first] = changed
        heappush(holders[changed], first)
    return weighed
