"""A new version beside the one that is deployed while it is trained, on the test part that the new one left alone.

For its card; what it decides is `experiments`.
"""

from pathlib import Path

from sqlalchemy import Engine

from sentiment_platform.models.evaluation.evaluation import SEED, Evaluation, predict_sorted
from sentiment_platform.models.evaluation.seen_data import seen_by_starter
from sentiment_platform.models.families import load_model
from sentiment_platform.models.family import TrainingData
from sentiment_platform.models.version_figures import ChampionFigures
from sentiment_platform.registry.versions import VersionTag
from sentiment_platform.statistics.significance import discordant_counts, paired_bootstrap
from sentiment_platform.store.training_sets import examples_not_held_out
from sentiment_platform.store.versions import get_version


def beside_champion(
    engine: Engine, champion: str, files: Path, data: TrainingData, evaluation: Evaluation
) -> ChampionFigures | None:
    """Ask the verified `files` of the version `champion` the test part; None where it reads features of another schema.

    Args:
        evaluation: the new version's answers to the same texts.
    """
    model = load_model(VersionTag.parse(champion).family, files)
    if model.feature_schema != data.feature_schema:
        return None
    answers = predict_sorted(model, data.test.texts, data.test.features)
    that, this = discordant_counts(data.test.labels, answers, evaluation.probabilities)
    with engine.connect() as connection:
        registered = get_version(connection, champion)
        seen = set[str]()
        if registered is not None:
            seen = examples_not_held_out(connection, registered.training_set, data.test.ids)
            seen |= seen_by_starter(registered.manifest.figures, data.test.ids)
    return ChampionFigures(
        version=champion,
        macro_f1=paired_bootstrap(data.test.labels, answers, evaluation.probabilities, seed=SEED).difference,
        only_this_right=this,
        only_that_right=that,
        seen=len(seen),
    )
