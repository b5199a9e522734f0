"""Body of GET /experiments: what was compared with what, what came of it, and what the gate proposes."""

from typing import Literal

from msgspec import Struct

from sentiment_platform.statistics.estimate import Estimate
from sentiment_platform.statistics.significance import McNemarResult, PairedDifference
from serving.contract.values import Moment


class Disagreement(Struct, frozen=True, kw_only=True):
    """Where two versions answer differently: `confusion[i][j]` counts texts that the champion calls class i and the challenger class j."""

    n_different: int
    only_a_right: int
    only_b_right: int
    both_wrong: int
    confusion: list[list[int]]


class Guardrail(Struct, frozen=True):
    """What must not get worse: whether it blocks the challenger, and in words why, or why it cannot judge."""

    name: str
    blocks: bool
    words: str


class ScoreWeights(Struct, frozen=True):
    """Weights of the parts of a score."""

    accuracy: float
    calibration: float
    latency: float


class WeightedScore(Struct, frozen=True, kw_only=True):
    """accuracy * a + calibration * (1 - ECE) + latency * budget / (budget + p95), with its inputs; latency null: not known of both, left out."""

    version: str
    value: float
    accuracy: float
    ece: float
    latency_p95_ms: float | None
    latency_budget_ms: float
    weights: ScoreWeights


class ComparisonFigures(Struct, frozen=True, kw_only=True):
    """The challenger (b) against the champion (a) on the same `n` texts of the holdout of `training_set`, which tell `stories` stories.

    `macro_f1.difference` has the 95 % bootstrap interval; `adjusted_p` is exact McNemar's p after Holm over the `tests` that the gate
    reads, null for a pair that it does not read; better needs it below `level`. `power`: the chance to see a difference of 5 points of
    accuracy; `needs`: so many more labelled stories would show it. `left_out`: texts that one of the two has learned from. `scores`: of the champion, then of the challenger. `in_sample`:
    those in `seen_by` know labels of this holdout, so the verdict is no evidence. `words` says all of it as sentences.
    """

    training_set: str
    n: int
    macro_f1: PairedDifference
    mcnemar: McNemarResult
    adjusted_p: float | None
    power: float
    in_sample: bool
    seen_by: list[str]
    words: str
    stories: int = 0
    left_out: int = 0
    tests: int = 1
    level: float = 0.05
    needs: int | None = None
    guardrails: list[Guardrail] = []
    scores: list[WeightedScore] | None = None
    disagreement: Disagreement | None = None


class PairComparison(Struct, frozen=True, kw_only=True):
    """One stored comparison; `figures` is null where its kind has others than these."""

    id: str
    kind: str
    champion: str
    challenger: str
    verdict: str
    run_id: str
    compared_at: Moment
    figures: ComparisonFigures | None


class GatePair(Struct, frozen=True, kw_only=True):
    """One pair of the newest evidence: `b` against `a`, the difference of macro-F1 with its interval, p after Holm (null: not read)."""

    a: str
    b: str
    verdict: str
    difference: Estimate
    adjusted_p: float | None
    in_sample: bool


class GateProposal(Struct, frozen=True, kw_only=True):
    """What the gate would deploy: family -> version, the default family, by which rule and why; `changes`: whether it differs from
    what runs."""

    champions: dict[str, str]
    default_family: str
    rule: str
    reason: str
    changes: bool


class GateEvidence(Struct, frozen=True, kw_only=True):
    """The newest evidence, under the digest that a deployment names: every pair on `n` holdout texts, and what follows.

    `attempt`: which look of the year it is; `level`: what p is held against in it. `attempt_words` says so as a sentence.
    """

    digest: str
    run_id: str
    made_at: Moment
    training_set: str
    n: int
    in_sample: bool
    attempt: int
    level: float
    attempt_words: str
    pairs: list[GatePair]
    proposal: GateProposal


class OnlineArm(Struct, frozen=True, kw_only=True):
    """What an arm of a split did in this phase: different `units` that met it, `answers`, and those of them that another version gave
    (`degraded`). `weight`: the planned share of the units."""

    name: str
    version: str
    weight: float
    units: int
    answers: int
    degraded: int


class OnlineStanding(Struct, frozen=True, kw_only=True):
    """How the experiment that runs stood when it was last evaluated; `verdict` is null until it was. `words` has its figures, `next_step` is
    what a person may do now. `arms`: of a split, as of that evaluation; with other shares than planned it is blocked."""

    experiment: str
    phase: int
    mode: Literal["shadow", "split"]
    verdict: str | None
    words: str
    next_step: str
    arms: list[OnlineArm]


class ExperimentList(Struct, frozen=True, kw_only=True):
    """The newest evidence, and stored comparisons, newest first. `objection`: why nothing may be deployed on that evidence; null when
    nothing speaks against it. `online`: the experiment on traffic; null where none runs."""

    as_of: Moment
    evidence: GateEvidence | None
    objection: str | None
    online: OnlineStanding | None
    comparisons: list[PairComparison]
