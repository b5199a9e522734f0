"""Accidents of the registry: somebody deletes a release or moves a tag, or the database is lost. Afterwards serving runs the newest decision.

Serving stands for itself by its reader: what it runs is what it would accept, and it never forgets what it ran.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.github_server import GithubServer
from sentiment_platform.promotion.intents import intent_of_promotion, intent_of_restore
from sentiment_platform.promotion.mirror import synchronise
from sentiment_platform.promotion.next_revision import Promoted, publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.reader import LatestDeployment
from sentiment_platform.settings import Settings
from sentiment_platform.store.deployments import deployment_at, deployments
from sentiment_platform.store.versions import all_versions
from sentiment_platform_tests.conftest import TEST_REPOSITORY, TEST_TOKEN
from sentiment_platform_tests.promotion.seeding import clock, release

V1, V2, V3 = "v1.0.0-vader", "v1.1.0-vader", "v1.2.0-vader"


class Page:
    """What a person does on the registry's page."""

    def __init__(self, server: GithubServer) -> None:
        self._client = httpx.Client(
            base_url=f"{server.url}/repos/{TEST_REPOSITORY}", headers={"Authorization": f"Bearer {TEST_TOKEN}"}, trust_env=False
        )

    def close(self) -> None:
        self._client.close()

    def delete(self, tag: str, *, ref_too: bool = False) -> None:
        number = self._client.get(f"/releases/tags/{tag}").raise_for_status().json()["id"]
        self._client.delete(f"/releases/{number}").raise_for_status()
        if ref_too:
            self._client.delete(f"/git/refs/tags/{tag}").raise_for_status()

    def rename(self, tag: str, new: str) -> int:
        """Give a release another tag; the status of the answer."""
        number = self._client.get(f"/releases/tags/{tag}").raise_for_status().json()["id"]
        return self._client.patch(f"/releases/{number}", json={"tag_name": new}).status_code

    def move(self, tag: str) -> int:
        """Point the tag at the branch's head; the status of the answer."""
        head = self._client.get("/git/ref/heads/main").raise_for_status().json()["object"]["sha"]
        return self._client.patch(f"/git/refs/tags/{tag}", json={"sha": head, "force": True}).status_code


class Serving:
    """What a replica runs: the newest document that it accepted; never another one of its number, never an older one."""

    def __init__(self, access: RegistryAccess) -> None:
        self._access = access
        self.runs: Deployment | None = None

    def look(self) -> int:
        with closing(self._access.reader()) as reader:
            offered = reader.poll_latest(known=self.runs)
        if isinstance(offered, LatestDeployment):
            self.runs = offered.document
        return self.runs.revision if self.runs else 0


