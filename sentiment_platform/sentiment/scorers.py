"""Which versions score, and each of them loaded as serving loads it: the verified artefact, its feature schema, its golden sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.compute import COMPUTE, NO_CONTEXT
from sentiment_platform.features.schema import SCHEMAS
from sentiment_platform.models.evaluation.golden import require_golden
from sentiment_platform.models.families import FAMILIES, load_model
from sentiment_platform.models.family import Floats
from sentiment_platform.models.reading import TextReader
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.store.deployments import deployments
from sentiment_platform.store.versions import get_version


@dataclass(frozen=True, slots=True)
class ScoringVersion:
    """A version that scores. An article that one of `stand_in` has scored needs no score of this version; it is always one of them."""

    family: str
    version: str
    manifest_digest: str
    stand_in: tuple[str, ...]


def scoring_versions(engine: Engine, version: str, *, only_new: bool) -> list[ScoringVersion]:
    """`version`, or where that is empty the deployed version of every family; see the two functions below."""
    with engine.connect() as connection:
        return [named_scorer(connection, version)] if version else deployed_scorers(connection, only_new=only_new)


def deployed_scorers(connection: Connection, *, only_new: bool) -> list[ScoringVersion]:
    """The deployed version of every family, as the newest deployment known here says; empty before the first one.

    Args:
        only_new: what any deployed version of the family has scored stays as it is, so that a new deployment scores what comes from
            then on.
    """
    documents = [mirrored.document for mirrored in deployments(connection, limit=None)]
    if not documents:
        return []
    scorers: list[ScoringVersion] = []
    for family in FAMILIES:
        if (champion := documents[0].champions.get(family)) is None:
            continue
        earlier = {document.champions[family].version for document in documents if family in document.champions}
        stand_in = tuple(sorted(earlier)) if only_new else (champion.version,)
        scorers.append(ScoringVersion(family, champion.version, champion.manifest_digest, stand_in))
    return scorers


def named_scorer(connection: Connection, version: str) -> ScoringVersion:
    """A published version, whether a deployment ever named it or not.

    Raises:
        PermanentError: it is not registered here, or of a family that this build does not know.
    """
    registered = get_version(connection, version)
    if registered is None:
        raise PermanentError(f"{version} is not registered here.", remedy="See `sentiment-platform models list`.")
    if registered.family not in FAMILIES:
        raise PermanentError(
            f"{version} is of family {registered.family!r}, which this build does not know.",
            remedy="Score with the build that has it, or put its entry into models/families.py.",
        )
    return ScoringVersion(registered.family, registered.version, registered.manifest_digest, (registered.version,))


@dataclass(frozen=True)
class LoadedScorer:
    """A version ready to score texts alone, as `POST /predict` answers a request that names nothing but its text."""

    model: TextReader
    schema: str

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """(n, 3) calibrated probabilities of n normalised texts.

        Raises:
            PermanentError: the model answers with anything but distributions.
        """
        vectors = [COMPUTE[self.schema](text, NO_CONTEXT) for text in texts]
        return self.answers(texts, [[np.nan if value is None else value for value in vector] for vector in vectors])

    def answers(self, texts: Sequence[str], vectors: Sequence[Sequence[float] | Floats]) -> Floats:
        """The same with features that are known: one vector a text, in the order of the schema, NaN where missing."""
        answers = self.model.predict(texts, np.array(vectors, dtype=np.float64))
        if answers.shape != (len(texts), 3) or not np.isfinite(answers).all():
            raise PermanentError(
                "The model answered with other numbers than three probabilities a text.", remedy="Train and publish it again."
            )
        return answers


def load_scorer(access: RegistryAccess, scoring: ScoringVersion) -> LoadedScorer:
    """Fetch (where it is not there yet), verify, load, and try on the golden sentences.

    Raises:
        Refused: it is not what was signed. TransientError: try again later.
        PermanentError: it cannot be loaded, pins features that this build computes otherwise, or answers otherwise than at export.
    """
    directory, manifest = access.fetch(scoring.version, scoring.manifest_digest)
    _require_schema(manifest)
    model = load_model(scoring.family, directory, threads=1)
    require_golden(model, [(sentence.text, sentence.probabilities) for sentence in manifest.golden])
    return LoadedScorer(model, manifest.feature_schema.name)


def _require_schema(manifest: Manifest) -> None:
    wanted = manifest.feature_schema
    known = SCHEMAS.get(wanted.name)
    if known is None or known.hash != wanted.digest:
        raise PermanentError(
            f"{manifest.version} needs feature schema {wanted.name} ({wanted.digest[:12]}), which this build does not compute.",
            remedy="Score with the build that the version was trained with, or train it again.",
        )
