"""Whether stored scores are what the models answer: a sample is asked anew, one text at a time, of the model and of serving.

The plain judgement behind the check; what is asked of serving goes over HTTP, as any client asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import msgspec
from sqlalchemy import Engine

from sentiment_platform.registry.own_questions import HEADER, sign_question
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform.sentiment.scorers import LoadedScorer, ScoringVersion, deployed_scorers, named_scorer
from sentiment_platform.store.article_sentiment import ScoreRow, StoredScore, newest_scores, versions_scored_last
from sentiment_platform.text.normalise import normalise, text_hash

SAMPLE = 20
"""Rows of each version that its model answers anew: those scored last."""
ASKED_OF_SERVING, RECENT = 5, timedelta(hours=1)
"""Rows that serving is asked too, and how new they are: quiet hours shall stay quiet. What it answers then counts nowhere."""
BOUND = 1e-6
"""Largest difference of a probability that is no difference: batches and padding move an int8 graph by a tenth of it."""
TIME_OUT_S = 3.0


class _Probabilities(msgspec.Struct, frozen=True):
    negative: float
    neutral: float
    positive: float


class _Prediction(msgspec.Struct, frozen=True):
    probabilities: _Probabilities


class _Performance(msgspec.Struct, frozen=True):
    model_version: str


class _Answer(msgspec.Struct, frozen=True):
    """The part of an answer of `POST /predict/{family}` that is compared."""

    prediction: _Prediction
    performance: _Performance


@dataclass(frozen=True, slots=True)
class Compared:
    """One way of asking: how many rows, and the largest difference with the article it was found at."""

    rows: int
    largest: float
    article_id: str | None

    @property
    def agrees(self) -> bool:
        """Whether every row is what was answered."""
        return self.largest <= BOUND


@dataclass(frozen=True, slots=True)
class VersionAgreement:
    """One version: what its model says, and what serving says, or in words why it was not asked."""

    version: str
    model: Compared
    serving: Compared | str


def evaluate_agreement(
    engine: Engine, *, load: Callable[[ScoringVersion], LoadedScorer], serving_url: str, keys: PrivateKeys, now: datetime
) -> list[VersionAgreement]:
    """Compare the newest rows of every deployed version, and of the version of each family that scored last."""
    with engine.connect() as connection:
        deployed = deployed_scorers(connection, only_new=False)
        others = set(versions_scored_last(connection)) - {scoring.version for scoring in deployed}
        scorers = deployed + [named_scorer(connection, version) for version in sorted(others)]
        samples = {scoring: newest_scores(connection, scoring.version, SAMPLE) for scoring in scorers}
    return [
        VersionAgreement(
            scoring.version,
            compare_with_model(load(scoring), sample),
            compare_with_serving(serving_url, keys, scoring, [one for one in sample if one.row.scored_at >= now - RECENT]),
        )
        for scoring, sample in samples.items()
        if sample
    ]


def compare_with_model(scorer: LoadedScorer, sample: Sequence[StoredScore]) -> Compared:
    """Each text alone through the model; a headline that was corrected since counts as long as it is the one that was scored."""
    differences = [
        (_largest(one.row, scorer.probabilities([normalise(one.title)])[0].tolist()), one.row.article_id)
        for one in sample
        if text_hash(one.title) == one.row.text_hash
    ]
    return _compared(differences)


def compare_with_serving(url: str, keys: PrivateKeys, scoring: ScoringVersion, sample: Sequence[StoredScore]) -> Compared | str:
    """The same of `POST /predict/{family}`, where serving runs this very version."""
    if not url:
        return "no serving is configured (SENTIMENT_SERVING_URL)"
    if "model" not in keys.seeds:
        return "no model key to sign the questions with (SENTIMENT_SIGNING_KEYS)"
    asked = [one for one in sample if text_hash(one.title) == one.row.text_hash][:ASKED_OF_SERVING]
    if not asked:
        return "nothing was scored within the hour"
    differences: list[tuple[float, str]] = []
    try:
        with httpx.Client(base_url=url, timeout=TIME_OUT_S, trust_env=False) as client:
            for one in asked:
                reply = client.post(
                    f"/predict/{scoring.family}", json={"text": one.title}, headers={HEADER: sign_question(keys, one.title)}
                )
                if reply.status_code != 200:
                    return f"it answered {reply.status_code}"
                answer = msgspec.json.decode(reply.content, type=_Answer)
                if answer.performance.model_version != scoring.version:
                    return f"it runs {answer.performance.model_version}"
                said = answer.prediction.probabilities
                differences.append((_largest(one.row, (said.negative, said.neutral, said.positive)), one.row.article_id))
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError) as error:
        return f"it could not be asked ({type(error).__name__})"
    return _compared(differences)


def _largest(row: ScoreRow, answer: Sequence[float]) -> float:
    return max(abs(kept - said) for kept, said in zip((row.negative, row.neutral, row.positive), answer, strict=True))


def _compared(differences: Sequence[tuple[float, str]]) -> Compared:
    largest, article_id = max(differences, default=(0.0, None))
    return Compared(len(differences), largest, article_id)
