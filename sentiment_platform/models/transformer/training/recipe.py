"""One training run of the transformer as its parameters ask for it: a search first or not, from the base or from the champion.

The parts are `transformer_search`, `transformer_incremental` and `transformer_training`; only their order is here.
"""

import dataclasses

from sqlalchemy import Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import ProgressSink, TrainingData, TrainingOptions
from sentiment_platform.models.study import SearchReport
from sentiment_platform.models.training_data import read_training_data
from sentiment_platform.models.transformer.training.base import ResolvedBase, resolve_base
from sentiment_platform.models.transformer.training.distillation import train_distilled
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer
from sentiment_platform.models.transformer.training.incremental import ChampionState, champion_state, train_on
from sentiment_platform.models.transformer.training.parameters import transformer_parameters
from sentiment_platform.models.transformer.training.search import search_recipe
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform.store.engine import create_platform_engine

CHECKPOINTS = "training-checkpoints"
"""Folder of the state directory."""


def train_by_recipe(
    base: ResolvedBase, data: TrainingData, options: TrainingOptions, progress: ProgressSink, settings: Settings | None
) -> TrainedTransformer:
    """Train; what was found and decided on the way is in `search` and `lineage` of the result.

    Raises:
        PermanentError: as `train_distilled` and `search`.
    """
    checkpoints = settings.state_dir / CHECKPOINTS if settings else None
    parameters = transformer_parameters(options.parameters)
    searched = {}
    if parameters.n_trials:
        url = settings.direct_database_url() if settings else ""
        found, report, bounds = search_recipe(base, data, options, parameters, progress, database_url=url)
        searched = report.figures() | {"bounds": dict(bounds), "trial_texts": min(parameters.trial_texts, len(data.train))}
        options = dataclasses.replace(options, parameters={**options.parameters, **found})
    if parameters.start == "champion":
        champion = _champion(options, settings)
        trained = train_on(base, data, options, progress, champion, checkpoints=checkpoints)
    else:
        trained = train_distilled(base, data, options, progress, checkpoints=checkpoints)
    return dataclasses.replace(trained, search=searched, lineage=trained.lineage or {"start": "base"})


def join_search(
    engine: Engine, settings: Settings, options: TrainingOptions, progress: ProgressSink, *, worker: int
) -> SearchReport:
    """Work on the study of which a training run with `options` on the newest training set makes its search; nothing is trained after.

    Raises:
        PermanentError: no training set, or as `search_recipe`.
    """
    data, base = read_training_data(engine), resolve_base(settings.transformer_base)
    parameters = transformer_parameters(options.parameters)
    url = settings.direct_database_url()
    return search_recipe(base, data, options, parameters, progress, database_url=url, worker=worker)[1]


def _champion(options: TrainingOptions, settings: Settings | None) -> ChampionState | str:
    """The deployed version to go on from, or why there is none."""
    if options.champion is None or settings is None:
        return "no version is deployed yet"
    engine = create_platform_engine(settings.require("database_url"))
    try:
        return champion_state(engine, RegistryAccess(settings), options.champion, options.work)
    except PermanentError as error:
        return str(error)
    finally:
        engine.dispose()
