"""Where one answer came from: the prediction, and with it the model, its training data, the decision to deploy it, and what people said.

Read here for the command `explain` and for GET /predictions/{id}; how it is shown is theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from sentiment_platform.features.schema import SCHEMAS
from sentiment_platform.store.deployments import MirroredDeployment, get_deployment
from sentiment_platform.store.predictions import StoredFeedback, StoredPrediction, feedback_on, get_prediction
from sentiment_platform.store.selections import selected_by
from sentiment_platform.store.training_sets import TrainingSetRow, latest_training_set
from sentiment_platform.store.versions import RegisteredVersion, get_version
from sentiment_platform.text.sentiment import Label, likeliest_label

ChosenBy = Literal["deployment", "experiment", "selection", "canary", "stand_in"]
NOT_THERE = "Serving ships its journal every few seconds: try again, or check the id."


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One prediction and what it rests on; None where this database does not know it.

    Attributes:
        selected_by: whose selection of the version was not published then.
    """

    prediction: StoredPrediction
    model: RegisteredVersion | None
    training: TrainingSetRow | None
    deployment: MirroredDeployment | None
    feedback: list[StoredFeedback]
    selected_by: str | None

    @property
    def label(self) -> Label:
        """The label that the answer named."""
        return likeliest_label(self.prediction.probabilities)

    @property
    def is_named(self) -> bool:
        """Whether the deployment in force names the version."""
        return self.deployment is not None and self.prediction.model_version in self.deployment.document.models()

    @property
    def chosen_by(self) -> ChosenBy | None:
        """What made this version answer; None where the deployment is not known."""
        answer = self.prediction
        if answer.degraded:
            return "stand_in"
        if answer.arm is not None:
            return "experiment"
        if self.is_named:
            return "deployment"
        if self.selected_by is not None:
            return "selection"
        # Nobody chose it, and the deployment names another one: that one was new, and answered a share of the units at first.
        return "canary" if self.deployment is not None else None

    def features(self) -> Mapping[str, float | None]:
        """Name -> value, in the order of the vector; values are numbered where this build does not know their schema."""
        values = self.prediction.features
        schema = SCHEMAS.get(self.prediction.feature_schema)
        names = schema.names if schema and len(schema.names) == len(values) else [str(number) for number in range(len(values))]
        return dict(zip(names, values, strict=True))


def read_lineage(connection: Connection, prediction_id: str) -> Lineage | None:
    """The lineage of a prediction; None where it has not arrived in the database."""
    prediction = get_prediction(connection, prediction_id)
    if prediction is None:
        return None
    model = get_version(connection, prediction.model_version)
    revision = prediction.deployment_revision
    return Lineage(
        prediction=prediction,
        model=model,
        training=latest_training_set(connection, model.training_set) if model else None,
        deployment=get_deployment(connection, revision),
        feedback=feedback_on(connection, prediction_id),
        selected_by=selected_by(connection, prediction.family, prediction.model_version, prediction.predicted_at, revision),
    )
