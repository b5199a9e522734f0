"""How a running experiment stands: the verdict on a phase in words, from counts alone. Pure; what is counted is read by `online_reading`.

In shadow both versions answer the same request, so that each labelled story is a pair: an e-process says at any time whether one of
them is right more often. A decision that was made stands: later labels change the estimate, and the words say both.
"""

import math
from typing import Literal

import msgspec

from sentiment_platform.experiments.comparison import ALPHA, SMALLEST_DIFFERENCE
from sentiment_platform.experiments.online_guardrails import OnlineGuardrail
from sentiment_platform.statistics.sequential import always_valid_p, further_rows, log_paired_e_value

Decision = Literal["better", "worse"]
Mode = Literal["shadow", "split"]


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """What labelled stories say of a shadow.

    Attributes:
        stories: with a label, each counted once; `learned`: texts left out because one of the two has learned from them.
        right_a, right_b: stories that the champion, that the challenger got right; only_a_right, only_b_right: that only it did.
        e_value: evidence now that the two are not right equally often; `p`: the smallest 1 / e so far.
        decided: what the test said when it passed first, in the order in which the labels arrived; None where it has not.
    """

    stories: int
    learned: int
    right_a: int
    right_b: int
    only_a_right: int
    only_b_right: int
    e_value: float
    p: float
    decided: Decision | None


class Arm(msgspec.Struct, frozen=True, kw_only=True):
    """What an arm of a split did; its accuracy is over the stories with a label that it answered."""

    name: str
    version: str
    weight: float
    units: int
    answers: int
    degraded: int


class OnlineEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of an experiment at one moment.

    Attributes:
        asked, failed: requests that the challenger was given, and those that it could not answer.
        paired: of a shadow; arms: of a split.
        answers: of the newest pairs of a shadow, 3 rows of 3: what the champion said (row) and the challenger (column).
        decided: the first decision of the phase, which stands, and `decided_in` the evaluation that made it; "" where it is this one.
        needs: about so many more labelled stories would show `SMALLEST_DIFFERENCE`.
    """

    experiment: str
    phase: int
    mode: Mode
    champion: str
    challenger: str
    asked: int
    failed: int
    guardrails: tuple[OnlineGuardrail, ...]
    paired: Paired | None = None
    answers: tuple[tuple[int, ...], ...] = ()
    arms: tuple[Arm, ...] = ()
    decided: Decision | None = None
    decided_in: str = ""
    needs: int | None = None

    @property
    def changed(self) -> int:
        """How many of `answers` would be others if the challenger were served."""
        return sum(n for row, counts in enumerate(self.answers) for column, n in enumerate(counts) if row != column)

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `blocked:<guardrail>` or `goes on`."""
        if self.decided == "worse":
            return "worse"
        blocking = next((guardrail.name for guardrail in self.guardrails if guardrail.blocks), None)
        return f"blocked:{blocking}" if blocking else self.decided or "goes on"

    def words(self) -> str:
        """The verdict as sentences with its figures."""
        said = [f"{self.experiment}, phase {self.phase} ({self.mode}): {self.challenger} {_RELATION[self.mode]} {self.champion}."]
        said.append(_paired_words(self.paired, self.asked, self.failed) if self.paired else _arms_words(self.arms))
        if compared := sum(map(sum, self.answers)):
            said.append(f"Served, it would change {self.changed:,} of {compared:,} answers ({self.changed / compared:.1%}).")
        said.append(f"Verdict: {self.verdict}.")
        if self.paired and self.decided and self.decided_in and self.paired.decided != self.decided:
            said.append(
                f"It was decided in evaluation {self.decided_in[:12]}, and stands; with the labels of today the test would say "
                f"{self.paired.decided or 'nothing yet'}."
            )
        if self.decided is None and self.needs:
            points = f"{100 * SMALLEST_DIFFERENCE:.0f} points of accuracy"
            said.append(
                f"It needs about {self.needs:,} more labelled stories to show {points}: `sentiment-platform labels tasks export`."
            )
        for guardrail in self.guardrails:
            name = guardrail.name.replace("_", " ").capitalize()
            said.append(f"{name}{' (blocks)' if guardrail.blocks else ''}: {guardrail.words}.")
        return " ".join(said)


_RELATION = {"shadow": "answers beside", "split": "shares the requests with"}


def paired_of(outcomes: list[tuple[bool, bool]], learned: int) -> Paired:
    """Count (champion right, challenger right) of stories in the order in which their labels arrived."""
    only_a = [a and not b for a, b in outcomes]
    only_b = [b and not a for a, b in outcomes]
    counts_a, counts_b = _running(only_a), _running(only_b)
    p = always_valid_p(counts_a, counts_b) if outcomes else None
    first = next((n for n, value in enumerate(p) if value < ALPHA), None) if p is not None else None
    decided: Decision | None = None if first is None else "better" if counts_b[first] > counts_a[first] else "worse"
    a, b = sum(only_a), sum(only_b)
    return Paired(
        stories=len(outcomes),
        learned=learned,
        right_a=sum(a for a, _ in outcomes),
        right_b=sum(b for _, b in outcomes),
        only_a_right=a,
        only_b_right=b,
        # A document holds finite numbers alone.
        e_value=math.exp(min(700.0, float(log_paired_e_value(a, b)))),
        p=1.0 if p is None else float(p[-1]),
        decided=decided,
    )


def needed(paired: Paired) -> int | None:
    """About how many more labelled stories a decision needs; None where there is one, or where no number would do."""
    if paired.decided:
        return None
    return further_rows(paired.only_a_right, paired.only_b_right, paired.stories, difference=SMALLEST_DIFFERENCE, level=ALPHA)


def _running(flags: list[bool]) -> list[int]:
    total, counts = 0, list[int]()
    for flag in flags:
        total += flag
        counts.append(total)
    return counts


def _paired_words(paired: Paired, asked: int, failed: int) -> str:
    answered = f"It answered {asked - failed:,} requests{f' and failed {failed:,}' if failed else ''}."
    left_out = f" ({paired.learned:,} texts that one of the two has learned from are left out)" if paired.learned else ""
    if not paired.stories:
        return f"{answered} None of these texts has a label of a person{left_out}."
    n = paired.stories
    return (
        f"{answered} On {n:,} labelled stories{left_out} it is right in {paired.right_b / n:.1%}, the champion in "
        f"{paired.right_a / n:.1%}; alone right {paired.only_b_right} against {paired.only_a_right} times; e-value "
        f"{paired.e_value:.3g}, {1 / ALPHA:.0f} decides (always-valid p = {paired.p:.2g})."
    )


def _arms_words(arms: tuple[Arm, ...]) -> str:
    if not any(arm.answers for arm in arms):
        return "No answer names an arm yet: serving has not split requests."
    rows = "; ".join(f"{arm.name} {arm.version} {arm.units:,} units, {arm.answers:,} answers" for arm in arms)
    return f"{rows}. A split shows cost and side effects; which one is right more often, the shadow has tested."
