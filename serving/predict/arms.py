"""Which arm of the experiment answers a request: by the hash of its unit, or by a tester's word. Pure.

A request takes part where the version that would answer it is the experiment's control. Who names a family is answered by that family:
an arm of another one does not come in between. Where a switch keeps one of the arms from answering, no request takes part: arms that are
compared answer at the same times.
"""

from dataclasses import dataclass, replace

from sentiment_platform.experiments.assignment import CONTROL, arm_of, unit_hash
from sentiment_platform.store.key_form import read_key
from sentiment_platform.text.normalise import text_hash
from serving.flags import Flags
from serving.live.snapshot import Snapshot
from serving.predict.online_features import Input
from serving.predict.plan import Assigned, Plan
from serving.predict.router import may_run

TESTER = "tester"
"""`traffic` of a request whose arm a tester named: recorded, and judged by nothing."""
EXPERIMENT_HEADER, ARM_HEADER = "X-Experiment", "X-Experiment-Arm"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, for the assignment to an arm.

    Attributes:
        unit: that the request names; without it the key counts, then the text.
        key: API key as it was presented; it need not be a valid one to be the same each time.
        wanted_arm: the arm that a tester wants an answer of.
    """

    unit: str | None = None
    key: str = ""
    wanted_arm: str | None = None

    @property
    def traffic(self) -> str | None:
        """What the request is for, where that is no user's question."""
        return TESTER if self.wanted_arm else None

    def unit_of(self, text: str) -> str:
        """What is assigned to an arm."""
        if self.unit:
            return self.unit
        key = read_key(self.key) if self.key else None
        return key.key_id if key else text_hash(text)


def in_experiment(plan: Plan, live: Snapshot, request: Input, asker: Asker, flags: Flags) -> Plan:
    """`plan` with the arm of `request` in the place of the control, where the control would answer it."""
    experiment = live.deployment.experiment
    control = experiment.arms.get(CONTROL) if experiment else None
    chosen = plan.second or plan.primary
    if (
        experiment is None
        or control is None
        or control.manifest_digest != chosen.manifest_digest
        or plan.degraded
        or plan.second_off
        or not all(may_run(version, live, flags) for version in live.beside.arms.values())
    ):
        return plan
    unit = asker.unit_of(request.text)
    arm = asker.wanted_arm if asker.wanted_arm in experiment.arms else arm_of(experiment, unit)
    version = live.beside.arms.get(arm)
    if plan.why == "named" and version is not None and version.family != chosen.family:
        return plan
    assigned = Assigned(
        experiment=experiment.name,
        phase=experiment.phase,
        arm=arm,
        unit=unit_hash(experiment.name, unit),
        is_here=version is not None,
    )
    if version is None:
        return replace(plan, assigned=assigned)
    return replace(plan, assigned=assigned, **{"second" if plan.second else "primary": version})


def said_of(assigned: Assigned) -> dict[str, str]:
    """The headers of an answer that an arm gave; none where the control answered in its place."""
    if not assigned.is_here:
        return {}
    return {EXPERIMENT_HEADER: f"{assigned.experiment}/{assigned.phase}", ARM_HEADER: assigned.arm}
