"""The jobs from labels to deployment. The sensors that want a new model all ask for `train_job`."""

from collections.abc import Iterable
from typing import Any

import dagster as dg

from sentiment_platform.models.families import FAMILIES, cheapest_family, evaluation_asset_name, model_asset_name
from sentiment_platform.queues.executors import here_or_on_workers
from sentiment_platform.queues.work_queues import GPU
from sentiment_platform.run_tags import TRAINS


def assets_to_train(families: Iterable[str]) -> list[str]:
    """Everything from labels to deployment, with the models of `families`.

    The evaluations are those of every family: a new training set has a new holdout, and what runs already must answer it too.
    """
    models = [model_asset_name(family) for family in families]
    return ["labels", "training_set", *models, *map(evaluation_asset_name, FAMILIES), "ab_evaluation", "deployment"]


def recurring_config() -> dict[str, Any]:
    """The run configuration in which each family is trained with the parameters that its entry names."""
    named = {family: entry.recurring for family, entry in FAMILIES.items() if entry.recurring}
    return {"ops": {model_asset_name(family): {"config": {"parameters": dict(given)}} for family, given in named.items()}}


train_job = dg.define_asset_job(
    "train_job",
    selection=dg.AssetSelection.assets(*assets_to_train(FAMILIES)),
    # Training takes minutes to hours and much memory: each step has a process of its own, which gives it back.
    executor_def=here_or_on_workers(dg.multiprocess_executor, GPU),
    description=(
        "Take in labels, make the training set, train and evaluate every family, compare, and deploy what is better. "
        "A family whose entry says so goes on from its deployed version; the first time, or where that fails, it is trained in full."
    ),
    config=recurring_config(),
    tags={"stage": "training", TRAINS: ", ".join(FAMILIES), **GPU.tags},
)
baseline_job = dg.define_asset_job(
    "baseline_job",
    selection=dg.AssetSelection.assets(*assets_to_train([cheapest_family()])),
    executor_def=dg.in_process_executor,
    description="The same, training the cheapest family alone: a first deployment within seconds, on any machine.",
    tags={"stage": "training", TRAINS: cheapest_family()},
)
deploy_job = dg.define_asset_job(
    "deploy_job",
    selection=dg.AssetSelection.assets("deployment"),
    executor_def=dg.in_process_executor,
    description="Publish what a person selected, or what the evidence at hand already says, without training.",
    tags={"stage": "training"},
)
