"""Where one answer came from: the prediction, and with it the model, its training data, the decision to deploy it, and what people said.

Read here for the command `explain` and for GET /predictions/{id}; how it is shown is theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from sentiment_platform.features.schema import SCHEMAS
from sentiment_platform.store.deployments import MirroredDeployment, get_deployment
from sentiment_platform.store.predictions import StoredFeedback, StoredPrediction, feedback_on, get_prediction
from sentiment_platform.store.training_sets import TrainingSetRow, latest_training_set
from sentiment_platform.store.versions import RegisteredVersion, get_version
from sentiment_platform.text.sentiment import Label, likeliest_label

NOT_THERE = "Serving ships its journal every few seconds: try again, or check the id."


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """One prediction and what it rests on; None where this database does not know it."""

    prediction: StoredPrediction
    model: RegisteredVersion | None
    training: TrainingSetRow | None
    deployment: MirroredDeployment | None
    feedback: list[StoredFeedback]

    @property
    def label(self) -> Label:
        """The label that the answer named."""
        return likeliest_label(self.prediction.probabilities)

    @property
    def was_selected(self) -> bool:
        """Whether a person's selection put the version there: the deployment in force then does not name it."""
        return self.deployment is not None and self.prediction.model_version not in self.deployment.document.models()

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
    return Lineage(
        prediction=prediction,
        model=model,
        training=latest_training_set(connection, model.training_set) if model else None,
        deployment=get_deployment(connection, prediction.deployment_revision),
        feedback=feedback_on(connection, prediction_id),
    )
