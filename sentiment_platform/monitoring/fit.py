"""How far is what is asked from what a version was trained on? Told once a version; no alarm, and no cause to train again.

A version serves the world as it is: against a training set of another source everything differs, on the first day and for good.
"""

import json
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection

from sentiment_platform.monitoring.judging import judge
from sentiment_platform.monitoring.samples import fit_samples
from sentiment_platform.monitoring.severity import TEXT
from sentiment_platform.monitoring.stored_reports import distribution_of, rows_to_store
from sentiment_platform.monitoring.windows import MIN_TEXTS
from sentiment_platform.store.drift import fit_rows, write_distributions, write_drift_rows
from sentiment_platform.store.predictions import ServedPrediction
from sentiment_platform.store.versions import RegisteredVersion


def tell_fit(connection: Connection, version: RegisteredVersion, served: Sequence[ServedPrediction]) -> None:
    """Compare the stories `served` with the training set of `version` and store that, unless it was told before or they are too few."""
    if len(served) < MIN_TEXTS or fit_rows(connection, version.version):
        return
    samples, texts = fit_samples(connection, version, served)
    if not texts.reference:
        return
    rows = judge(samples, texts, min_rows=MIN_TEXTS)
    report_id = sha256(json.dumps(["fit", version.version, version.training_set]).encode()).hexdigest()[:32]
    reference = {sample.subject: f"{version.version}:{sample.part}" for sample in samples}
    reference[TEXT] = f"{version.version}:{texts.part}"
    times = [row.predicted_at for row in served]
    write_drift_rows(connection, rows_to_store(rows, report_id=report_id, reference=reference, window=(min(times), max(times))))
    write_distributions(connection, [distribution_of(report_id, sample) for sample in samples])
