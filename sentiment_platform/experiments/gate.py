"""From verdicts to what should be deployed: a pure function, the only way to a promotion beside a named person.

A family's newest version replaces its champion only if it is better. The default family changes only if the challenger's champion
is better than the default's; a default that a person chose gives way to a new champion only, else the gate would undo in the next run
what somebody decided. The first version of anything is taken by the bootstrap rule, because there is nothing to beat. A comparison
on labels that a base model was trained on is no evidence: it changes nothing here, and leaves the decision to a named person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sentiment_platform.experiments.comparison import Comparison, find
from sentiment_platform.models.families import FAMILIES


@dataclass(frozen=True)
class Proposal:
    """What to deploy: family -> version, the default family, by which rule and why; `changes` is False where it runs already."""

    champions: Mapping[str, str]
    default_family: str
    rule: Literal["gate", "bootstrap"]
    reason: str
    changes: bool


def propose(
    newest: Mapping[str, str],
    champions: Mapping[str, str],
    default_family: str | None,
    comparisons: Sequence[Comparison],
    *,
    by_person: bool = False,
) -> Proposal | None:
    """Decide from the newest version of each family, what runs now (empty: nothing), and the comparisons of all of them.

    Args:
        by_person: what runs now is what a person asked for.

    Returns:
        The proposal, or None when there is no version at all.
    """
    if not newest:
        return None
    chosen = dict(champions)
    reasons: list[str] = []
    for family, version in newest.items():
        champion = champions.get(family)
        if champion is None:
            chosen[family] = version
            reasons.append(f"{version} is the first of its family")
        elif version != champion and _is_better(comparisons, champion, version, reasons):
            chosen[family] = version
            reasons.append(f"{version} is better than {champion}")
    # The cheapest family starts as default, so that nothing costly answers before it has shown that it is better.
    leading = default_family or min(chosen, key=lambda family: FAMILIES[family].cost if family in FAMILIES else 0)
    for family in sorted(set(chosen) - {leading}):
        if by_person and chosen[family] == champions.get(family):
            continue
        if _is_better(comparisons, chosen[leading], chosen[family], reasons):
            reasons.append(f"{chosen[family]} is better than {chosen[leading]}, so {family} becomes the default")
            leading = family
    changes = chosen != dict(champions) or leading != default_family
    rule: Literal["gate", "bootstrap"] = "gate" if champions else "bootstrap"
    return Proposal(chosen, leading, rule, "; ".join(reasons) or "nothing is better than what runs", changes)


def _is_better(comparisons: Sequence[Comparison], champion: str, challenger: str, reasons: list[str]) -> bool:
    """Whether there is evidence that `challenger` is better; where it only looks so, the reason goes to `reasons`."""
    verdict, comparison = find(comparisons, champion, challenger)
    if verdict == "better" and comparison.in_sample:
        reasons.append(
            f"{challenger} looks better than {champion} but the comparison is in-sample ({comparison.who_has_seen_it()}), "
            "which is no evidence; a named person may promote it"
        )
    return verdict == "better" and not comparison.in_sample


def versions_to_compare(newest: Mapping[str, str], champions: Mapping[str, str]) -> list[str]:
    """Every version that the gate may weigh: what runs first, then what is new, without repetition."""
    return list(dict.fromkeys([*champions.values(), *newest.values()]))
