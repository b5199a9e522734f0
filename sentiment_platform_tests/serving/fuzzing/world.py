"""A serving process with all that its routes may be asked about: two deployments, an alert, a drift report, an answer, keys."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text

from sentiment_platform.clock import utc_now
from sentiment_platform.flags import FLAGS
from sentiment_platform.models.transformer.runtime import load_transformer
from sentiment_platform.monitoring.drift import measure_drift
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.incidents import Incident, open_incident
from sentiment_platform_tests.models.exported_tiny_transformer import export_tiny_transformer
from sentiment_platform_tests.monitoring.seeding import NOW, seed_deployed, seed_weeks
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess


@dataclass(frozen=True)
class World:
    """The process, an admin's key, and the values that exist, by the name of the parameter or field that takes them."""

    serving: ServingProcess
    key: str
    known: dict[str, list[str]]


@contextmanager
def world(settings: Settings, *, transformer: bool = False) -> Generator[World]:
    """Over the servers of `settings`, whose database is migrated and empty.

    Args:
        transformer: a very small real one answers too, which takes ten seconds to train.
    """
    engine = create_platform_engine(settings.database_url)
    seed_deployed(engine)
    seed_weeks(engine, range(5))
    report = measure_drift(engine, NOW)
    with engine.begin() as connection:
        # What was seeded as deployed has no release; what the publisher deploys begins with the first revision.
        connection.execute(text("DELETE FROM platform.deployments"))
    publisher = Publisher(settings, engine)
    first, second, never = (publisher.model(f"v2.0.{number}-vader", steepness=4.0 + number) for number in range(3))
    others = [_transformer(publisher)] if transformer else []
    for vader in (first, second):
        publisher.deploy(vader, *others)
    incident = Incident(fingerprint="disk", category="system", severity="warning", source="tests", summary="A disk is full.")
    with engine.begin() as connection:
        open_incident(connection, incident, utc_now())
        key = create_key(connection, "admin", "fuzzing")
    engine.dispose()
    # Each run says from where it comes (`values.before_call`).
    serving = ServingProcess(settings, SENTIMENT_DEADLINE_MS="10000", SENTIMENT_TRUSTED_PROXIES="127.0.0.1")
    try:
        serving.start()
        known = {
            "prediction_id": [serving.predict()["prediction_id"]],
            "version": [each.version for each in (first, second, never)],
            "report_id": [report.report_id],
            "incident_id": [row["id"] for row in serving.client.get("/monitoring/alerts").json()["incidents"]],
            "family": ["vader"],
            "name": list(FLAGS),
        }
        yield World(serving, key, known)
    finally:
        serving.stop()
        publisher.close()


def _transformer(publisher: Publisher) -> Manifest:
    with TemporaryDirectory() as folder, TemporaryDirectory() as checkpoint:
        export_tiny_transformer(Path(folder), Path(checkpoint))
        return publisher.publish(Path(folder), "v2.0.0-finbert", load_transformer(Path(folder)))
