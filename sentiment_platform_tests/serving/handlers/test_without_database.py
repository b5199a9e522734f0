"""Every route that reads the database is a problem where there is none, which names the setting. One that is away: test_outages."""

from pathlib import Path

import pytest

from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import refuses

READS = (
    "/models",
    "/models/v1.0.0-vader",
    "/experiments",
    "/predictions/0192f0c0-0000-7000-8000-000000000000",
    "/monitoring/sources",
    "/monitoring/quality",
    "/monitoring/decisions",
    "/monitoring/runs",
    "/models/selections",
    "/monitoring/drift-reports",
    "/models/performance/history?version=v1.0.0-vader",
)
NOT_THERE = {"/models/v1.0.0-vader", READS[3]}


@pytest.mark.slow
def test_without_a_database_reads_are_503_that_names_the_setting_and_with_one_they_are_empty(
    tmp_path: Path, start_serving: StartServing
) -> None:
    none = start_serving(ready=False, DATABASE_URL="")
    back = start_serving(ready=False, SENTIMENT_STATE_DIR=str(tmp_path / "another"))
    back.wait_until(lambda: back.answers("/models"))
    for path in READS:
        assert refuses(none, path, 503, "not_set_up"), path
        reply = none.client.get(path)
        assert "(DATABASE_URL is not set). Set it, and start serving again." in reply.json()["detail"], path
        assert int(reply.headers["retry-after"]) >= 60, path
        assert back.client.get(path).status_code == (404 if path in NOT_THERE else 200), path
    for path, stored in (("/monitoring/service", "stored"), ("/flags", "flags")):
        told, whole = (process.client.get(path).json() for process in (none, back))
        assert (told[stored], "DATABASE_URL is not set" in told["missing"]) == (None, True), "what the process knows is told"
        assert (whole[stored] is None, whole["missing"]) == (False, None)
