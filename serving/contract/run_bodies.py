"""Bodies of GET /monitoring/decisions and GET /monitoring/runs: what was decided, and what ran."""

from msgspec import Struct

from sentiment_platform.statistics.estimate import Estimate
from serving.contract.values import Moment


class DecisionCause(Struct, frozen=True):
    """One reason to train again: what kind, about what, in words."""

    kind: str
    subject: str
    statement: str


class DriftSeen(Struct, frozen=True):
    """The drift report that the decision rests on."""

    report_id: str
    severity: str
    drifted: list[str]
    texts: int


class PerformanceSeen(Struct, frozen=True):
    """Live accuracy beside the one that the manifest promises; null where there was no such figure."""

    live: Estimate | None
    holdout: Estimate | None


class LastTraining(Struct, frozen=True):
    """The newest training set at that time, and the labels that had come since."""

    training_set: str
    at: Moment
    new_labels: int


class PolicyInForce(Struct, frozen=True, kw_only=True):
    """The thresholds that were in force."""

    drift_severity: str
    accuracy_margin: float
    max_age_days: float
    labels_when_old: int
    cool_down_hours: float


class DecisionEvidence(Struct, frozen=True, kw_only=True):
    """The figures that were weighed, of the version that was watched."""

    version: str
    drift: DriftSeen
    performance: PerformanceSeen
    last_training: LastTraining | None
    policy: PolicyInForce


class FollowingRun(Struct, frozen=True, kw_only=True):
    """A run of `train_job`. `asked_for`: it names the decision; otherwise it is the first one that was made after it."""

    run_id: str
    status: str
    created_at: Moment
    ended_at: Moment | None
    asked_for: bool


class RetrainDecision(Struct, frozen=True, kw_only=True):
    """Whether to train again, and why or why not; `run`: what followed a decision to train, null where nothing did or runs are not known.

    `evidence` is null where it was written in another form.
    """

    id: str
    decided_at: Moment
    retrain: bool
    reason: str
    causes: list[DecisionCause]
    evidence: DecisionEvidence | None
    run: FollowingRun | None


class DecisionList(Struct, frozen=True):
    """Decisions, newest first. `runs_known`: whether Dagster's tables can be read here."""

    as_of: Moment
    runs_known: bool
    decisions: list[RetrainDecision]


class Run(Struct, frozen=True, kw_only=True):
    """One run of a job; `status` is Dagster's word (`SUCCESS`, `FAILURE`, `STARTED`, ...). `partition`: a day, `first/last` of a range, or null. `failed_steps` in the order in which they failed.

    `trigger` and `reason`: why there is a run, as far as it says so; a schedule or sensor that asked for it is named by `asked_by`.
    """

    run_id: str
    job: str
    status: str
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    partition: str | None
    trigger: str | None
    reason: str | None
    asked_by: str | None
    failed_steps: list[str]


class RunList(Struct, frozen=True):
    """Runs, newest first. `runs_known`: whether Dagster's tables can be read here; otherwise there are none."""

    as_of: Moment
    runs_known: bool
    runs: list[Run]
