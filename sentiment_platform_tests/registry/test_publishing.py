"""Claims about publishing models and deployments, and about reading them back."""

from pathlib import Path

import pytest

from sentiment_platform.errors import ConflictError, SettingsError, TransientError
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.reader import LatestDeployment, RegistryReader, Unchanged
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform_tests.github_server.faults import secondary_rate_limit
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.registry.conftest import REPOSITORY, TOKEN, MakeReader, MakeRegistry
from sentiment_platform_tests.registry.examples import FILES, deployment_of, manifest_of, write_files


def no_fence() -> None:
    """A lease that is never lost."""


def test_a_published_model_and_deployment_arrive_at_the_reader(
    tmp_path: Path, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    manifest = manifest_of()
    model = registry.publish_model(write_files(tmp_path / "model"), manifest, keys)
    assert reader.poll_latest() is None, "a model alone is no deployment"
    document = deployment_of(manifest)
    published = registry.publish_deployment(document, keys, fence=no_fence)
    latest = reader.poll_latest()
    assert isinstance(latest, LatestDeployment)
    assert latest.document == document
    assert latest.manifests == {"v1.0.0-vader": manifest}
    assert (published.revision, published.digest) == (1, digest(document))
    fetched = reader.fetch_model("v1.0.0-vader", model.manifest_digest, tmp_path / "cache")
    assert fetched == manifest
    folder = tmp_path / "cache" / model.manifest_digest
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [model.manifest_digest]


def test_polling_an_unchanged_deployment_settles_to_one_free_request(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    registry.publish_deployment(deployment_of(), keys, fence=no_fence)
    first = reader.poll_latest()
    assert isinstance(first, LatestDeployment)
    server.requests.clear()
    # The downloads of the first poll changed the release's download counts, and with them its ETag.
    settled = reader.poll_latest(first.etag, known=first.document)
    assert isinstance(settled, Unchanged)
    again = reader.poll_latest(settled.etag, known=first.document)
    assert again == settled
    assert [record.status for record in server.requests.all()] == [200, 304]
    assert server.requests.counted() == 1
    second = deployment_of(previous=first.document)
    registry.publish_deployment(second, keys, fence=no_fence)
    fresh = reader.poll_latest(first.etag, known=first.document)
    assert isinstance(fresh, LatestDeployment)
    assert fresh.document == second


def test_a_public_registry_is_read_without_a_token_and_without_using_up_the_hourly_calls(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, make_reader: MakeReader, keys: PrivateKeys
) -> None:
    model = registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    registry.publish_deployment(deployment_of(), keys, fence=no_fence)
    server.requests.clear()
    reader = make_reader(token="")
    assert isinstance(reader.poll_latest(), LatestDeployment)
    reader.fetch_model("v1.0.0-vader", model.manifest_digest, tmp_path / "cache")
    assert server.requests.counted() == 3
    assert {record.authorization for record in server.requests.all()} == {"absent"}


def test_a_latest_release_that_is_no_deployment_is_passed_over(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    from github import Auth, Github

    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    document = deployment_of()
    registry.publish_deployment(document, keys, fence=no_fence)
    document = deployment_of(previous=document)
    registry.publish_deployment(document, keys, fence=no_fence)
    with Github(
        base_url=server.url, auth=Auth.Token("writer-token"), seconds_between_requests=0, seconds_between_writes=0
    ) as github:
        github.get_repo("acme/registry").create_git_release("0.2.0", name="project", message="", make_latest="true")
    latest = reader.poll_latest()
    assert isinstance(latest, LatestDeployment)
    assert latest.document == document


def test_publishing_twice_changes_nothing(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, keys: PrivateKeys
) -> None:
    folder = write_files(tmp_path / "model")
    first = registry.publish_model(folder, manifest_of(), keys)
    deployed = registry.publish_deployment(deployment_of(), keys, fence=no_fence)
    server.requests.clear()
    assert registry.publish_model(folder, manifest_of(), keys) == first
    assert registry.publish_deployment(deployment_of(), keys, fence=no_fence) == deployed
    assert {record.method for record in server.requests.all()} == {"GET"}


def test_the_release_text_shows_the_metrics_with_their_intervals(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, keys: PrivateKeys
) -> None:
    import httpx

    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    body = httpx.get(f"{server.url}/repos/acme/registry/releases/tags/v1.0.0-vader").json()["body"]
    assert "| macro_f1 | 0.7100 | 0.6800 to 0.7400 | 970 | holdout |" in body


def test_the_manifest_is_uploaded_last(tmp_path: Path, make_registry: MakeRegistry, keys: PrivateKeys) -> None:
    steps: list[str] = []
    make_registry(steps.append).publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    assert steps == [
        "draft created",
        "head.json uploaded",
        "model.json uploaded",
        "manifest.json.sig uploaded",
        "manifest.json uploaded",
        "published",
    ]


def test_a_version_cannot_be_published_again_with_other_content(
    tmp_path: Path, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    model = registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    other = {"model.json": b'{"other": 1}'}
    with pytest.raises(ConflictError, match="other content"):
        registry.publish_model(write_files(tmp_path / "other", other), manifest_of(files=other), keys)
    assert reader.manifest("v1.0.0-vader", model.manifest_digest) == manifest_of()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: (folder / "model.json").write_bytes(b"{}"), "size"),
        (lambda folder: (folder / "model.json").write_bytes(FILES["model.json"].replace(b"0.5", b"0.6")), "digest"),
        (lambda folder: (folder / "model.json").unlink(), "missing_file"),
        (lambda folder: (folder / "extra.json").write_bytes(b"{}"), "extra_file"),
        (lambda folder: ((folder / "model.json").unlink(), (folder / "model.json").symlink_to("/etc/hostname")), "missing_file"),
    ],
    ids=["size", "digest", "missing", "extra", "symlink"],
)
def test_a_folder_that_is_not_what_the_manifest_says_is_not_published(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, keys: PrivateKeys, change, reason: str
) -> None:
    folder = write_files(tmp_path / "model")
    change(folder)
    with pytest.raises(Refused) as refused:
        registry.publish_model(folder, manifest_of(), keys)
    assert refused.value.reason == reason
    assert server.requests.all() == []


def test_a_deployment_of_an_unpublished_or_unsigned_version_is_refused(
    tmp_path: Path, registry: ReleaseRegistry, keys: PrivateKeys
) -> None:
    with pytest.raises(Refused) as refused:
        registry.publish_deployment(deployment_of(), keys, fence=no_fence)
    assert refused.value.reason == "unpublished"
    stranger = PrivateKeys({"model": b"x" * 32})
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), stranger)
    with pytest.raises(Refused) as refused:
        registry.publish_deployment(deployment_of(), keys, fence=no_fence)
    assert refused.value.reason == "signature"
    assert registry.history() == []


