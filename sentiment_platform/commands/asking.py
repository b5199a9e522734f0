"""One text through every deployed version, without a serving process: fetch, verify, load, answer, explain."""

from contextlib import closing
from dataclasses import dataclass

from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.models.families import load_model
from sentiment_platform.models.family import Explanation
from sentiment_platform.news.parsing.markup import plain_text
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.text.english import is_english
from sentiment_platform.text.normalise import normalise
from sentiment_platform.text.sentiment import LABELS, Label, PriceDirection, likeliest_label, price_direction, sentiment_of


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one version says, with the names that the API gives it: probabilities by label, where the sentiment comes from, and how much
    of the text it rests on. They are calibrated where the text is English that a model can read (`supported`).
    """

    version: str
    default: bool
    label: Label
    probabilities: dict[str, float]
    sentiment: float
    price_direction: PriceDirection
    supported: bool
    passages: int
    characters_read: int
    truncated: bool
    explanation: Explanation


def ask_deployed(access: RegistryAccess, text: str) -> list[Answer]:
    """The answer of each champion of the latest deployment, the default first; empty when nothing is deployed."""
    import numpy as np

    with closing(access.reader()) as reader:
        latest = reader.poll_latest()
    if not isinstance(latest, LatestDeployment):
        return []
    text = normalise(plain_text(text) or "")
    supported = is_english(text)
    answers: list[Answer] = []
    for family, champion in latest.document.champions.items():
        directory, manifest = access.fetch(champion.version, champion.manifest_digest)
        model = load_model(family, directory)
        features = np.array([COMPUTE[manifest.feature_schema.name](text, NO_CONTEXT)], dtype=np.float64)
        probabilities: list[float] = model.predict([text], features)[0].tolist()
        label, reading = likeliest_label(probabilities), model.reading(text)
        answers.append(
            Answer(
                version=champion.version,
                default=family == latest.document.default_family,
                label=label,
                probabilities=dict(zip(LABELS, probabilities, strict=True)),
                sentiment=sentiment_of(probabilities),
                price_direction=price_direction(label),
                supported=supported,
                passages=reading.passages,
                characters_read=reading.characters,
                truncated=reading.characters < len(text),
                explanation=model.explain(text, features),
            )
        )
    return sorted(answers, key=lambda answer: not answer.default)
