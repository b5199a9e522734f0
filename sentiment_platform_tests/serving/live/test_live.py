"""Claims about what goes live: only what is deployed, signed, whole and proven here; everything else is refused and changes nothing."""

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import psutil
import pytest
from github import Auth, Github

from sentiment_platform.registry.deployment import Shadow
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.manifest import FeatureSchema, Golden
from sentiment_platform.registry.signing import PrivateKeys, generate_private_key
from sentiment_platform.settings import Settings
from sentiment_platform_tests.github_server.faults import Fault
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from sentiment_platform_tests.serving.under_load import TEXT, load

pytestmark = pytest.mark.slow

AWAY = {"REDIS_URL": "redis://127.0.0.1:1/0", "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
KEY = {"X-API-Key": "the-configured-key"}
FIRST, SECOND, THIRD = "v1.0.0-vader", "v1.0.1-vader", "v1.0.2-vader"


def live_version(serving: ServingProcess) -> str:
    return serving.predict(TEXT)["performance"]["model_version"]


def late_answers(seen: list[str], order: list[str]) -> list[int]:
    """How many answers of the version before came after the first one of each version in `order`; any other version fails."""
    late, at = [0] * len(order), 0
    for version in seen:
        if order[at + 1 : at + 2] == [version]:
            at += 1
        elif version != order[at]:
            assert version == order[max(0, at - 1)], "a version that was not live then"
            late[at] += 1
    assert at == len(order) - 1
    return late


def test_thirty_swaps_and_five_rollbacks_under_load_cost_no_answer_mix_no_versions_and_leave_no_memory_behind(
    publisher: Publisher, start_serving: StartServing
) -> None:
    versions = {FIRST: 4.0, SECOND: 2.0, THIRD: 1.0}
    manifests = {version: publisher.model(version, steepness=steepness) for version, steepness in versions.items()}
    publisher.deploy(manifests[FIRST])
    # A busy machine must not shed what this test counts.
    serving = start_serving(SENTIMENT_POLL_S="0.05", SENTIMENT_DEADLINE_MS="5000", SENTIMENT_ADMIN_KEY=KEY["X-API-Key"])
    assert serving.process
    process, resident = psutil.Process(serving.process.pid), list[int]()
    with load(serving.url, clients=2) as seen:
        serving.wait_until(lambda: len(seen) > 50)
        for number in range(1, 31):
            version = (FIRST, SECOND, THIRD)[number % 3]
            publisher.deploy(manifests[version])
            serving.wait_until(lambda version=version: seen[-1][1] == version)
            resident.append(process.memory_info().rss)
        swapped = len(seen)
        # Each swap is counted a moment after it answers.
        serving.wait_until(lambda: metric(serving.client.get("/metrics").text, "serving_swaps_total", outcome="swapped") == 31)
        for number in range(31, 36):
            version = (FIRST, SECOND, THIRD)[number % 3]
            publisher.deploy(manifests[version])
            serving.wait_until(lambda version=version: seen[-1][1] == version and serving.status()["rollback"]["held"])
            reply = serving.client.post("/models/rollback", json={"reason": "test under load"}, headers=KEY)
            assert reply.status_code == 200, reply.text
            back = reply.json()["after"]["vader"]
            assert back != version
            serving.wait_until(lambda back=back: seen[-1][1] == back)
        count = len(seen)
        serving.wait_until(lambda: len(seen) > count + 50)
    assert [one for one in seen if one[0] != 200] == []
    sentiments = {version: {s for _, v, s in seen if v == version} for version in versions}
    assert {version for _, version, _ in seen} == set(sentiments)
    assert [len(values) for values in sentiments.values()] == [1, 1, 1], "one version, one answer"
    assert len(set.union(*sentiments.values())) == 3
    order = [(FIRST, SECOND, THIRD)[number % 3] for number in range(31)]
    # Of two clients one may have been under way at a swap.
    assert max(late_answers([version for _, version, _ in seen[:swapped]], order)) <= 1, "each names what was live"
    assert resident[-1] < 1.05 * resident[9]


def test_a_promotion_is_live_within_two_poll_intervals_of_its_publication(
    publisher: Publisher, start_serving: StartServing
) -> None:
    poll_s = 3.0
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving(SENTIMENT_POLL_S=str(poll_s))
    for version, steepness in ((SECOND, 2.0), (THIRD, 1.0)):
        manifest = publisher.model(version, steepness=steepness)
        polled = serving.status()["registry"]["polled_at"]
        serving.wait_until(lambda polled=polled: serving.status()["registry"]["polled_at"] > polled)
        # A look has just passed: this is the longest wait that there is.
        revision = publisher.deploy(manifest).revision
        published = datetime.now(UTC)
        swap = serving.wait_until(
            lambda revision=revision: (last := serving.status()["last_swap"])["revision"] == revision and last, 10 * poll_s
        )
        assert live_version(serving) == version
        # What the swap itself took, fetching and trying the model, is the machine's.
        waited_s = (datetime.fromisoformat(swap["at"]) - published).total_seconds() - swap["duration_s"]
        assert waited_s <= 2 * poll_s


def test_a_published_version_that_is_not_deployed_is_never_served(publisher: Publisher, start_serving: StartServing) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    publisher.model(SECOND, steepness=1.0)
    polled = serving.status()["registry"]["polled_at"]
    serving.wait_until(lambda: serving.status()["registry"]["polled_at"] > polled)
    assert live_version(serving) == FIRST
    assert SECOND not in serving.client.get("/models/status").text


def test_with_nothing_deployed_it_lives_is_not_ready_and_recovers_by_itself(
    publisher: Publisher, start_serving: StartServing
) -> None:
    serving = start_serving(ready=False)
    assert "deployed" in serving.wait_until(lambda: "deployed" in serving.health()["reason"] and serving.health()["reason"])
    assert serving.client.get("/health").status_code == 503
    reply = serving.client.post("/predict", json={"text": TEXT})
    assert (reply.status_code, reply.json()["code"]) == (503, "not_ready")
    assert reply.headers["retry-after"]
    publisher.deploy(publisher.model(FIRST))
    serving.wait_until(lambda: serving.answers("/health"))
    assert live_version(serving) == FIRST


def corrupt(github_server: ScriptedServer) -> None:
    github_server.faults.add(Fault(kind="flip_bit", path=r"_storage/.*/vader\.json", bit=1003, count=0))


def test_a_corrupted_file_is_refused_the_old_version_answers_and_a_later_good_one_goes_live(
    publisher: Publisher, github_server: ScriptedServer, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    damaged = publisher.model(SECOND, steepness=2.0)
    corrupt(github_server)
    publisher.deploy(damaged)
    candidate = serving.wait_until(lambda: serving.status()["candidate"])
    assert (candidate["outcome"], candidate["reason"], candidate["revision"]) == ("refused", "digest", 2)
    assert SECOND in candidate["versions"]
    assert live_version(serving) == FIRST
    downloads = [record for record in github_server.requests.all() if "_storage" in record.path and "vader.json" in record.path]
    polled = serving.status()["registry"]["polled_at"]
    serving.wait_until(lambda: serving.status()["registry"]["polled_at"] > polled)
    again = [record for record in github_server.requests.all() if "_storage" in record.path and "vader.json" in record.path]
    assert len(again) == len(downloads), "a refused deployment is not downloaded in a loop"
    github_server.faults.clear()
    publisher.deploy(publisher.model(THIRD, steepness=1.0))
    serving.wait_until(lambda: live_version(serving) == THIRD)
    # The new version answers a moment before the books of its swap are closed.
    serving.wait_until(lambda: serving.status()["candidate"] is None)


def test_a_deployment_signed_with_another_key_is_refused(publisher: Publisher, start_serving: StartServing) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    stranger = PrivateKeys.parse(f"operator={generate_private_key()}")
    publisher.deploy(publisher.model(SECOND, steepness=2.0), keys=stranger)
    candidate = serving.wait_until(lambda: serving.status()["candidate"])
    assert (candidate["outcome"], candidate["reason"]) == ("refused", "signature")
    assert live_version(serving) == FIRST
    assert serving.answers("/health")


def test_a_version_without_one_of_its_files_is_refused(
    settings: Settings, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    broken = publisher.model(SECOND, steepness=2.0)
    with Github(
        base_url=settings.registry_url,
        auth=Auth.Token(settings.registry_token),
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    ) as github:
        release = github.get_repo(settings.registry_repository).get_release(SECOND)
        next(asset for asset in release.get_assets() if asset.name == "head.json").delete_asset()
    publisher.deploy(broken)
    candidate = serving.wait_until(lambda: serving.status()["candidate"])
    assert (candidate["outcome"], candidate["reason"]) == ("refused", "missing_file")
    assert live_version(serving) == FIRST


@pytest.mark.parametrize("reason", ["feature_schema", "golden"])
def test_a_well_signed_version_that_cannot_work_here_is_refused(
    reason: str, publisher: Publisher, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    serving = start_serving()
    changes = {
        "feature_schema": {"feature_schema": FeatureSchema("v1", "00" * 32, ("word_count",))},
        "golden": {"golden": (Golden("Profit rose", (0.98, 0.01, 0.01)),)},
    }
    unfit = publisher.model(SECOND, change=lambda manifest: msgspec.structs.replace(manifest, **changes[reason]))
    publisher.deploy(unfit)
    candidate = serving.wait_until(lambda: serving.status()["candidate"])
    assert (candidate["outcome"], candidate["reason"]) == ("refused", reason)
    assert live_version(serving) == FIRST


def test_it_starts_from_its_verified_copy_while_registry_redis_and_database_are_away(
    publisher: Publisher, github_server: ScriptedServer, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    assert start_serving().terminate() == 0
    github_server.stop()
    began = time.monotonic()
    serving = start_serving(**AWAY)
    assert time.monotonic() - began < 10
    assert live_version(serving) == FIRST
    dependencies = serving.wait_until(
        lambda: (
            (d := serving.health()["dependencies"])["registry"]["status"] == "down" and d["postgresql"]["status"] == "down" and d
        )
    )
    assert dependencies["registry"]["message"]


def test_without_a_copy_it_waits_for_the_registry_and_then_recovers(
    publisher: Publisher, github_server: ScriptedServer, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    github_server.stop()
    serving = start_serving(ready=False, **AWAY)
    serving.wait_until(lambda: serving.status()["registry"]["reachable"] is False)
    assert serving.answers("/health/live")
    told = serving.client.get("/health")
    assert (told.status_code, "Reading" in told.json()["reason"]) == (503, True), told.text
    github_server.start()
    serving.wait_until(lambda: serving.answers("/health"), 5)


def test_a_tampered_copy_is_refused_and_fetched_anew(
    settings: Settings, publisher: Publisher, github_server: ScriptedServer, start_serving: StartServing
) -> None:
    manifest = publisher.model(FIRST)
    publisher.deploy(manifest)
    first = start_serving()
    sentiment = first.predict(TEXT)["prediction"]["sentiment"]
    assert first.terminate() == 0
    copy = settings.state_dir / "serving-cache" / digest(manifest) / "vader.json"
    copy.write_bytes(copy.read_bytes().replace(b'"steepness": 4.0', b'"steepness": 1.0'))
    github_server.stop()
    serving = start_serving(ready=False)
    reason = serving.wait_until(lambda: serving.status()["candidate"])["reason"]
    assert reason == "digest"
    assert serving.client.post("/predict", json={"text": TEXT}).status_code == 503
    github_server.start()
    serving.wait_until(lambda: serving.answers("/health"))
    assert serving.predict(TEXT)["prediction"]["sentiment"] == sentiment


def test_an_older_deployment_than_the_one_that_ran_here_is_refused_after_a_restart(
    settings: Settings, tmp_path: Path, publisher: Publisher, github_server: ScriptedServer, start_serving: StartServing
) -> None:
    publisher.deploy(publisher.model(FIRST))
    kept = tmp_path / "as of revision 1"
    github_server.stop()
    shutil.copytree(tmp_path / "github", kept)
    github_server.start()
    publisher.deploy(publisher.model(SECOND, steepness=2.0))
    first = start_serving()
    assert live_version(first) == SECOND
    assert first.terminate() == 0
    # Somebody puts an old registry back, and the model of the newer one is damaged here: nothing may run rather than the old one.
    github_server.stop()
    shutil.rmtree(tmp_path / "github")
    kept.rename(tmp_path / "github")
    for path in (settings.state_dir / "serving-cache").glob("*/vader.json"):
        path.unlink()
    github_server.start()
    serving = start_serving(ready=False)
    serving.wait_until(lambda: (c := serving.status()["candidate"]) and c["reason"] == "older_revision")
    assert serving.client.get("/health").status_code == 503


def test_a_version_in_shadow_is_verified_and_serves_nobody(publisher: Publisher, start_serving: StartServing) -> None:
    champion, challenger = publisher.model(FIRST), publisher.model(SECOND, steepness=2.0)
    publisher.deploy(champion)
    serving = start_serving()
    plan = Shadow(
        name="trial", phase=1, version=SECOND, manifest_digest=digest(challenger), beside=FIRST, share=1.0, daily_cap=1000
    )
    document = msgspec.structs.replace(publisher.document([champion]), shadow=plan)
    publisher.registry.publish_deployment(document, publisher.keys, fence=lambda: None)
    serving.wait_until(lambda: serving.status()["deployment"]["revision"] == 2)
    assert {live_version(serving) for _ in range(20)} == {FIRST}
