"""One text through every deployed version, without a serving process: fetch, verify, load, answer, explain."""

from contextlib import closing
from dataclasses import dataclass

from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.families import load_model
from sentiment_platform.models.family import Contribution, Floats
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.text.normalise import normalise


@dataclass(frozen=True)
class Answer:
    """What one version says: (3,) calibrated probabilities in the order of `LABELS`, and each token's push."""

    version: str
    default: bool
    probabilities: Floats
    contributions: list[Contribution]


def ask_deployed(access: RegistryAccess, text: str) -> list[Answer]:
    """The answer of each champion of the latest deployment, the default first; empty when nothing is deployed."""
    import numpy as np

    with closing(access.reader()) as reader:
        latest = reader.poll_latest()
    if not isinstance(latest, LatestDeployment):
        return []
    text = normalise(text)
    answers: list[Answer] = []
    for family, champion in latest.document.champions.items():
        directory, manifest = access.fetch(champion.version, champion.manifest_digest)
        model = load_model(family, directory)
        features = np.array([COMPUTE[manifest.feature_schema.name](text, NO_CONTEXT)], dtype=np.float64)
        default = family == latest.document.default_family
        answers.append(Answer(champion.version, default, model.predict([text], features)[0], model.explain(text)))
    return sorted(answers, key=lambda answer: not answer.default)
