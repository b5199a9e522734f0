"""`models search`: the transformer's recipe, searched ahead of training."""

from typing import Any

import click

from sentiment_platform.commands.console import say, styled
from sentiment_platform.commands.parameters import COUNT, Number, usage_of
from sentiment_platform.errors import PermanentError


@click.command()
@click.option("--trials", type=COUNT, required=True, help="Trials that the study shall have, whoever makes them.")
@click.option("--worker", type=COUNT, default=1, help="A number of its own for each worker.")
@click.option("--seed", type=int, default=None, help="Seed of the run that will train; default: that of a run.")
@click.option("--threads", type=Number(min=0), default=0, help="CPU threads; 0 is all. Several workers share them.")
@click.option("--parameters", default="{}", help="Other parameters of the run that will train, as JSON.")
def search(trials: int, worker: int, seed: int | None, threads: int, parameters: str) -> None:
    """Search the transformer's recipe ahead of training, in as many processes and on as many machines as you like.

    All of them work on one study in PostgreSQL. It belongs to the newest training set, TRANSFORMER_BASE, the seed and the
    parameters, and each worker ends when it has --trials trials. Nothing is trained or published.

    \b
    Examples:
      sentiment-platform models search --trials 24 --worker 1 --threads 4 &
      sentiment-platform models search --trials 24 --worker 2 --threads 4 &

    A training run finds these trials when it asks for as many, in the launchpad of train_job: the transformer's model asset
    with parameters: {start: champion, n_trials: 24}. What fixes a part of the recipe there, such as {epochs: 3}, belongs into
    --parameters here; start, replay_share and checkpoint_steps do not matter to a search.
    """
    given = _parameters(parameters)
    from sentiment_platform.commands.live_progress import LiveProgress
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.models.family import TrainingOptions
    from sentiment_platform.models.training_data import read_training_data
    from sentiment_platform.models.transformer.training.recipe import join_search
    from sentiment_platform.models.versions.training_world import training_world
    from sentiment_platform.registry.access import RegistryAccess

    options = TrainingOptions(
        seed=TrainingOptions.seed if seed is None else seed, threads=threads, parameters=given | {"n_trials": trials}
    )
    with connected_session() as (settings, engine), LiveProgress() as bar:
        world = training_world(engine, RegistryAccess(settings))
        report = join_search(world, read_training_data(engine), options, bar, worker=worker)
    best = ", ".join(f"{name} {value:.4g}" for name, value in report.best_parameters.items())
    say(styled(report.study, "green"), f": {len(report.trials)} trials, best macro-F1 {report.best_value:.3f} with {best}")


def _parameters(text: str) -> dict[str, Any]:
    import msgspec

    with usage_of("--parameters"):
        try:
            return msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise PermanentError(f"It is no JSON object: {error}.", remedy="Write it like '{\"epochs\": 3}'.") from error
