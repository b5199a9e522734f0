"""`models promote`, `restore` and `sync` after an accident of the registry, and what is told of serving."""

from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.settings import Settings
from sentiment_platform_tests.commands.conftest import Invoke
from sentiment_platform_tests.news.server import reply, serving
from sentiment_platform_tests.promotion.seeding import answers, release, truth, write_holdout

V1, V2 = "v1.0.0-vader", "v1.1.0-vader"


@pytest.fixture
def two_versions(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    for version in (V1, V2):
        release(engine, RegistryAccess(settings), tmp_path, version)


def said(invoke: Invoke, *arguments: str, exit_code: int = 0) -> str:
    result = invoke(*arguments)
    assert result.exit_code == exit_code, result.output
    return " ".join(result.output.split())


def status(live: int, **candidate: object) -> bytes:
    return msgspec.json.encode({"deployment": {"revision": live}, "candidate": candidate or None, "registry": {"message": None}})


@pytest.mark.usefixtures("two_versions")
def test_promote_tells_the_verdict_of_serving_and_fails_where_it_refuses(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    promote = ("models", "promote", V1, "--reason", "first")
    other = ("models", "promote", V2, "--reason", "second", "--against-the-evidence")
    assert "deploy-000001 published" in said(invoke, *promote)
    assert "v1.0.0-vader answers already, with deploy-000001. Nothing was published." in said(invoke, *promote)
    with serving() as there:
        monkeypatch.setenv("SENTIMENT_SERVING_URL", there.url)
        there.answers["/models/status"] = reply(status(2))
        assert f"Serving at {there.url}/ runs revision 2." in said(invoke, *other)
        refusal = {"outcome": "refused", "revision": 3, "reason": "golden", "message": "v1.0.0-vader is not shown to work here."}
        there.answers["/models/status"] = reply(status(2, **refusal))
        refused = said(invoke, *promote, exit_code=1)
        assert "deploy-000003 published" in refused
        assert "refuses it and runs revision 2: v1.0.0-vader is not shown to work here." in refused
    assert "does not answer" in said(invoke, *other)
    stale = said(invoke, "models", "promote", V1, "--from", "3", "--reason", "late", exit_code=1)
    assert "not revision 3, which this was decided on" in stale
    blank = said(invoke, "models", "promote", V1, "--reason", "  ", exit_code=2)
    assert "a reason is 1 to 1,000 characters of text." in blank


@pytest.mark.usefixtures("two_versions")
def test_a_lost_database_is_rebuilt_by_sync_and_a_deleted_deployment_comes_back_by_restore(
    invoke: Invoke, engine: Engine, settings: Settings
) -> None:
    said(invoke, "models", "promote", V1, "--reason", "first")
    said(invoke, "models", "promote", V2, "--reason", "second")
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE platform.deployments, platform.model_versions CASCADE"))
    assert f"Entered: {V1}, {V2}, deploy-000001, deploy-000002." in said(invoke, "models", "sync")
    assert "The database knew every release." in said(invoke, "models", "sync")
    repository = f"{settings.registry_url}/repos/{settings.registry_repository}"
    with httpx.Client(headers={"Authorization": f"Bearer {settings.registry_token}"}, trust_env=False) as page:
        number = page.get(f"{repository}/releases/tags/deploy-000002").raise_for_status().json()["id"]
        page.delete(f"{repository}/releases/{number}").raise_for_status()
    assert "deploy-000002: is no longer in the registry. Publish what it said: sentiment-platform models restore 2" in said(
        invoke, "models", "sync"
    )
    assert "models restore 2" in said(invoke, "models", "promote", V1, "--reason", "third", exit_code=1)
    assert f"deploy-000003 published: {V2}" in said(invoke, "models", "restore", "2")
    assert f"deploy-000004 published: {V1}" in said(invoke, "models", "promote", V1, "--reason", "third")
    assert "Revision 9 is not known here." in said(invoke, "models", "restore", "9", exit_code=1)


def test_against_the_evidence_nothing_is_promoted_without_a_word_and_another_revision_is_a_conflict(
    invoke: Invoke, engine: Engine, settings: Settings, tmp_path: Path
) -> None:
    labels = truth(200)
    write_holdout(engine, labels)
    for version, right in ((V1, 0.6), (V2, 0.2)):
        release(engine, RegistryAccess(settings), tmp_path, version, answers(labels, right, 1))
    said(invoke, "models", "promote", V1, "--reason", "first")
    worse = ("models", "promote", V2, "--reason", "the desk knows better")
    refused = said(invoke, *worse, exit_code=1)
    assert f"worse: {V2} is worse than {V1} on 200 holdout texts" in refused
    assert "Repeat it with --against-the-evidence" in refused
    assert "deploy-000002 published" in said(invoke, *worse, "--from", "1", "--against-the-evidence")
    late = said(invoke, "models", "rollback", "--from", "1", exit_code=1)
    assert "not revision 1" in late
    assert "decide again" in late
    assert "deploy-000003 published" in said(invoke, "models", "rollback", "--from", "2")
