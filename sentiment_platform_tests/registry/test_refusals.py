"""Claims about bad releases: whatever is wrong with one, it is refused, with the reason, and nothing is left on disk."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from github import Auth, Github

from sentiment_platform.errors import TransientError
from sentiment_platform.registry.cache import RegistryCache
from sentiment_platform.registry.documents import canonical_json, digest
from sentiment_platform.registry.manifest import FileEntry, Manifest
from sentiment_platform.registry.reader import LatestDeployment, RegistryReader
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.registry.reply_status import RateLimitedError
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform.registry.transfer import Limits
from sentiment_platform_tests.github_server.faults import Fault
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.registry.conftest import REPOSITORY, TOKEN, MakeReader
from sentiment_platform_tests.registry.examples import FILES, deployment_of, manifest_of, new_keys, write_files

VERSION = "v1.0.0-vader"
DIGEST = digest(manifest_of())
STORED_MODEL = "_storage/.*/model.json"
FLIPS = 256


@pytest.fixture
def published(tmp_path: Path, registry: ReleaseRegistry, keys: PrivateKeys) -> None:
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)


@pytest.fixture
def raw_release(server: ScriptedServer):
    """Publishes any files under any tag: what an attacker with write access, but without keys, can do."""
    with Github(
        base_url=server.url, auth=Auth.Token(TOKEN), retry=None, seconds_between_requests=0, seconds_between_writes=0
    ) as github:
        repository = github.get_repo(REPOSITORY)

        def publish(tag: str, files: dict[str, bytes], latest: str = "false") -> None:
            import io

            release = repository.create_git_release(tag, name=tag, message="", draft=True)
            for name, content in files.items():
                release.upload_asset_from_memory(io.BytesIO(content), len(content), name)
            release.update_release(tag, "", draft=False, make_latest=latest)

        publish.repository = repository
        yield publish


def refusal(reader: RegistryReader, cache: Path, version: str = VERSION, manifest_digest: str = DIGEST) -> str:
    with pytest.raises(Refused) as refused:
        reader.fetch_model(version, manifest_digest, cache)
    assert list(cache.iterdir()) == [], "something was left behind"
    return refused.value.reason


def signed(manifest: Manifest, keys: PrivateKeys) -> dict[str, bytes]:
    data = canonical_json(manifest)
    return {"manifest.json": data, "manifest.json.sig": keys.sign("model", data)}


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(kind="truncate_body", path=STORED_MODEL, keep_bytes=100), "size"),
        (Fault(kind="inflate", path=STORED_MODEL, factor=10), "size"),
        (Fault(kind="replace_body", path=STORED_MODEL, body=b"<!DOCTYPE html><title>Sign in</title>"), "size"),
        (Fault(kind="replace_body", path=STORED_MODEL, body=b"\x80\x04\x95" + b"." * len(FILES["model.json"])), "size"),
        (Fault(kind="replace_body", path="_storage/.*/manifest.json", body=b"<html>", count=1), "digest"),
        (Fault(kind="inflate", path="_storage/.*/manifest.json", factor=2000), "size"),
        (Fault(kind="replace_body", path=r"_storage/.*/manifest.json\.sig", body=b"<html>"), "signature"),
        (Fault(kind="replace_body", path="/releases/tags/", body=b"<html>", content_type="text/html"), "format"),
        (Fault(kind="replace_body", path="/releases/tags/", body=b"[" * 200_000), "format"),
        (Fault(kind="status", path="/releases/tags/", status=404), "unpublished"),
    ],
    ids=["truncated", "ten times", "page", "pickle", "manifest page", "manifest huge", "sig page", "reply page", "reply deep", "gone"],
)  # fmt: skip
def test_a_spoiled_download_is_refused_with_its_reason(
    tmp_path: Path, server: ScriptedServer, reader: RegistryReader, fault: Fault, reason: str
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    server.faults.add(fault)
    assert refusal(reader, cache) == reason
    server.faults.clear()
    assert reader.fetch_model(VERSION, DIGEST, cache) == manifest_of(), "the same download without the fault passes"


@pytest.mark.slow
@pytest.mark.usefixtures("published")
def test_a_flipped_bit_anywhere_in_any_file_is_refused(tmp_path: Path, server: ScriptedServer, reader: RegistryReader) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    sizes = {**{name: len(content) for name, content in FILES.items()}, "manifest.json": len(canonical_json(manifest_of()))}
    bits = [(name, bit) for name, size in sizes.items() for bit in range(8 * size)]
    # Evenly over all files, and over the eight bits of a byte: the stride is odd.
    stride = (len(bits) // FLIPS - 1) | 1
    chosen = bits[::stride]
    assert len(chosen) >= FLIPS
    assert {name for name, _ in chosen} == set(sizes)
    assert {bit % 8 for _, bit in chosen} == set(range(8))
    for name, bit in chosen:
        server.faults.clear()
        server.faults.add(Fault(kind="flip_bit", path=f"_storage/[0-9]+/{name}\\?", bit=bit))
        assert refusal(reader, cache) == "digest", f"bit {bit} of {name}"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="cut_connection", path=STORED_MODEL, after_bytes=50),
        Fault(kind="status", path="/releases/tags/", status=502),
        Fault(kind="slow_body", path=STORED_MODEL, chunk_bytes=10, delay_s=0.2),
    ],
    ids=["cut", "502", "drip"],
)
def test_a_network_failure_is_not_a_verdict_on_the_content(
    tmp_path: Path, server: ScriptedServer, make_reader: MakeReader, fault: Fault
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    server.faults.add(fault)
    reader = make_reader(limits=Limits(connect_s=1, read_s=1, total_s=1.5))
    with pytest.raises(TransientError):
        reader.fetch_model(VERSION, DIGEST, cache)
    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("published")
def test_a_rate_limit_is_transient_and_says_how_long(server: ScriptedServer, reader: RegistryReader) -> None:
    from sentiment_platform_tests.github_server.faults import secondary_rate_limit

    server.faults.add(secondary_rate_limit("/releases/latest", retry_after_s=77))
    with pytest.raises(RateLimitedError) as limited:
        reader.poll_latest()
    assert limited.value.retry_after_s == 77


Spoil = Callable[[dict[str, bytes], PrivateKeys], dict[str, bytes]]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda files, keys: {k: v for k, v in files.items() if k != "model.json"}, "missing_file"),
        (lambda files, keys: {k: v for k, v in files.items() if k != "manifest.json"}, "missing_file"),
        (lambda files, keys: {k: v for k, v in files.items() if k != "manifest.json.sig"}, "missing_file"),
        (lambda files, keys: {**files, "weights.pkl": b"\x80\x04."}, "extra_file"),
        (lambda files, keys: {**files, "model.json": files["head.json"], "head.json": files["model.json"]}, "size"),
        (lambda files, keys: {**files, **signed(manifest_of(), new_keys())}, "signature"),
        (lambda files, keys: {**files, "manifest.json.sig": keys.sign("operator", files["manifest.json"])}, "signature"),
        (lambda files, keys: {**files, "manifest.json": files["manifest.json"] + b"\n"}, "digest"),
        (lambda files, keys: {**files, **signed(manifest_of("v1.1.0-vader"), keys)}, "digest"),
    ],
    ids=["missing", "no manifest", "no signature", "extra", "swapped", "stranger", "operator", "edited", "another's manifest"],
)  # fmt: skip
def test_a_release_that_is_not_what_was_signed_is_refused(
    tmp_path: Path, reader: RegistryReader, keys: PrivateKeys, raw_release, spoil: Spoil, reason: str
) -> None:
    raw_release(VERSION, spoil({**FILES, **signed(manifest_of(), keys)}, keys))
    (tmp_path / "cache").mkdir()
    assert refusal(reader, tmp_path / "cache") == reason


def test_another_models_release_under_this_tag_is_refused_even_when_the_deployment_names_its_digest(
    tmp_path: Path, reader: RegistryReader, keys: PrivateKeys, raw_release
) -> None:
    other = manifest_of("v1.1.0-vader")
    raw_release(VERSION, {**FILES, **signed(other, keys)})
    (tmp_path / "cache").mkdir()
    assert refusal(reader, tmp_path / "cache", VERSION, digest(other)) == "wrong_model"


@pytest.mark.parametrize("name", ["../../evil.json", "/etc/evil.json", ".evil.json", "evil.pkl", "a/../b.json"])
def test_a_signed_manifest_with_an_unsafe_name_is_refused_and_writes_nothing(
    tmp_path: Path, reader: RegistryReader, keys: PrivateKeys, raw_release, name: str
) -> None:
    manifest = msgspec.structs.replace(manifest_of(), files={name: FileEntry(digest(b"{}"), 2)})
    raw_release(VERSION, {"evil.json": b"{}", **signed(manifest, keys)})
    (tmp_path / "outer" / "cache").mkdir(parents=True)
    assert refusal(reader, tmp_path / "outer" / "cache", VERSION, digest(manifest)) == "unsafe_name"
    assert not list(tmp_path.rglob("*evil*"))


def test_a_model_over_the_readers_limit_is_refused_before_its_download(
    tmp_path: Path, server: ScriptedServer, make_reader: MakeReader, published: None
) -> None:
    (tmp_path / "cache").mkdir()
    server.requests.clear()
    assert refusal(make_reader(limits=Limits(max_model_bytes=100)), tmp_path / "cache") == "size"
    assert not [record for record in server.requests.all() if "_storage" in record.path and "model.json" in record.path]


def deployed(document, keys: PrivateKeys, signer: PrivateKeys | None = None) -> dict[str, bytes]:
    data = canonical_json(document)
    return {"deployment.json": data, "deployment.json.sig": (signer or keys).sign("operator", data)}


@pytest.mark.usefixtures("published")
def test_an_older_signed_deployment_is_refused(reader: RegistryReader, keys: PrivateKeys, raw_release) -> None:
    first = deployment_of()
    second = deployment_of(previous=first)
    raw_release("deploy-000001", deployed(first, keys), "true")
    with pytest.raises(Refused) as refused:
        reader.poll_latest(known=second)
    assert refused.value.reason == "older_revision"
    raw_release("deploy-000003", deployed(first, keys), "true")
    with pytest.raises(Refused) as refused:
        reader.poll_latest(known=second)
    assert refused.value.reason == "older_revision", "an old document under a new tag"


@pytest.mark.usefixtures("published")
def test_a_deployment_that_does_not_continue_the_running_history_is_refused(
    reader: RegistryReader, keys: PrivateKeys, raw_release
) -> None:
    other_first = deployment_of(reason="another history")
    raw_release("deploy-000001", deployed(other_first, keys), "true")
    with pytest.raises(Refused, match="does not follow"):
        reader.poll_latest(known=deployment_of())
    raw_release("deploy-000002", deployed(deployment_of(previous=other_first), keys), "true")
    with pytest.raises(Refused, match="does not follow"):
        reader.poll_latest(known=deployment_of())
    assert isinstance(reader.poll_latest(known=other_first), LatestDeployment)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("kind", ["stranger", "model key", "edited", "unsigned", "unsigned model"])
def test_a_deployment_that_no_operator_signed_is_refused(
    reader: RegistryReader, keys: PrivateKeys, raw_release, kind: str
) -> None:
    document = deployment_of()
    files = deployed(document, keys)
    reason = "signature"
    if kind == "stranger":
        files = deployed(document, keys, new_keys())
    elif kind == "model key":
        files["deployment.json.sig"] = keys.sign("model", files["deployment.json"])
    elif kind == "edited":
        files["deployment.json"] = files["deployment.json"].replace(b"operator:ada", b"operator:eve")
    elif kind == "unsigned":
        del files["deployment.json.sig"]
        reason = "missing_file"
    else:
        other = manifest_of("v2.0.0-vader")
        raw_release("v2.0.0-vader", {**FILES, **signed(other, new_keys())})
        files = deployed(deployment_of(other), keys)
    raw_release("deploy-000001", files, "true")
    with pytest.raises(Refused) as refused:
        reader.poll_latest()
    assert refused.value.reason == reason


@pytest.mark.usefixtures("published")
def test_a_cached_copy_is_verified_again_and_kept_only_when_good(
    tmp_path: Path, server: ScriptedServer, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    document = deployment_of()
    registry.publish_deployment(document, keys, fence=lambda: None)
    latest = reader.poll_latest()
    assert isinstance(latest, LatestDeployment)
    cache = RegistryCache(tmp_path / "cache", keys.public())
    assert cache.kept_deployment() is None
    reader.fetch_model(VERSION, DIGEST, cache.folder)
    cache.keep_deployment(latest)
    cache.keep_deployment(latest)
    server.stop()
    assert cache.kept_deployment() == document
    assert cache.verified_model(VERSION, DIGEST) == manifest_of()
    good = tmp_path / "good"
    shutil.copytree(cache.path(DIGEST), good)

    def outcome(change: Callable[[Path], object]) -> str:
        shutil.rmtree(cache.path(DIGEST))
        shutil.copytree(good, cache.path(DIGEST))
        change(cache.path(DIGEST))
        with pytest.raises(Refused) as refused:
            cache.verified_model(VERSION, DIGEST)
        return refused.value.reason

    secret = tmp_path / "model.json"
    secret.write_bytes(FILES["model.json"])
    model = FILES["model.json"]
    assert outcome(lambda folder: (folder / "model.json").write_bytes(model[:-1])) == "size"
    assert outcome(lambda folder: (folder / "model.json").write_bytes(model.replace(b"0.5", b"0.6"))) == "digest"
    assert outcome(lambda folder: (folder / "model.json").unlink()) == "missing_file"
    assert outcome(lambda folder: (folder / "x.pkl").write_bytes(b"x")) == "extra_file"
    assert (
        outcome(lambda folder: ((folder / "model.json").unlink(), (folder / "model.json").symlink_to(secret))) == "missing_file"
    )
    assert outcome(lambda folder: (folder / "manifest.json.sig").write_bytes(b"{}")) == "signature"
    assert outcome(lambda folder: (folder / "manifest.json").write_bytes(b"{}")) == "digest"
    server.start()
    assert reader.fetch_model(VERSION, DIGEST, cache.folder) == manifest_of(), "a bad copy is replaced"
    assert cache.verified_model(VERSION, DIGEST) == manifest_of()
    (cache.folder / str(document.tag) / "deployment.json").write_bytes(b"{}")
    assert cache.kept_deployment() is None
    cache.prune(keep=set())
    assert not cache.path(DIGEST).exists()


@pytest.mark.usefixtures("published")
def test_a_link_in_place_of_the_cached_folder_is_replaced_and_its_target_left_alone(
    tmp_path: Path, reader: RegistryReader
) -> None:
    cache, elsewhere = tmp_path / "cache", write_files(tmp_path / "elsewhere")
    cache.mkdir()
    (cache / DIGEST).symlink_to(elsewhere)
    reader.fetch_model(VERSION, DIGEST, cache)
    assert not (cache / DIGEST).is_symlink()
    assert sorted(path.name for path in elsewhere.iterdir()) == sorted(FILES)


def test_a_reply_without_a_digest_field_is_polled_without_downloading_again(
    server: ScriptedServer, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys, published: None
) -> None:
    import httpx

    registry.publish_deployment(deployment_of(), keys, fence=lambda: None)
    latest = reader.poll_latest()
    assert isinstance(latest, LatestDeployment)
    reply = httpx.get(f"{server.url}/repos/{REPOSITORY}/releases/latest").json()
    for asset in reply["assets"]:
        del asset["digest"]
    server.faults.add(Fault(kind="replace_body", path="/releases/latest", body=json.dumps(reply).encode()))
    server.requests.clear()
    reader.poll_latest(known=latest.document)
    assert len(server.requests.all()) == 1
