"""What the stored comparisons say of a version that a person wants: each pair that the choice exchanges, with its verdict.

Read only, and light: serving shows it with a dry run. Whoever publishes has missing pairs compared first (`choice_comparison`).
"""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from sentiment_platform.experiments.comparison import Comparison, Verdict, find
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.statistics.estimate import MACRO_F1
from sentiment_platform.store.experiments import stored_comparison
from sentiment_platform.store.training_sets import latest_training_set

Pair = tuple[str, str]
"""What answers, what is wanted in its place."""
Content = tuple[Mapping[str, str], str]
"""Family -> version, and the family that answers where none is named."""
NOT_STORED = "No comparison of them on the newest holdout is stored; it is made before the deployment is published."


class ChosenPair(msgspec.Struct, frozen=True, kw_only=True):
    """`challenger` in the place of `champion`: the verdict in words; without a `comparison` (and verdict) the words say why there is none."""

    champion: str
    challenger: str
    verdict: Verdict | None
    words: str
    comparison: Comparison | None = None
    run_id: str | None = None

    @property
    def speaks_against(self) -> bool:
        """Whether it is evidence that the challenger is worse, or breaks a guardrail."""
        if self.verdict is None or self.comparison is None or self.comparison.in_sample:
            return False
        return self.verdict == "worse" or self.verdict.startswith("blocked:")

    def figures(self) -> dict[str, object]:
        """What a deployment document keeps of it, in the direction of its comparison."""
        if self.comparison is None:
            return {"verdict": "not compared", "why": self.words}
        pair = self.comparison
        difference = pair.macro_f1.difference
        return {
            MACRO_F1: difference.value,
            "low": difference.low,
            "high": difference.high,
            "p": pair.mcnemar.p_value,
            "n": pair.n,
            "verdict": pair.verdict,
            "in_sample": pair.in_sample,
            "training_set": pair.training_set,
            "guardrails": ", ".join(guardrail.name for guardrail in pair.blocking),
            "speaks_against": self.speaks_against,
        }

    @property
    def name(self) -> str:
        """Such as "v1.1.0-vader against v1.0.0-vader"."""
        a, b = (self.comparison.a, self.comparison.b) if self.comparison else (self.champion, self.challenger)
        return f"{b} against {a}"


def content_of(document: Deployment | None) -> Content | None:
    """What `document` lets answer."""
    return (document.versions(), document.default_family) if document else None


def pairs_of_choice(before: Content | None, after: Content) -> list[Pair]:
    """What a person's choice exchanges: the default version first, then each champion of a family. Nothing where nothing ran."""
    if before is None:
        return []
    (ran, ran_by_default), (champions, default_family) = before, after
    pairs = [(ran[ran_by_default], champions[default_family])]
    pairs += [(ran[family], version) for family, version in sorted(champions.items()) if family in ran]
    return list(dict.fromkeys((old, new) for old, new in pairs if old != new))


def read_choice(connection: Connection, pairs: Sequence[Pair]) -> list[ChosenPair]:
    """What is stored of each pair on the newest holdout; a pair without a verdict counts as not compared."""
    newest = latest_training_set(connection)
    return [_read(connection, pair, newest.digest if newest else None) for pair in pairs]


def without_comparison(pair: Pair, why: str) -> ChosenPair:
    """A pair that could not be compared, and why."""
    return ChosenPair(champion=pair[0], challenger=pair[1], verdict=None, words=why)


def against(pairs: Sequence[ChosenPair]) -> list[ChosenPair]:
    """Those that speak against the choice."""
    return [pair for pair in pairs if pair.speaks_against]


def _read(connection: Connection, pair: Pair, training_set: str | None) -> ChosenPair:
    stored = stored_comparison(connection, *pair, training_set) if training_set else None
    if stored is None or stored.verdict == "not weighed":
        return without_comparison(pair, NOT_STORED)
    try:
        comparison = msgspec.convert(stored.result, Comparison)
    except msgspec.ValidationError:
        return without_comparison(pair, NOT_STORED)
    verdict, _ = find([comparison], *pair)
    return ChosenPair(
        champion=pair[0],
        challenger=pair[1],
        verdict=verdict,
        words=_words(comparison, pair, verdict),
        comparison=comparison,
        run_id=stored.run_id,
    )


def _words(comparison: Comparison, pair: Pair, verdict: Verdict) -> str:
    """The sentences of the comparison; where it was made the other way round, the verdict on the challenger leads them."""
    if verdict == comparison.verdict:
        return comparison.words()
    return f"{pair[1]} would be {verdict} in the place of {pair[0]}: {comparison.words()}"
