"""Claims about who hears that serving does not run what was deployed: a real process, registry, database and receiver of alerts.

What it refused stays in the audit trail as well.
"""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest
from sqlalchemy import Engine, select

from sentiment_platform.alerts import assets
from sentiment_platform.settings import Settings
from sentiment_platform.store import audit
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.tables import AuditRow
from sentiment_platform_tests.alerts.sink import Sink, running_sink
from sentiment_platform_tests.github_server.faults import Fault
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import NOW, Publisher

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


class Monitoring:
    """The asset `alerts` over the platform of `settings`, a minute after the deployments."""

    def __init__(self, settings: Settings, sink: Sink) -> None:
        self._overrides = {"DATABASE_URL": settings.database_url, "SENTIMENT_ALERT_WEBHOOK": sink.url}
        self._overrides |= {"SENTIMENT_ALERT_SECRET": "secret of the tests"}

    def look(self, serving_url: str, times: int = 1) -> None:
        overrides = self._overrides | {"SENTIMENT_SERVING_URL": serving_url}
        for _ in range(times):
            platform = PlatformResource(overrides=overrides, fixed_now=(NOW + timedelta(minutes=1)).isoformat())
            with dg.DagsterInstance.ephemeral() as instance:
                assert dg.materialize([assets.alerts], instance=instance, resources={"platform": platform}).success


@pytest.fixture
def monitoring(settings: Settings, sink: Sink) -> Monitoring:
    return Monitoring(settings, sink)


def audited_refusals(engine: Engine) -> list[tuple[str, str, str, list[str]]]:
    """(actor, subject, reason, versions) of every refusal in the trail, which itself must be whole."""
    with engine.connect() as connection:
        assert audit.verify(connection) == []
        rows = connection.execute(select(AuditRow.__table__).where(AuditRow.action == "deployment:refused").order_by(AuditRow.id))
        return [(row.actor, row.subject, row.detail["reason"], row.detail["versions"]) for row in rows]


def test_a_deployed_version_that_arrives_corrupted_is_told_and_audited_once_and_told_once_more_when_a_good_one_runs(
    publisher: Publisher,
    github_server: ScriptedServer,
    start_serving: StartServing,
    monitoring: Monitoring,
    sink: Sink,
    engine: Engine,
) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    monitoring.look(serving.url)
    assert sink.told == []  # the control: what was deployed runs
    assert audited_refusals(engine) == []
    damaged = publisher.model(SECOND, steepness=2.0)
    github_server.faults.add(Fault(kind="flip_bit", path=r"_storage/.*/vader\.json", bit=1003, count=0))
    publisher.deploy(damaged)
    serving.wait_until(lambda: serving.status()["candidate"])
    monitoring.look(serving.url, times=3)
    assert sink.told == [("open", "deployment:2")]
    incident = sink.messages[0]["incident"]
    assert (incident["class"], incident["severity"]) == ("deployment", "critical")
    assert f"refuses revision 2 ({SECOND}, digest) and runs revision 1." in incident["summary"]
    audited = [("serving", "deploy-000002", "digest", [SECOND])]
    assert audited_refusals(engine) == audited
    assert serving.predict()["performance"]["model_version"] == FIRST
    github_server.faults.clear()
    publisher.deploy(publisher.model(THIRD, steepness=1.0))
    serving.wait_until(lambda: serving.status()["deployment"]["revision"] == 3 and not serving.status()["candidate"])
    monitoring.look(serving.url, times=3)
    assert sink.told == [("open", "deployment:2"), ("resolve", "deployment:2")]
    assert audited_refusals(engine) == audited


def test_serving_that_ended_is_told_where_something_is_deployed_and_resolves_nothing_else(
    publisher: Publisher, github_server: ScriptedServer, start_serving: StartServing, monitoring: Monitoring, sink: Sink
) -> None:
    serving = start_serving(ready=False)
    url = serving.url
    serving.terminate()
    monitoring.look(url)
    assert sink.told == []  # the control: a fresh platform
    publisher.deploy(publisher.model(FIRST))
    monitoring.look("")
    assert sink.told == []  # and one whose serving nobody watches
    again = start_serving()
    damaged = publisher.model(SECOND, steepness=2.0)
    github_server.faults.add(Fault(kind="flip_bit", path=r"_storage/.*/vader\.json", bit=1003, count=0))
    publisher.deploy(damaged)
    again.wait_until(lambda: again.status()["candidate"])
    monitoring.look(again.url)
    again.terminate()
    monitoring.look(again.url, times=2)
    assert sink.told == [("open", "deployment:2"), ("open", "serving")]
    assert sink.messages[1]["incident"]["class"] == "system"
    assert "ConnectError" in sink.messages[1]["incident"]["summary"]
    back = start_serving()
    back.wait_until(lambda: back.status()["candidate"])
    monitoring.look(back.url, times=2)
    assert sink.told[2:] == [("resolve", "serving")]
