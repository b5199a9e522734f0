"""The life of a release, seen through the real PyGithub."""

import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from github import GithubException, UnknownObjectException
from github.Repository import Repository

from sentiment_platform_tests.github_server.rig import plain_client, publish, repository_client, server_in
from sentiment_platform_tests.github_server.scripted import ScriptedServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ScriptedServer]:
    with server_in(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def repository(server: ScriptedServer) -> Iterator[Repository]:
    with repository_client(server.url) as client:
        yield client


def refusal(error: pytest.ExceptionInfo[GithubException]) -> tuple[int, str]:
    problems = error.value.data.get("errors") or [{}]
    return error.value.status, problems[0].get("code", error.value.data["message"])


def head(repository: Repository) -> str:
    return repository.get_branch(repository.default_branch).commit.sha


def test_a_release_goes_from_draft_over_upload_to_publication_and_away_again(repository: Repository, tmp_path: Path) -> None:
    model, manifest = b"weights" * 5000, b'{"family":"vader"}'
    path = tmp_path / "model.onnx"
    path.write_bytes(model)

    draft = repository.create_git_release("v1.0.0-vader", "First", "Notes", draft=True, make_latest="false")
    assert draft.draft
    assert draft.published_at is None
    assert "untagged-" in draft.html_url
    uploaded = draft.upload_asset(str(path), label="the model")
    draft.upload_asset_from_memory(io.BytesIO(manifest), len(manifest), "manifest.json", "application/json")
    assert (uploaded.state, uploaded.size) == ("uploaded", len(model))
    assert uploaded.digest == f"sha256:{hashlib.sha256(model).hexdigest()}"
    assert [a.name for a in draft.get_assets()] == ["model.onnx", "manifest.json"]

    published = draft.update_release("First", "Notes", draft=False, make_latest="true")
    assert published.published_at is not None
    assert repository.get_git_ref("tags/v1.0.0-vader").object.sha == head(repository)
    found = repository.get_release("v1.0.0-vader")
    assert (found.id, found.name, found.body) == (draft.id, "First", "Notes")
    assert repository.get_latest_release().id == draft.id

    target = tmp_path / "downloaded"
    found.assets[0].download_asset(str(target), chunk_size=65536)
    assert target.read_bytes() == model
    assert repository.get_release(draft.id).assets[0].download_count == 1

    renamed = found.assets[1].update_asset("card.json", "renamed")
    assert (renamed.name, renamed.label) == ("card.json", "renamed")
    renamed.delete_asset()
    assert [a.name for a in repository.get_release(draft.id).assets] == ["model.onnx"]
    found.delete_release()
    with pytest.raises(UnknownObjectException):
        repository.get_release(draft.id).complete()
    assert repository.get_git_ref("tags/v1.0.0-vader").object.sha, "deleting a release leaves its tag"


def test_two_drafts_may_carry_one_tag_but_only_one_of_them_is_published(repository: Repository) -> None:
    first = repository.create_git_release("deploy-000001", "one", "", draft=True)
    second = repository.create_git_release("deploy-000001", "two", "", draft=True)
    first.update_release("one", "", draft=False)
    with pytest.raises(GithubException) as error:
        second.update_release("two", "", draft=False)
    assert refusal(error) == (422, "already_exists")
    with pytest.raises(GithubException) as error:
        repository.create_git_release("deploy-000001", "three", "")
    assert refusal(error) == (422, "already_exists")
    assert repository.get_release(second.id).draft, "a refused publication changes nothing"


def test_a_draft_is_found_by_list_and_number_but_not_by_its_tag(repository: Repository, server: ScriptedServer) -> None:
    draft = repository.create_git_release("v9.9.9", "draft", "", draft=True)
    assert [r.id for r in repository.get_releases()] == [draft.id]
    assert repository.get_release(draft.id).tag_name == "v9.9.9"
    with pytest.raises(UnknownObjectException):
        repository.get_release("v9.9.9")
    with pytest.raises(UnknownObjectException):
        repository.get_git_ref("tags/v9.9.9").complete()
    with repository_client(server.url, token=None) as anonymous:
        assert list(anonymous.get_releases()) == []


def test_creating_a_ref_twice_is_refused_and_refs_can_be_listed_moved_and_deleted(repository: Repository) -> None:
    sha = head(repository)
    for name in ("deploy-000001", "deploy-000002", "other"):
        repository.create_git_ref(f"refs/tags/{name}", sha)
    with pytest.raises(GithubException) as error:
        repository.create_git_ref("refs/tags/deploy-000002", sha)
    assert refusal(error) == (422, "Reference already exists")
    with pytest.raises(GithubException) as error:
        repository.create_git_ref("refs/tags/elsewhere", "0" * 40)
    assert refusal(error) == (422, "Object does not exist")
    with pytest.raises(GithubException):
        repository.create_git_ref("tags/no-prefix", sha)
    names = [r.ref for r in repository.get_git_matching_refs("tags/deploy-")]
    assert names == ["refs/tags/deploy-000001", "refs/tags/deploy-000002"]
    assert {t.name for t in repository.get_tags()} == {"deploy-000001", "deploy-000002", "other"}
    ref = repository.get_git_ref("tags/other")
    ref.edit(sha)
    ref.delete()
    with pytest.raises(UnknownObjectException):
        repository.get_git_ref("tags/other").complete()
    with pytest.raises(GithubException) as error:
        ref.delete()
    assert refusal(error) == (422, "Reference does not exist")


def test_of_many_writers_that_create_one_ref_exactly_one_wins(server: ScriptedServer, repository: Repository) -> None:
    sha = head(repository)

    def attempt(_: int) -> int:
        with plain_client(server.url) as writer:
            return writer.post("/git/refs", json={"ref": "refs/tags/deploy-000043", "sha": sha}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(16))) == [201, *[422] * 15]


