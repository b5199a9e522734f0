"""The jobs from labels to deployment. The sensors that want a new model all ask for `train_job`."""

import dagster as dg

TRAIN_ASSETS = (
    "labels",
    "training_set",
    "vader_model",
    "finbert_model",
    "vader_evaluation",
    "finbert_evaluation",
    "ab_evaluation",
    "deployment",
)
BASELINE_ASSETS = tuple(name for name in TRAIN_ASSETS if not name.startswith("finbert"))

train_job = dg.define_asset_job(
    "train_job",
    selection=dg.AssetSelection.assets(*TRAIN_ASSETS),
    description=(
        "Take in labels, make the training set, train and evaluate both families, compare, and deploy what is better. "
        "The transformer goes on from its deployed version; the first time, or where that fails, it is trained in full."
    ),
    config={"ops": {"finbert_model": {"config": {"parameters": {"start": "champion"}}}}},
    tags={"stage": "training"},
)
baseline_job = dg.define_asset_job(
    "baseline_job",
    selection=dg.AssetSelection.assets(*BASELINE_ASSETS),
    executor_def=dg.in_process_executor,
    description="The same with the rule-based family alone: a first deployment within seconds, on any machine.",
    tags={"stage": "training"},
)
deploy_job = dg.define_asset_job(
    "deploy_job",
    selection=dg.AssetSelection.assets("deployment"),
    executor_def=dg.in_process_executor,
    description="Publish what a person selected, or what the evidence at hand already says, without training.",
    tags={"stage": "training"},
)
