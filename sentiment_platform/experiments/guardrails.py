"""What must not get worse when something else gets better: each guardrail blocks by name, or says why it cannot judge.

Inside a family a challenger is held against its champion. Between families, which differ in kind, the declared budgets count.
"""

from typing import Literal

import msgspec
import numpy as np

from sentiment_platform.experiments.contestants import Contestant
from sentiment_platform.models.family import LABELS
from sentiment_platform.statistics.arrays import Floats, Ints
from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.metrics import predicted_classes

GuardrailName = Literal["log_loss", "latency", "memory", "class_shares", "contrast"]

LATENCY_BUDGET_MS = 250.0
"""A text may take as long (95th percentile, one thread) in a family that takes another one's place."""
MEMORY_BUDGET_MB = 1024.0
"""As much memory may such a model add to a process."""
MOST_TIMES_AS_SLOW, SLOWER_MS = 1.5, 0.2
"""A challenger of the same family is too slow above both: times the champion's p95, and milliseconds more than it."""
MOST_TIMES_AS_LARGE, LARGER_MB = 1.5, 50.0
FEWEST_OF_A_CLASS, LEAST_ANSWERED = 10, 0.25
"""A class that so many texts are of has vanished where fewer answers than this share of them name it."""
MOST_CONTRAST_LOST = 0.10
"""Share of contrast pairs."""


class Guardrail(msgspec.Struct, frozen=True):
    """One guardrail and what it says, in words."""

    name: GuardrailName
    blocks: bool
    words: str


def guardrails(
    champion: Contestant, challenger: Contestant, labels: Ints, said: tuple[Floats, Floats], log_loss: Estimate
) -> tuple[Guardrail, ...]:
    """All of them for `challenger` in the place of `champion`; those that have nothing to say are left out.

    Args:
        labels: (n,) of the texts that are compared; `said`: what champion and challenger answered there, (n, 3) each.
        log_loss: of the challenger less that of the champion.
    """
    one_family = champion.family == challenger.family
    looked_at = (
        _log_loss(log_loss),
        _latency(champion, challenger) if one_family else _latency_budget(champion, challenger),
        _memory(champion, challenger, one_family),
        *_class_shares(labels, said),
        _contrast(champion, challenger),
    )
    return tuple(guardrail for guardrail in looked_at if guardrail is not None)


def _log_loss(difference: Estimate) -> Guardrail | None:
    if difference.low <= 0:
        return None
    words = f"its log loss is worse by {difference.value:.3f} ({difference.low:.3f} to {difference.high:.3f})"
    return Guardrail("log_loss", True, words)


def _latency(champion: Contestant, challenger: Contestant) -> Guardrail | None:
    old, new = champion.technical, challenger.technical
    if old is None or new is None:
        return Guardrail("latency", False, f"the latency of {_unmeasured(champion, challenger)} was not measured")
    if old.processor != new.processor:
        return Guardrail("latency", False, f"latency was measured on two processors ({old.processor}; {new.processor})")
    slow = new.latency_p95_ms > MOST_TIMES_AS_SLOW * old.latency_p95_ms and new.latency_p95_ms >= old.latency_p95_ms + SLOWER_MS
    words = f"a text takes {_ms(new.latency_p95_ms)} (p95) instead of {_ms(old.latency_p95_ms)}; at most {MOST_TIMES_AS_SLOW} times are allowed"
    return Guardrail("latency", True, words) if slow else None


def _latency_budget(champion: Contestant, challenger: Contestant) -> Guardrail | None:
    new = challenger.technical
    if new is None:
        return Guardrail("latency", False, f"the latency of {challenger.version} was not measured")
    words = f"a text takes {_ms(new.latency_p95_ms)} (p95), the budget is {LATENCY_BUDGET_MS:.0f} ms"
    if champion.technical is not None:
        words += f"; with {champion.version} it takes {_ms(champion.technical.latency_p95_ms)}"
    return Guardrail("latency", new.latency_p95_ms > LATENCY_BUDGET_MS, words)


def _memory(champion: Contestant, challenger: Contestant, one_family: bool) -> Guardrail | None:
    old, new = champion.technical, challenger.technical
    if new is None or (one_family and old is None):
        return None
    if one_family and old is not None:
        bound = max(MOST_TIMES_AS_LARGE * old.loaded_mb, old.loaded_mb + LARGER_MB)
        words = f"it takes {new.loaded_mb:.0f} MB instead of {old.loaded_mb:.0f} MB; {bound:.0f} MB are allowed"
    else:
        bound, words = MEMORY_BUDGET_MB, f"it takes {new.loaded_mb:.0f} MB, the budget is {MEMORY_BUDGET_MB:.0f} MB"
    return Guardrail("memory", True, words) if new.loaded_mb > bound else None


def _class_shares(labels: Ints, said: tuple[Floats, Floats]) -> list[Guardrail]:
    true, old, new = (np.bincount(classes, minlength=len(LABELS)) for classes in (labels, *map(predicted_classes, said)))
    vanished = (true >= FEWEST_OF_A_CLASS) & (new < LEAST_ANSWERED * true) & (old >= LEAST_ANSWERED * true)
    return [
        Guardrail("class_shares", True, f"it calls {new[index]} texts {LABELS[index]} where {true[index]} are")
        for index in np.flatnonzero(vanished).tolist()
    ]


def _contrast(champion: Contestant, challenger: Contestant) -> Guardrail | None:
    old, new = champion.contrast, challenger.contrast
    if old is None or new is None or old.both_right.n != new.both_right.n:
        return None
    lost = old.both_right.value - new.both_right.value
    words = f"it tells {new.both_right.value:.0%} of the contrast pairs apart, {champion.version} {old.both_right.value:.0%}"
    return Guardrail("contrast", True, words) if lost >= MOST_CONTRAST_LOST - 1e-9 else None


def _unmeasured(*contestants: Contestant) -> str:
    return " and ".join(one.version for one in contestants if one.technical is None)


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f} ms" if milliseconds >= 1 else f"{milliseconds:.2f} ms"