def test_a_release_over_an_existing_ref_keeps_it_and_an_unknown_target_is_refused(repository: Repository) -> None:
    repository.create_git_ref("refs/tags/deploy-000001", head(repository))
    assert repository.create_git_release("deploy-000001", "one", "", target_commitish="nowhere").published_at
    with pytest.raises(GithubException) as error:
        repository.create_git_release("deploy-000002", "two", "", target_commitish="nowhere")
    assert refusal(error) == (422, "invalid")
    assert [r.tag_name for r in repository.get_releases()] == ["deploy-000001"]


def test_an_asset_name_is_taken_once_per_release(repository: Repository) -> None:
    release = repository.create_git_release("v1.0.0", "", "", draft=True)
    release.upload_asset_from_memory(io.BytesIO(b"one"), 3, "a file.bin")
    with pytest.raises(GithubException) as error:
        release.upload_asset_from_memory(io.BytesIO(b"two"), 3, "a.file.bin")
    assert refusal(error) == (422, "already_exists")
    other = repository.create_git_release("v1.0.1", "", "", draft=True)
    assert other.upload_asset_from_memory(io.BytesIO(b"two"), 3, "a.file.bin").state == "uploaded"


def test_latest_is_the_release_that_was_made_so_and_no_other(repository: Repository) -> None:
    publish(repository, "deploy-000001", make_latest="true")
    publish(repository, "v1.0.0-vader", make_latest="false")
    repository.create_git_release("v3.0.0", "", "", prerelease=True, make_latest="true")
    repository.create_git_release("v4.0.0", "", "", draft=True, make_latest="true")
    assert repository.get_latest_release().tag_name == "deploy-000001"
    publish(repository, "deploy-000002", make_latest="true")
    assert repository.get_latest_release().tag_name == "deploy-000002"
    repository.get_release("deploy-000001").update_release("edited", "")
    assert repository.get_latest_release().tag_name == "deploy-000002", "an edit without make_latest moves nothing"


def test_without_make_latest_a_publication_becomes_latest_as_on_github(repository: Repository) -> None:
    publish(repository, "deploy-000001")
    draft = repository.create_git_release("v1.0.0-vader", "", "", draft=True, make_latest="false")
    draft.update_release("", "", draft=False)
    assert repository.get_latest_release().tag_name == "v1.0.0-vader"


def test_where_no_release_was_made_latest_the_highest_version_of_the_newest_commit_is(repository: Repository) -> None:
    with pytest.raises(UnknownObjectException):
        repository.get_latest_release().complete()
    for tag in ("v1.9.0", "v1.10.0", "v1.10.0-rc.1", "deploy-000007"):
        publish(repository, tag, make_latest="false")
    assert repository.get_latest_release().tag_name == "v1.10.0"
    publish(repository, "deploy-000008", make_latest="true")
    repository.get_release("deploy-000008").delete_release()
    assert repository.get_latest_release().tag_name == "v1.10.0"
    publish(repository, "v0.1.0", make_latest="legacy")
    assert repository.get_latest_release().tag_name == "v1.10.0"


