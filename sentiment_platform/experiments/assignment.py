"""Which arm a unit belongs to, and which requests the shadow answers: by hash alone, the same in every process and after every restart.

The salt is the name of the experiment and nothing else. A unit that was in one arm in one experiment is anywhere in another, and a
new phase with other weights moves only the units that it must: those between the old and the new border. Nothing heavy is imported:
serving assigns with this file.
"""

from hashlib import sha256

from sentiment_platform.registry.deployment import Experiment, Shadow

CONTROL = "control"
CHALLENGER = "challenger"


def position(experiment: str, unit: str) -> float:
    """Where a unit stands in an experiment, at least 0 and below 1: the first 53 bits of sha256(sha256(experiment) + unit)."""
    salt = sha256(experiment.encode()).digest()
    return (int.from_bytes(sha256(salt + unit.encode()).digest()[:8]) >> 11) / 2**53


def arm_of(experiment: Experiment, unit: str) -> str:
    """The arm of a unit: a key, a client, or the hash of a text where nobody is named.

    The arms lie one after the other from 0 to 1, in the order of their names, `control` last. With one challenger, raising its weight
    moves units from control to it and no other; lowering it moves them back.
    """
    names = sorted(experiment.arms, key=lambda name: (name == CONTROL, name))
    here, border = position(experiment.name, unit), 0.0
    for name in names[:-1]:
        border += experiment.arms[name].weight
        if here < border:
            return name
    return names[-1]


def is_shadowed(plan: Shadow, request_id: str, answered_today: int) -> bool:
    """Whether the version in shadow answers this request too.

    Args:
        request_id: of the answer that is served.
        answered_today: requests of this phase that it has answered since midnight UTC.
    """
    return answered_today < plan.daily_cap and position(f"{plan.name} shadow", request_id) < plan.share


def shadow_answer_id(plan: Shadow, request_id: str) -> str:
    """The id of the answer of a shadow to a request, 32 hex digits: one for each request and phase, whoever makes it."""
    return sha256(f"{plan.name}\x00{plan.phase}\x00{request_id}".encode()).hexdigest()[:32]


def unit_hash(experiment: str, unit: str) -> str:
    """What is stored of a unit, 16 hex digits: enough to count it once in its experiment, and of no use to anybody else."""
    return sha256(f"{experiment}\x00{unit}".encode()).hexdigest()[:16]
