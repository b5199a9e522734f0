"""One training run of the transformer as its parameters ask for it: a search first or not, from the base or from the champion.

The parts are `search`, `incremental` and `distillation`; only their order is here.
"""

import dataclasses

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import ProgressSink, TrainingData, TrainingOptions, TrainingWorld
from sentiment_platform.models.study import SearchReport
from sentiment_platform.models.transformer.training.base import ResolvedBase, resolve_base
from sentiment_platform.models.transformer.training.distillation import train_distilled
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer
from sentiment_platform.models.transformer.training.incremental import ChampionState, champion_state, train_on
from sentiment_platform.models.transformer.training.parameters import transformer_parameters
from sentiment_platform.models.transformer.training.search import search_recipe


def train_by_recipe(
    base: ResolvedBase, data: TrainingData, options: TrainingOptions, progress: ProgressSink, world: TrainingWorld
) -> TrainedTransformer:
    """Train; what was found and decided on the way is in `search` and `lineage` of the result.

    Raises:
        PermanentError: as `train_distilled` and `search`.
    """
    parameters = transformer_parameters(options.parameters)
    searched = {}
    if parameters.n_trials:
        best, report, bounds = search_recipe(base, data, options, parameters, progress, database_url=world.study_url)
        searched = report.figures() | {"bounds": dict(bounds), "trial_texts": min(parameters.trial_texts, len(data.train))}
        options = dataclasses.replace(options, parameters={**options.parameters, **best})
    if parameters.start == "champion":
        champion = _champion(options, world)
        trained = train_on(base, data, options, progress, champion, checkpoints=world.checkpoints)
    else:
        trained = train_distilled(base, data, options, progress, checkpoints=world.checkpoints)
    return dataclasses.replace(trained, search=searched, lineage=trained.lineage or {"start": "base"})


def join_search(
    world: TrainingWorld, data: TrainingData, options: TrainingOptions, progress: ProgressSink, *, worker: int
) -> SearchReport:
    """Work on the study of which a training run with `options` on `data` makes its search; nothing is trained after.

    Raises:
        PermanentError: as `search_recipe`.
    """
    base, parameters = resolve_base(world.transformer_base, world.bases), transformer_parameters(options.parameters)
    return search_recipe(base, data, options, parameters, progress, database_url=world.study_url, worker=worker)[1]


def _champion(options: TrainingOptions, world: TrainingWorld) -> ChampionState | str:
    """The deployed version to go on from, or why there is none."""
    if options.champion is None or world.earlier is None:
        return "no version is deployed yet"
    try:
        return champion_state(world.earlier, options.champion, options.work)
    except PermanentError as error:
        return str(error)
