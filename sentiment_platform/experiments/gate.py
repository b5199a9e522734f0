"""From verdicts to what should be deployed: a pure function, the only way to a promotion beside a named person.

A family's newest version replaces its champion only if it is better. Another family becomes the default only if its champion is better
than the default's; of several the one with the highest score. Where a person chose the default, that champion must also be new in this
proposal: with those that ran already the gate would undo the choice in its next run. The first version of a family must reach the floor,
because there is nothing to beat. A comparison on labels that a base model was trained on is no evidence: a named person decides.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import Comparison, find
from sentiment_platform.experiments.contenders import Contenders, by_cost
from sentiment_platform.experiments.floor import Floor

Pairs = list[tuple[str, str]]
"""(champion, challenger)"""


class Proposal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to deploy: family -> version, the default family, by which rule and why; `changes` is False where it runs already.

    Without a champion there is nothing that could be deployed, and the default family is "".
    """

    champions: dict[str, str]
    default_family: str
    rule: Literal["gate", "bootstrap"]
    reason: str
    changes: bool


def pairs_within(contenders: Contenders) -> Pairs:
    """Each family's newest version against its champion."""
    pairs: Pairs = []
    for family in sorted(contenders.newest, key=by_cost):
        version, champion = contenders.newest[family], contenders.champions.get(family)
        if champion is not None and version != champion:
            pairs.append((champion, version))
    return pairs


def pairs_between(contenders: Contenders, chosen: Mapping[str, str]) -> Pairs:
    """What leads against what each other family has, where `chosen` are the champions to be."""
    leading = leading_family(contenders, chosen)
    return [
        (chosen[leading], chosen[family])
        for family in sorted(set(chosen) - {leading})
        if not (contenders.by_person and chosen[family] == contenders.champions.get(family))
    ]


def leading_family(contenders: Contenders, chosen: Mapping[str, str]) -> str:
    """The default family before anything is decided between families; "" where nothing is chosen."""
    # The cheapest family starts as default, so that nothing costly answers before it has shown that it is better.
    return contenders.default_family or min(chosen, key=by_cost, default="")


def choose_champions(
    contenders: Contenders, comparisons: Sequence[Comparison], floors: Collection[Floor] = ()
) -> tuple[dict[str, str], list[str]]:
    """Family -> champion to be, and why; from the comparisons within families, and the floors of first versions."""
    chosen = dict(contenders.champions)
    reasons: list[str] = []
    refusals = {floor.version: floor.refusal() for floor in floors}
    for family in sorted(contenders.newest, key=by_cost):
        version, champion = contenders.newest[family], contenders.champions.get(family)
        if champion is None and (refusal := refusals.get(version)):
            reasons.append(refusal)
        elif champion is None:
            chosen[family] = version
            reasons.append(f"{version} is the first of its family")
        elif version != champion and _better(comparisons, champion, version, reasons):
            chosen[family] = version
            reasons.append(f"{version} is better than {champion}")
    return chosen, reasons


def propose(contenders: Contenders, comparisons: Sequence[Comparison], floors: Collection[Floor] = ()) -> Proposal:
    """Decide from what runs (nothing, before the first deployment), what is new, and the comparisons that `weighing` made of them.

    Args:
        floors: of the first versions of their families; one without a floor is taken as it is.

    Raises:
        PermanentError: there is no version at all, or a pair that must be weighed was not compared.
    """
    if not contenders.versions():
        raise PermanentError("There is no version to propose.", remedy="Run `sentiment-platform run train_job`.")
    chosen, reasons = choose_champions(contenders, comparisons, floors)
    leading = first = leading_family(contenders, chosen)
    families = {version: family for family, version in chosen.items()}
    ahead = [pair for a, b in pairs_between(contenders, chosen) if (pair := _better(comparisons, a, b, reasons))]
    if ahead:
        best = max(ahead, key=lambda pair: _score(pair, chosen[first]))
        leading = families[best.a if best.b == chosen[first] else best.b]
        reasons.append(
            f"{chosen[leading]} is better than {chosen[first]}, so {leading} becomes the default{_cost(best, chosen[leading])}"
        )
    return Proposal(
        champions=chosen,
        default_family=leading,
        rule="gate" if contenders.champions else "bootstrap",
        reason="; ".join(reasons) or "nothing is better than what runs",
        changes=chosen != contenders.champions or leading != (contenders.default_family or ""),
    )


def _better(comparisons: Sequence[Comparison], champion: str, challenger: str, reasons: list[str]) -> Comparison | None:
    """The comparison that is evidence that `challenger` is better; where it only looks so, None, and the reason goes to `reasons`."""
    verdict, comparison = find(comparisons, champion, challenger)
    looks = f"{challenger} looks better than {champion} but"
    if verdict.startswith("blocked:"):
        why = "; ".join(guardrail.words for guardrail in comparison.blocking)
        reasons.append(f"{looks} is {verdict} ({why}); a named person may promote it")
    elif verdict == "better" and comparison.in_sample:
        reasons.append(
            f"{looks} the comparison is in-sample ({comparison.who_has_seen_it()}), "
            "which is no evidence; a named person may promote it"
        )
    return comparison if verdict == "better" and not comparison.in_sample else None


def _score(pair: Comparison, leading: str) -> float:
    return next((score.value for score in pair.scores or () if score.version != leading), 0.0)


def _cost(pair: Comparison, challenger: str) -> str:
    costs = [guardrail.words for guardrail in pair.guardrails if guardrail.name == "latency" and pair.b == challenger]
    return f" ({costs[0]})" if costs else ""
