"""Claims about writers that die, answers that get lost, and writers that meet."""

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import pytest

from sentiment_platform.errors import ConflictError, PlatformError
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import digest
from sentiment_platform.registry.reader import LatestDeployment, RegistryReader
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform_tests.github_server.faults import Fault
from sentiment_platform_tests.github_server.scripted import ScriptedServer
from sentiment_platform_tests.registry.conftest import REPOSITORY, TOKEN, MakeRegistry
from sentiment_platform_tests.registry.examples import FILES, NOW, deployment_of, manifest_of, write_files

pytestmark = pytest.mark.slow

VERSION = "v1.0.0-vader"
MODEL_FILES = {*FILES, "manifest.json", "manifest.json.sig"}
DEPLOYMENT_FILES = {"deployment.json", "deployment.json.sig"}


class Killed(BaseException):
    """Like a kill: nothing in the platform catches it."""


def killer(after: int) -> Callable[[str], None]:
    """A step callback that dies at the side effect number `after` (from 0)."""
    left = [after]

    def step(_: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    return step


def steps_of(make_registry: MakeRegistry, publish: Callable[[ReleaseRegistry], object]) -> list[str]:
    steps: list[str] = []
    publish(make_registry(steps.append))
    return steps


def releases(server: ScriptedServer, tag: str) -> list[tuple[bool, set[str], set[str]]]:
    """(draft, file names, states of the files) of every release of `tag`, as a writer sees them."""
    reply = httpx.get(
        f"{server.url}/repos/{REPOSITORY}/releases?per_page=100", headers={"Authorization": f"Bearer {TOKEN}"}
    ).json()
    return [
        (r["draft"], {a["name"] for a in r["assets"]}, {a["state"] for a in r["assets"]}) for r in reply if r["tag_name"] == tag
    ]


def test_a_crash_after_any_step_of_a_model_is_repaired_by_running_again(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    folder = write_files(tmp_path / "model")
    total = len(steps_of(make_registry, lambda registry: registry.publish_model(folder, manifest_of("v0.1.0-vader"), keys)))
    assert total == 6
    for crash in range(total):
        manifest = manifest_of(f"v1.{crash}.0-vader")
        with pytest.raises(Killed):
            make_registry(killer(crash)).publish_model(folder, manifest, keys)
        if crash < total - 1:
            with pytest.raises(PlatformError):
                reader.manifest(manifest.version, digest(manifest))
        make_registry().publish_model(folder, manifest, keys)
        assert releases(server, manifest.version) == [(False, MODEL_FILES, {"uploaded"})]
        assert reader.manifest(manifest.version, digest(manifest)) == manifest


def test_a_crash_after_any_step_of_a_deployment_is_repaired_by_running_again(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    registry = make_registry()
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    document = deployment_of()
    total = len(steps_of(make_registry, lambda r: r.publish_deployment(document, keys, fence=lambda: None)))
    assert total == 6
    for crash in range(total):
        before, document = document, deployment_of(previous=document)
        with pytest.raises(Killed):
            make_registry(killer(crash)).publish_deployment(document, keys, fence=lambda: None)
        seen = reader.poll_latest()
        assert isinstance(seen, LatestDeployment)
        assert seen.document == (document if crash == total - 1 else before), "the old one or the new one, never a part"
        registry.publish_deployment(document, keys, fence=lambda: None)
        assert releases(server, str(document.tag)) == [(False, DEPLOYMENT_FILES, {"uploaded"})]
        seen = reader.poll_latest()
        assert isinstance(seen, LatestDeployment)
        assert seen.document == document


def test_a_rerun_with_another_document_removes_what_the_crashed_one_left(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys
) -> None:
    folder = write_files(tmp_path / "model")
    with pytest.raises(Killed):
        make_registry(killer(2)).publish_model(folder, manifest_of(), keys)
    later = msgspec.structs.replace(manifest_of(), created_at=NOW.replace(minute=59))
    assert make_registry().publish_model(folder, later, keys).manifest_digest == digest(later)
    assert releases(server, VERSION) == [(False, MODEL_FILES, {"uploaded"})]


WRITES = [
    ("POST", r"/releases$"),
    ("POST", r"/releases/\d+/assets\?.*name=head"),
    ("POST", r"/releases/\d+/assets\?.*name=manifest\.json$"),
    ("PATCH", r"/releases/\d+$"),
]


@pytest.mark.parametrize("kind", ["stored_then_502", "cut_connection", "status", "cut_before"])
@pytest.mark.parametrize(("method", "path"), WRITES, ids=["create", "first upload", "manifest upload", "publish"])
def test_a_lost_answer_still_ends_in_exactly_one_complete_model(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys, kind, method: str, path: str
) -> None:
    registry = make_registry(sleep=lambda _: None)
    server.faults.add(Fault(kind=kind, method=method, path=path))
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    assert [record.fault for record in server.requests.all() if record.fault] == [kind], "the fault did strike"
    assert releases(server, VERSION) == [(False, MODEL_FILES, {"uploaded"})]


@pytest.mark.parametrize("kind", ["stored_then_502", "cut_connection", "status"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/git/tags$"), ("POST", "/git/refs$"), ("PATCH", r"/releases/\d+$"), ("POST", r"/releases$")],
    ids=["tag object", "ref", "publish", "create"],
)
def test_a_lost_answer_still_ends_in_exactly_one_deployment(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys, kind, method: str, path: str
) -> None:
    registry = make_registry(sleep=lambda _: None)
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    server.faults.add(Fault(kind=kind, method=method, path=path))
    registry.publish_deployment(deployment_of(), keys, fence=lambda: None)
    assert releases(server, "deploy-000001") == [(False, DEPLOYMENT_FILES, {"uploaded"})]


@pytest.mark.parametrize("kind", ["cut_upload", "starter_then_502"])
def test_a_broken_upload_leaves_no_starter_behind(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys, kind
) -> None:
    registry = make_registry(sleep=lambda _: None)
    server.faults.add(Fault(kind=kind, method="POST", path=r"/assets\?.*name=model", after_bytes=10))
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    assert [record.fault for record in server.requests.all() if record.fault] == [kind]
    assert releases(server, VERSION) == [(False, MODEL_FILES, {"uploaded"})]


def test_bytes_that_were_stored_wrongly_are_uploaded_again(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys
) -> None:
    registry = make_registry(sleep=lambda _: None)
    server.faults.add(Fault(kind="flip_bit", method="GET", path="_storage/.*/model.json", bit=77))
    registry.publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    uploads = [r for r in server.requests.all() if r.method == "POST" and "/uploads/" in r.path and r.status == 201]
    assert len(uploads) == len(MODEL_FILES) + 1
    assert releases(server, VERSION) == [(False, MODEL_FILES, {"uploaded"})]


def together(actions: list[Callable[[], object]]) -> list[object]:
    """Run all at once; the result or the PlatformError of each."""
    outcomes: list[object] = [None] * len(actions)
    barrier = threading.Barrier(len(actions))

    def run(index: int) -> None:
        barrier.wait()
        try:
            outcomes[index] = actions[index]()
        except PlatformError as error:
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_racing_promotions_have_one_winner_a_revision_and_a_linear_history(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys
) -> None:
    registries = [make_registry() for _ in range(3)]
    registries[0].publish_model(write_files(tmp_path / "model"), manifest_of(), keys)
    head: Deployment | None = None
    for round_number in range(8):
        documents = [deployment_of(previous=head, actor=f"promoter {n}", reason=f"round {round_number}") for n in range(3)]
        outcomes = together(
            [
                lambda r=r, d=d: r.publish_deployment(d, keys, fence=lambda: None)
                for r, d in zip(registries, documents, strict=True)
            ]
        )
        winners = [d for d, outcome in zip(documents, outcomes, strict=True) if not isinstance(outcome, Exception)]
        assert len(winners) == 1, outcomes
        assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 2, outcomes
        head = winners[0]
        assert releases(server, str(head.tag)) == [(False, DEPLOYMENT_FILES, {"uploaded"})]
    history = registries[0].history()
    assert [entry.revision for entry in history] == list(range(1, 9))
    chain = [registries[0].deployment(entry.revision) for entry in history]
    assert [document.previous for document in chain] == [None, *(document.as_previous() for document in chain[:-1])]


def test_two_publishers_never_make_the_same_version_from_different_models(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys
) -> None:
    first, second = make_registry(), make_registry()
    other = {"model.json": b'{"other": 1}', "head.json": b"{}"}
    folders = [write_files(tmp_path / "a"), write_files(tmp_path / "b", other)]
    for patch in range(4):
        version = f"v1.0.{patch}-vader"
        manifests = [manifest_of(version), manifest_of(version, other)]
        attempts = zip((first, second), folders, manifests, strict=True)
        outcomes = together([lambda r=r, f=f, m=m: r.publish_model(f, m, keys) for r, f, m in attempts])
        assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 1, outcomes
        assert releases(server, version) == [(False, MODEL_FILES, {"uploaded"})]


def test_the_same_model_published_by_two_processes_at_once_is_one_release(
    tmp_path: Path, server: ScriptedServer, make_registry: MakeRegistry, keys: PrivateKeys
) -> None:
    registries = [make_registry(), make_registry()]
    folder = write_files(tmp_path / "model")
    for patch in range(3):
        version = f"v1.0.{patch}-vader"
        together([lambda r=r, v=version: r.publish_model(folder, manifest_of(v), keys) for r in registries])
        registries[0].publish_model(folder, manifest_of(version), keys)
        assert releases(server, version) == [(False, MODEL_FILES, {"uploaded"})]
