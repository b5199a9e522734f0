"""From verdicts to what should be deployed: a pure function, the only way to a promotion beside a named person.

A family's newest version replaces its champion only if it is better. Another family becomes the default only if its champion is better
than the default's. Where a person chose the default, that champion must also be new in this proposal: with those that ran already the
gate would undo the choice in its next run. The first version of anything is taken by the bootstrap rule, because there is nothing to
beat. A comparison on labels that a base model was trained on is no evidence: it changes nothing here, a named person decides.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import Comparison, find
from sentiment_platform.experiments.contenders import Contenders, by_cost


class Proposal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to deploy: family -> version, the default family, by which rule and why; `changes` is False where it runs already."""

    champions: dict[str, str]
    default_family: str
    rule: Literal["gate", "bootstrap"]
    reason: str
    changes: bool


def propose(contenders: Contenders, comparisons: Sequence[Comparison]) -> Proposal:
    """Decide from what runs (nothing, before the first deployment), what is new, and the comparisons of all of them.

    Raises:
        PermanentError: there is no version at all, or a pair that must be weighed was not compared.
    """
    if not contenders.versions():
        raise PermanentError("There is no version to propose.", remedy="Run `sentiment-platform run train_job`.")
    champions, default_family = contenders.champions, contenders.default_family
    chosen = dict(champions)
    reasons: list[str] = []
    for family in sorted(contenders.newest, key=by_cost):
        version, champion = contenders.newest[family], champions.get(family)
        if champion is None:
            chosen[family] = version
            reasons.append(f"{version} is the first of its family")
        elif version != champion and _is_better(comparisons, champion, version, reasons):
            chosen[family] = version
            reasons.append(f"{version} is better than {champion}")
    # The cheapest family starts as default, so that nothing costly answers before it has shown that it is better.
    leading = default_family or min(chosen, key=by_cost)
    for family in sorted(set(chosen) - {leading}):
        if contenders.by_person and chosen[family] == champions.get(family):
            continue
        if _is_better(comparisons, chosen[leading], chosen[family], reasons):
            reasons.append(f"{chosen[family]} is better than {chosen[leading]}, so {family} becomes the default")
            leading = family
    return Proposal(
        champions=chosen,
        default_family=leading,
        rule="gate" if champions else "bootstrap",
        reason="; ".join(reasons) or "nothing is better than what runs",
        changes=chosen != champions or leading != default_family,
    )


def _is_better(comparisons: Sequence[Comparison], champion: str, challenger: str, reasons: list[str]) -> bool:
    """Whether there is evidence that `challenger` is better; where it only looks so, the reason goes to `reasons`."""
    verdict, comparison = find(comparisons, champion, challenger)
    if verdict == "better" and comparison.in_sample:
        reasons.append(
            f"{challenger} looks better than {champion} but the comparison is in-sample ({comparison.who_has_seen_it()}), "
            "which is no evidence; a named person may promote it"
        )
    return verdict == "better" and not comparison.in_sample
