"""What the journal keeps of a prediction: enough to score it, explain it and compute its features' drift without asking anybody."""

import logging
from collections.abc import Callable
from hashlib import sha256

import msgspec

from sentiment_platform.clock import Clock
from sentiment_platform.text.normalise import text_hash
from serving.journal.journal import Journal, JournalUnavailable
from serving.journal.journal_records import PredictionRecord
from serving.journal.prediction_ids import PredictionIds
from serving.live.snapshot import Snapshot
from serving.metrics import Metrics
from serving.predict.executor import Outcome
from serving.predict.online_features import Input
from serving.predict.plan import Assigned
from serving.watch.process_figures import instance_name

logger = logging.getLogger(__name__)


class PredictionJournal:
    """Writes predictions; one that the journal cannot take is answered all the same, counted and logged. `observe` sees each."""

    def __init__(
        self,
        journal: Journal,
        ids: PredictionIds,
        observe: Callable[[PredictionRecord], object],
        metrics: Metrics,
        *,
        clock: Clock,
    ) -> None:
        self._observe = observe
        self._journal = journal
        self._ids = ids
        self._metrics = metrics
        self._clock = clock
        self._instance = instance_name()
        self._failing = False

    def new_id(self) -> str:
        """The id of a prediction that will be written."""
        return self._ids.new(self._clock().timestamp())

    def write(
        self,
        identity: str,
        live: Snapshot,
        outcome: Outcome,
        request: Input,
        *,
        route: str,
        total_ms: float,
        assigned: Assigned | None = None,
    ) -> None:
        """Hand the prediction to the operating system, before its answer is sent. `assigned`: the arm that it belongs to."""
        scored = outcome.scored
        values = list(scored.features.values)
        record = PredictionRecord(
            id=identity,
            predicted_at=self._clock(),
            route=route,
            family=scored.model.family,
            model_version=scored.model.version,
            manifest_digest=scored.model.manifest_digest,
            deployment_revision=live.deployment.revision,
            experiment=assigned.experiment if assigned else None,
            arm=assigned.arm if assigned else None,
            unit=assigned.unit if assigned else None,
            text=request.text,
            text_hash=text_hash(request.text),
            ticker=request.ticker,
            source=request.source,
            published_at=request.published_at,
            feature_schema=scored.model.schema.version,
            features=values,
            features_hash=sha256(msgspec.json.encode(values)).hexdigest(),
            feature_status=scored.features.status,
            probabilities=list(scored.probabilities),
            sentiment=scored.sentiment,
            confidence=scored.confidence,
            supported=request.supported,
            traffic=request.traffic,
            cache_hit=scored.cache_hit,
            degraded=outcome.degraded_reason is not None,
            degraded_reason=outcome.degraded_reason,
            path=outcome.path,
            instead_of=outcome.instead_of,
            latency_ms={"total": total_ms, "inference": round(scored.inference_ms, 3)},
            instance=self._instance,
        )
        self._metrics.count_answer(record.family, record.model_version, record.arm if record.instead_of is None else None)
        self._observe(record)
        try:
            self._journal.append(record)
            self._failing = False
        except JournalUnavailable as error:
            self._metrics.journal_dropped.inc()
            if not self._failing:
                logger.error("predictions are answered but not recorded: %s", error)
            self._failing = True
