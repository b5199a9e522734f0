"""Which pairs the gate reads, and their verdicts. This is the one place that decides it.

It reads each family's newest version against its champion, then the leading family's version against each other family's. Holm's
adjustment goes in the order in which it reads, over all tests that it may read: what a family's own test rejects, the tests between
families need not be adjusted for. Every other pair is shown without a verdict.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from sentiment_platform.experiments.comparing import compare, judged
from sentiment_platform.experiments.comparison import ALPHA, Comparison
from sentiment_platform.experiments.contenders import Contenders
from sentiment_platform.experiments.contestants import Contestant, Holdout, contestant, holdout_of
from sentiment_platform.experiments.error_budget import Question
from sentiment_platform.experiments.floor import Floor
from sentiment_platform.experiments.gate import choose_champions, pairs_between, pairs_within
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.statistics.significance import holm


def weigh(
    contenders: Contenders,
    holdout: Holdout,
    sides: Mapping[str, Contestant],
    *,
    level: float = ALPHA,
    floors: Collection[Floor] = (),
) -> list[Comparison]:
    """Every pair of `sides` (version -> what it brings): those that the gate reads first, with their verdicts at `level`."""
    tests = number_of_tests(contenders)
    within = [compare(holdout, sides[a], sides[b]) for a, b in pairs_within(contenders)]
    first = _judged(within, tests, level)
    chosen, _ = choose_champions(contenders, first, floors)
    between = [compare(holdout, sides[a], sides[b]) for a, b in pairs_between(contenders, chosen)]
    second = _judged(between, tests - sum(pair.adjusted_p is not None and pair.adjusted_p < level for pair in first), level)
    read = [*first, *second]
    known = {frozenset((pair.a, pair.b)) for pair in read}
    others = [pair for pair in combinations(sides, 2) if frozenset(pair) not in known]
    return read + [compare(holdout, sides[a], sides[b]) for a, b in others]


def number_of_tests(contenders: Contenders) -> int:
    """The most tests that the gate reads to decide between `contenders`."""
    families = {*contenders.champions, *contenders.newest}
    if contenders.by_person:
        # A family that has nothing new cannot take the place of what a person chose.
        families = {f for f in families if contenders.newest.get(f) not in (None, contenders.champions.get(f))}
        families |= {contenders.default_family} if contenders.default_family else set()
    return len(pairs_within(contenders)) + max(0, len(families) - 1)


def question_of(contenders: Contenders, training_set: str) -> Question | None:
    """What is asked where `contenders` are compared on the holdout of that training set; None where there is no pair to read."""
    return Question(training_set, frozenset(contenders.versions())) if number_of_tests(contenders) else None


def compare_all(
    training_set: str,
    labels: Ints,
    probabilities: Mapping[str, Floats],
    seen_by: Collection[str] = (),
    *,
    stories: Sequence[str] | None = None,
    level: float = ALPHA,
) -> list[Comparison]:
    """Every pair of versions on the same rows, all of them read: for a table of equals, where no gate follows.

    Args:
        labels: (n,) true class indices. probabilities: version -> (n, 3), rows in the same order.
        seen_by: the versions whose base model or starter was trained on labels of these rows.

    Raises:
        PermanentError: the versions did not answer the same rows.
    """
    holdout = holdout_of(training_set, labels, stories)
    sides = [contestant(holdout, name, rows, knows_the_set=name in seen_by) for name, rows in probabilities.items()]
    pairs = [compare(holdout, a, b) for a, b in combinations(sides, 2)]
    return _judged(pairs, len(pairs), level)


def _judged(pairs: Sequence[Comparison], tests: int, level: float) -> list[Comparison]:
    if not pairs:
        return []
    adjusted = holm([pair.mcnemar.p_value for pair in pairs], of=tests)
    return [judged(pair, adjusted_p=float(p), tests=tests, level=level) for pair, p in zip(pairs, adjusted, strict=True)]