def test_a_list_of_37_releases_is_read_page_by_page(server: ScriptedServer, repository: Repository) -> None:
    tags = [f"deploy-{number:06}" for number in range(37)]
    for tag in tags:
        repository.create_git_release(tag, tag, "")
    server.requests.clear()
    assert sorted(r.tag_name for r in repository.get_releases()) == tags
    assert len(server.requests.all()) == 2
    with repository_client(server.url, per_page=10) as small:
        listed = small.get_releases()
        assert listed.totalCount == 37
        assert len(listed.get_page(3)) == 7
        assert sorted(r.tag_name for r in listed) == tags
        assert sorted(r.tag_name for r in listed.reversed) == tags


def test_deleting_the_tag_of_a_published_release_makes_it_a_draft(repository: Repository) -> None:
    publish(repository, "deploy-000001")
    repository.get_git_ref("tags/deploy-000001").delete()
    with pytest.raises(UnknownObjectException):
        repository.get_release("deploy-000001")
    assert [r.draft for r in repository.get_releases()] == [True]


def test_an_annotated_tag_and_its_release_are_made_in_one_call(repository: Repository) -> None:
    sha = head(repository)
    release = repository.create_git_tag_and_release("v2.0.0", "message", "name", "notes", sha, "commit")
    assert release.target_commitish == sha
    assert [c.sha for c in repository.get_commits()] == [sha]
    assert repository.get_git_commit(sha).sha == sha
    assert repository.get_commit("v2.0.0").sha == sha


def test_immutable_releases_refuse_edits_assets_and_the_reuse_of_their_tag(tmp_path: Path) -> None:
    with server_in(tmp_path, immutable=True) as server, repository_client(server.url) as repository:
        publish(repository, "v1.0.0", model=b"bytes")
        release = repository.get_release("v1.0.0")
        assert release.immutable
        for attempt in (
            lambda: release.update_release("other", ""),
            lambda: release.upload_asset_from_memory(io.BytesIO(b"x"), 1, "more"),
            lambda: release.assets[0].delete_asset(),
            lambda: release.assets[0].update_asset("other"),
            lambda: repository.get_git_ref("tags/v1.0.0").complete().delete(),
        ):
            with pytest.raises(GithubException) as error:
                attempt()
            assert error.value.status == 422
        release.delete_release()
        with pytest.raises(GithubException, match="422"):
            repository.create_git_release("v1.0.0", "again", "")
        draft = repository.create_git_release("v1.0.1", "", "", draft=True)
        assert draft.upload_asset_from_memory(io.BytesIO(b"x"), 1, "more").state == "uploaded"


def test_a_restart_keeps_releases_assets_refs_and_numbers(tmp_path: Path) -> None:
    with server_in(tmp_path) as server, repository_client(server.url) as repository:
        publish(repository, "deploy-000001", model=b"bytes")
        before = repository.get_latest_release()
        sha, number = head(repository), before.id
        server.stop()
        with pytest.raises(Exception, match="refused"):
            repository.get_release(number).complete()
        server.start()
        after = repository.get_latest_release()
        assert (after.id, after.raw_data) == (number, before.raw_data)
        assert head(repository) == sha
        status, _, chunks = after.assets[0].download_asset(chunk_size=1024)
        assert (status, b"".join(chunks)) == (200, b"bytes")
        assert repository.create_git_release("v2", "", "").id > after.assets[0].id


def test_many_readers_and_writers_at_once_see_whole_documents(server: ScriptedServer, repository: Repository) -> None:
    publish(repository, "deploy-000000")

    def work(worker: int) -> int:
        with repository_client(server.url) as client:
            if worker % 4 == 0:
                publish(client, f"deploy-{worker + 1:06}", model=bytes([worker]) * 100_000)
            return sum(client.get_latest_release().tag_name.startswith("deploy-") for _ in range(10))

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(work, range(12))) == [10] * 12
    assert {len(r.assets) for r in repository.get_releases()} == {0, 1}
    assert repository.get_releases().totalCount == 4
