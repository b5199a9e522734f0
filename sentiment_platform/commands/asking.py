"""One text through every deployed version, without a serving process: fetch, verify, load, answer, explain."""

from contextlib import closing
from dataclasses import dataclass

from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.families import load_model
from sentiment_platform.models.family import Explanation
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.text.normalise import normalise
from sentiment_platform.text.sentiment import LABELS, Label, PriceDirection, likeliest_label, price_direction, sentiment_of


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one version says, with the names that the API gives it: calibrated probabilities by label, and where the sentiment comes from."""

    version: str
    default: bool
    label: Label
    probabilities: dict[str, float]
    sentiment: float
    price_direction: PriceDirection
    explanation: Explanation


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
        probabilities: list[float] = model.predict([text], features)[0].tolist()
        label = likeliest_label(probabilities)
        answers.append(
            Answer(
                version=champion.version,
                default=family == latest.document.default_family,
                label=label,
                probabilities=dict(zip(LABELS, probabilities, strict=True)),
                sentiment=sentiment_of(probabilities),
                price_direction=price_direction(label),
                explanation=model.explain(text, features),
            )
        )
    return sorted(answers, key=lambda answer: not answer.default)
