"""One model version from the registry (or the disk cache) to something that answers; refused at the first doubt.

Order: fetch, signature and digests (`registry`), feature schema, a trial in a process of its own (`trial`), load, golden sentences.
Nothing here knows what is live.
"""

from dataclasses import dataclass

from sentiment_platform.errors import PermanentError
from sentiment_platform.features.schema import SCHEMAS, FeatureSchema
from sentiment_platform.models.evaluation.golden import require_golden
from sentiment_platform.models.families import FAMILIES, load_model
from sentiment_platform.models.family import Model
from sentiment_platform.models.reading import TextReader
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.refusal import Refused
from serving.live.machine import Machine
from serving.live.model_cost import UNMEASURED, ModelCost
from serving.live.model_refused import ModelRefused
from serving.live.trial import Trials
from serving.work.runner import ModelRunner
from serving.work.scheduler import Scheduler


@dataclass(frozen=True, eq=False, kw_only=True)
class LoadedVersion:
    """A version ready to answer; immutable, so a request that holds it keeps it through any swap."""

    family: str
    version: str
    manifest_digest: str
    manifest: Manifest
    schema: FeatureSchema
    model: TextReader
    runner: ModelRunner
    cost: ModelCost = UNMEASURED


class ModelLoader:
    """Loads versions; blocking, for a thread.

    Args:
        reader: None where no registry is configured; only the cache is used then.
        scheduler: of the threads on which models run.
        machine: whose processes share the cache: one at a time prepares and loads.
    """

    def __init__(
        self, cache: RegistryCache, reader: RegistryReader | None, trials: Trials, scheduler: Scheduler, machine: Machine
    ) -> None:
        self.machine = machine
        self._cache = cache
        self._trials = trials
        self._reader = reader
        self._scheduler = scheduler

    def prepare(self, family: str, version: str, manifest_digest: str, *, cached_only: bool = False) -> Manifest:
        """Fetch and verify `version`; nothing of it is loaded yet.

        Raises:
            Refused: it is not what was signed. ModelRefused: it cannot be served here. TransientError: try again later.
        """
        if family not in FAMILIES:
            raise ModelRefused(
                f"{version} is of family {family!r}, which this build does not know.",
                reason="unknown_family",
                remedy=f"It knows {', '.join(FAMILIES)}: upgrade this process.",
            )
        if cached_only or self._reader is None:
            manifest = self._cache.verified_model(version, manifest_digest)
        else:
            manifest = self._fetched(self._reader, version, manifest_digest)
        require_schema(manifest)
        return manifest

    def load(self, manifest: Manifest, manifest_digest: str, *, before_ms: float | None = None) -> LoadedVersion:
        """Try and load what was prepared. `before_ms`: of a text with the version whose place it takes.

        Raises:
            ModelRefused: it cannot be served here. TransientError: try again later.
        """
        family, version, schema = manifest.family, manifest.version, require_schema(manifest)
        cost = self._trials.require(manifest, manifest_digest, before_ms=before_ms)
        try:
            model = load_model(family, self._cache.path(manifest_digest), threads=1)
        except Exception as error:
            raise ModelRefused(
                f"{version} cannot be loaded: {error}", reason="load", remedy="Publish a new version; what runs stays."
            ) from error
        require_same_answers(model, manifest)
        runner = ModelRunner(family, model, self._scheduler, version)
        runner.try_out([sentence.text for sentence in manifest.golden], len(schema.names))
        return LoadedVersion(
            family=family,
            version=version,
            manifest_digest=manifest_digest,
            manifest=manifest,
            schema=schema,
            model=model,
            runner=runner,
            cost=cost,
        )

    def forget_all_but(self, digests: set[str]) -> None:
        """Keep no verdict of a trial on other versions than these."""
        self._trials.forget_all_but(digests)

    def _fetched(self, reader: RegistryReader, version: str, manifest_digest: str) -> Manifest:
        # A good copy needs no registry: switching back works while GitHub is down.
        try:
            return self._cache.verified_model(version, manifest_digest)
        except Refused:
            return reader.fetch_model(version, manifest_digest, self._cache.folder)


def require_schema(manifest: Manifest) -> FeatureSchema:
    """The feature schema that the manifest pins, if this build computes exactly that one."""
    wanted = manifest.feature_schema
    known = SCHEMAS.get(wanted.name)
    if known is None or known.hash != wanted.digest or known.names != wanted.features:
        raise ModelRefused(
            f"{manifest.version} needs feature schema {wanted.name} ({wanted.digest[:12]}); this build has "
            + ", ".join(f"{schema.version} ({schema.hash[:12]})" for schema in SCHEMAS.values())
            + ".",
            reason="feature_schema",
            remedy="Run the build that the version was trained with, or train it again.",
        )
    return known


def require_same_answers(model: Model, manifest: Manifest) -> None:
    """Refuse unless the model answers the manifest's golden sentences here as it did at export."""
    try:
        if not manifest.golden:
            raise PermanentError("It has no golden sentences.", remedy="Publish it with some.")
        require_golden(model, [(sentence.text, sentence.probabilities) for sentence in manifest.golden])
    except Exception as error:
        raise ModelRefused(
            f"{manifest.version} is not shown to work here: {error}", reason="golden", remedy="What runs stays."
        ) from error
