"""The comparison behind a person's choice, made where none is stored: versions that have not answered the newest holdout answer it first.

It spends no attempt of the gate and proposes nothing. Each pair is one test at `ALPHA`: one person asks one question.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Engine

from sentiment_platform.errors import PlatformError
from sentiment_platform.experiments.choice import ChosenPair, Pair, read_choice, without_comparison
from sentiment_platform.experiments.comparing import compare, judged
from sentiment_platform.experiments.comparison import ALPHA
from sentiment_platform.experiments.disagreement import disagreement
from sentiment_platform.experiments.holdout_comparison import comparison_row, newest_holdout, read_side
from sentiment_platform.models.evaluation.holdout import compare_answers, evaluate_version, store_evaluation
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.store.experiments import write_experiment
from sentiment_platform.store.figures import holdout_predictions

Answer = Callable[[str], None]
"""Has a version answer the newest holdout, and stores what it says."""


def answers_from(engine: Engine, access: RegistryAccess, now: Callable[[], datetime]) -> Answer:
    """Fetches, verifies and loads a version as `<family>_evaluation` does."""

    def answer(version: str) -> None:
        store_evaluation(engine, evaluate_version(engine, access, version), now())

    return answer


def weigh_choice(engine: Engine, pairs: Sequence[Pair], *, run_id: str, answer: Answer | None = None) -> list[ChosenPair]:
    """What is known of each pair, compared now and stored where no verdict was; a pair that cannot be compared says why.

    Args:
        answer: for versions without stored answers; without it they stay uncompared.
    """
    with engine.connect() as connection:
        known = read_choice(connection, pairs)
    return [pair if pair.comparison else _made(engine, (pair.champion, pair.challenger), run_id, answer) for pair in known]


def _made(engine: Engine, pair: Pair, run_id: str, answer: Answer | None) -> ChosenPair:
    try:
        if answer is not None:
            for version in _without_answers(engine, pair):
                answer(version)
        with engine.begin() as connection:
            holdout, examples = newest_holdout(connection)
            a, b = (read_side(connection, version, holdout, examples) for version in pair)
            raw = compare(holdout, a, b)
            comparison = judged(raw, adjusted_p=raw.mcnemar.p_value, tests=1, level=ALPHA)
            ids = [example.example_id for example in examples]
            differences = disagreement(pair, ids, holdout.labels, a.probabilities, b.probabilities)
            write_experiment(connection, comparison_row(comparison, differences, run_id))
    except PlatformError as error:
        # A person decides also where nothing can be compared: the document then says why.
        return without_comparison(pair, f"{pair[1]} could not be compared with {pair[0]}: {error}")
    return ChosenPair(
        champion=pair[0],
        challenger=pair[1],
        verdict=comparison.verdict,
        words=comparison.words(),
        comparison=comparison,
        run_id=run_id,
    )


def _without_answers(engine: Engine, pair: Pair) -> list[str]:
    with engine.connect() as connection:
        holdout, examples = newest_holdout(connection)
        ids = [example.example_id for example in examples]
        return [
            version
            for version in pair
            if not compare_answers(version, ids, holdout_predictions(connection, version, holdout.training_set)).complete
        ]
