"""What is to be run for a request, and why: the router makes a plan, the executor carries it out."""

from dataclasses import dataclass
from typing import Literal

from serving.contract.prediction_bodies import DegradedReason
from serving.live.loading import LoadedVersion
from serving.work.classes import WorkClass


@dataclass(frozen=True, slots=True)
class Limits:
    """How its work is ranked, and by which `time.perf_counter()` it is done: what has a fallback, and what has none."""

    kind: WorkClass
    ends_at: float
    last_ends_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The arm of one request in one phase of an experiment.

    Attributes:
        unit: hash of what was assigned, as it is stored.
        is_here: whether the arm's version is loaded; the control answers where it is not, and the answer counts for no arm.
    """

    experiment: str
    phase: int
    arm: str
    unit: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Versions of one snapshot.

    Attributes:
        primary: the one that answers, if it can in time.
        fallback: what answers instead, marked as degraded; None where the primary answers or nobody does.
        second: of a cascade, what is asked as well where the primary is not sure.
        second_off: why a cascade has no second one now.
        why: `named` by the client, or the `default` of the deployment.
        stands_in: who answers where a version fails, the first one first.
        assigned: the arm of an experiment that it belongs to; None where the request takes part in none.
        degraded: why the primary is no more than a stand-in.
    """

    primary: LoadedVersion
    fallback: LoadedVersion | None = None
    second: LoadedVersion | None = None
    second_off: DegradedReason | None = None
    why: Literal["named", "default"]
    limits: Limits
    stands_in: tuple[LoadedVersion, ...] = ()
    assigned: Assigned | None = None
    degraded: DegradedReason | None = None