def test_a_process_without_the_operator_key_cannot_deploy(tmp_path: Path, registry: ReleaseRegistry, keys: PrivateKeys) -> None:
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    with pytest.raises(SettingsError, match="operator"):
        registry.publish_deployment(deployment_of(), PrivateKeys({"model": keys.seeds["model"]}), fence=no_fence)


def test_history_models_and_the_next_numbers_are_listed(tmp_path: Path, registry: ReleaseRegistry, keys: PrivateKeys) -> None:
    assert registry.previous() is None
    for version in ("v1.10.0-vader", "v1.2.0-vader", "v1.0.0-finbert"):
        registry.publish_model(write_files(tmp_path / "model"), manifest_of(version), keys)
    document = deployment_of(manifest_of("v1.2.0-vader"))
    registry.publish_deployment(document, keys, fence=no_fence)
    second = deployment_of(manifest_of("v1.10.0-vader"), previous=document)
    registry.publish_deployment(second, keys, fence=no_fence)
    assert [model.version for model in registry.list_models()] == ["v1.0.0-finbert", "v1.2.0-vader", "v1.10.0-vader"]
    assert registry.list_models()[1].manifest_digest == digest(manifest_of("v1.2.0-vader"))
    assert [(entry.revision, entry.digest) for entry in registry.history()] == [(1, digest(document)), (2, digest(second))]
    assert registry.deployment(1) == document
    assert registry.previous() == second.as_previous()
    assert str(registry.next_version("vader", "minor")) == "v1.11.0-vader"
    assert str(registry.next_version("other", "patch")) == "v1.0.0-other"


def test_a_deployment_that_does_not_follow_from_the_published_one_is_a_conflict(
    tmp_path: Path, registry: ReleaseRegistry, keys: PrivateKeys
) -> None:
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    first = deployment_of()
    registry.publish_deployment(first, keys, fence=no_fence)
    forged = deployment_of(previous=deployment_of(reason="another history"))
    skipping = deployment_of(previous=deployment_of(previous=first))
    for document in (forged, skipping, deployment_of(reason="also first")):
        with pytest.raises(ConflictError):
            registry.publish_deployment(document, keys, fence=no_fence)
    assert len(registry.history()) == 1


def test_a_writer_whose_lease_is_lost_publishes_nothing_and_leaves_nothing(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, keys: PrivateKeys
) -> None:
    import httpx

    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)

    def lost() -> None:
        raise ConflictError("The lease is lost.", remedy="Stop.")

    with pytest.raises(ConflictError, match="lease"):
        registry.publish_deployment(deployment_of(), keys, fence=lost)
    assert registry.history() == []
    listed = httpx.get(f"{server.url}/repos/{REPOSITORY}/releases", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    assert [(release["tag_name"], release["draft"]) for release in listed] == [("v1.0.0-vader", False)], "no draft is left"


def test_an_abandoned_tag_is_a_conflict_until_its_writer_is_dead_and_then_adopted(
    tmp_path: Path, make_registry: MakeRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    registry = make_registry()
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)

    class Killed(BaseException):
        pass

    def die(step: str) -> None:
        if step == "tag taken":
            raise Killed

    with pytest.raises(Killed):
        make_registry(die).publish_deployment(deployment_of(actor="dead"), keys, fence=no_fence)
    mine = deployment_of(actor="heir")
    with pytest.raises(ConflictError, match="taken"):
        registry.publish_deployment(mine, keys, fence=no_fence, adopt_abandoned=lambda: False)
    assert reader.poll_latest() is None
    registry.publish_deployment(mine, keys, fence=no_fence, adopt_abandoned=lambda: True)
    latest = reader.poll_latest()
    assert isinstance(latest, LatestDeployment)
    assert latest.document == mine
    with pytest.raises(ConflictError):
        make_registry().publish_deployment(deployment_of(actor="dead"), keys, fence=no_fence, adopt_abandoned=lambda: True)


def test_a_rate_limit_never_holds_the_caller_longer_than_asked(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys
) -> None:
    import time

    server.faults.add(secondary_rate_limit("/releases", method="POST", retry_after_s=3600, count=0))
    started = time.monotonic()
    with pytest.raises(TransientError, match="later"):
        make_registry(max_wait_s=5).publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    assert time.monotonic() - started < 4
    server.faults.clear()
    server.faults.add(secondary_rate_limit("/releases", method="POST", retry_after_s=1))
    assert make_registry(max_wait_s=5).publish_model(tmp_path / "model", manifest_of(), keys).version == "v1.0.0-vader"
