"""What is to be run for a request, and why: the router makes a plan, the executor carries it out."""

from dataclasses import dataclass
from typing import Literal

from serving.live.loading import LoadedVersion
from serving.work.classes import WorkClass


@dataclass(frozen=True, slots=True)
class Limits:
    """How its work is ranked, and by which `time.perf_counter()` it is done: what has a fallback, and what has none."""

    kind: WorkClass
    ends_at: float
    last_ends_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Versions of one snapshot.

    Attributes:
        primary: the one that answers, if it can in time.
        fallback: what answers instead, marked as degraded; None where the primary answers or nobody does.
        second: of a cascade, what is asked as well where the primary is not sure.
        why: `named` by the client, or the `default` of the deployment.
    """

    primary: LoadedVersion
    fallback: LoadedVersion | None = None
    second: LoadedVersion | None = None
    why: Literal["named", "default"]
    limits: Limits