@pytest.fixture(params=[False, True], ids=["mutable", "immutable"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GithubServer]:
    with GithubServer(tmp_path / "hub", TEST_REPOSITORY, TEST_TOKEN, immutable=request.param) as running:
        yield running


@pytest.fixture
def access(settings: Settings, server: GithubServer) -> RegistryAccess:
    return RegistryAccess(replace(settings, registry_url=server.url))


@pytest.fixture
def page(server: GithubServer) -> Iterator[Page]:
    with closing(Page(server)) as page:
        yield page


@pytest.fixture
def serving(engine: Engine, access: RegistryAccess, tmp_path: Path) -> Serving:
    """Three versions and three deployments; the third runs."""
    serving = Serving(access)
    for version in (V1, V2, V3):
        release(engine, access, tmp_path, version)
        promote(engine, access, version)
        serving.look()
    assert serving.runs is not None
    assert serving.runs.revision == 3
    return serving


def promote(engine: Engine, access: RegistryAccess, version: str) -> Promoted:
    intent = partial(intent_of_promotion, version=version, actor="ada", reason=f"I want {version}")
    return publish(engine, access, intent, holder="ada", now=clock)


def lose(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE platform.deployments, platform.model_versions CASCADE"))


@pytest.mark.parametrize("ref_too", [False, True], ids=["tag stays", "tag deleted"])
def test_the_newest_deployment_is_deleted_and_the_next_one_is_refused_until_it_is_restored_under_the_next_number(
    engine: Engine, access: RegistryAccess, page: Page, serving: Serving, ref_too: bool
) -> None:
    page.delete("deploy-000003", ref_too=ref_too)
    with pytest.raises(PermanentError, match=r"deploy-000003 was decided last and is no longer .*models restore 3.*restore 2"):
        promote(engine, access, V1)
    intent = partial(intent_of_restore, revision=3, actor="ada", reason="deleted by mistake")
    restored = publish(engine, access, intent, holder="ada", now=clock, restores=True)
    assert (restored.revision, restored.document.versions()) == (4, {"vader": V3})
    assert serving.look() == 4
    assert promote(engine, access, V1).revision == 5
    assert serving.look() == 5
    with engine.connect() as connection:
        assert [one.document.revision for one in deployments(connection)] == [5, 4, 3, 2, 1]
        live = deployment_at(connection, restored.document.created_at + timedelta(days=3650))
        assert live is not None
        assert live.revision == 5


def test_with_an_empty_database_too_the_next_number_is_never_one_that_serving_ran(
    engine: Engine, access: RegistryAccess, page: Page, serving: Serving
) -> None:
    page.delete("deploy-000003")
    lose(engine)
    promoted = promote_after_loss(engine, access, V1)
    assert promoted.revision == 4
    assert serving.look() == 4
    assert promote(engine, access, V2).revision == serving.look() == 5


def promote_after_loss(engine: Engine, access: RegistryAccess, version: str) -> Promoted:
    """The first thing after a loss fills the database from signed releases, by itself."""
    promoted = promote(engine, access, version)
    with engine.connect() as connection:
        assert sorted(one.version for one in all_versions(connection)) == [V1, V2, V3]
    return promoted


def test_a_lost_database_is_rebuilt_from_the_registry_with_the_same_answers(
    engine: Engine, access: RegistryAccess, serving: Serving
) -> None:
    def known() -> tuple[list[object], list[object]]:
        with engine.connect() as connection:
            told: list[object] = [(one.document, one.digest, one.published_at) for one in deployments(connection)]
            versions: list[object] = sorted((one.version, one.manifest_digest) for one in all_versions(connection))
        return told, versions

    before = known()
    lose(engine)
    with access.writer(clock) as registry:
        outcome = synchronise(engine, registry)
        assert (outcome.versions, outcome.deployments) == ((V1, V2, V3), ("deploy-000001", "deploy-000002", "deploy-000003"))
        assert (outcome.lost, outcome.changed, outcome.refused) == ((), (), {})
        assert known() == before
        assert synchronise(engine, registry).deployments == ()
    assert promote(engine, access, V1).revision == serving.look() == 4


def test_a_deleted_version_is_named_its_number_is_not_used_again_and_another_one_takes_its_place(
    engine: Engine, access: RegistryAccess, page: Page, serving: Serving
) -> None:
    page.delete(V3)
    with access.writer(clock) as registry:
        assert str(registry.next_version("vader", "minor")) == "v1.3.0-vader"
        assert synchronise(engine, registry).lost == (V3,)
    assert serving.look() == 3
    with pytest.raises(PermanentError, match=V3):
        promote(engine, access, V3)
    assert promote(engine, access, V1).revision == serving.look() == 4


def test_a_tag_that_was_moved_changes_nothing(engine: Engine, access: RegistryAccess, page: Page, serving: Serving) -> None:
    assert page.move("deploy-000003") in (200, 422)
    assert promote(engine, access, V1).revision == serving.look() == 4


def test_a_deployment_under_another_number_blocks_until_it_is_deleted_and_then_comes_back(
    engine: Engine, access: RegistryAccess, page: Page, serving: Serving
) -> None:
    if page.rename("deploy-000003", "deploy-000008") == 200:
        with pytest.raises(PermanentError, match=r"deploy-000008 cannot be believed.*delete that release"):
            promote(engine, access, V1)
        page.delete("deploy-000008")
        with pytest.raises(PermanentError, match="models restore 3"):
            promote(engine, access, V1)
        intent = partial(intent_of_restore, revision=3, actor="ada", reason="renamed by mistake")
        assert publish(engine, access, intent, holder="ada", now=clock, restores=True).document.versions() == {"vader": V3}
    last = promote(engine, access, V1).revision
    assert last == serving.look() >= 4


def test_a_lost_database_and_no_deployment_left_still_know_the_versions(
    engine: Engine, access: RegistryAccess, page: Page, serving: Serving
) -> None:
    for revision in (1, 2, 3):
        page.delete(f"deploy-{revision:06d}")
    lose(engine)
    assert promote_after_loss(engine, access, V1).revision == serving.look() == 4
