"""Manifests and deployments come out of the database as what they were, or not at all."""

from datetime import UTC, datetime

import msgspec
import pytest
from sqlalchemy import Engine, text

from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.documents import decode, digest
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.store.deployments import deployment_at, deployments, get_deployment, latest_deployment, mirror_deployment
from sentiment_platform.store.versions import all_versions, get_version, latest_version, register_version
from sentiment_platform_tests.registry.examples import deployment_of, manifest_of, with_more

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AWKWARD = {"tiny": 1e-300, "whole": 2.0, "huge": 10**20, "words": "ä — ü", "none": None, "nested": [{"a": [0.1, 1 / 3]}]}


def test_a_manifest_keeps_its_digest_through_the_database(engine: Engine) -> None:
    manifest = msgspec.structs.replace(manifest_of(), figures=AWKWARD)
    with engine.begin() as connection:
        register_version(connection, manifest, options_digest="o", run_id="run")
        stored = get_version(connection, manifest.version)
        assert stored is not None
        assert [stored] == all_versions(connection) == [latest_version(connection, "vader")]
    assert stored.manifest == manifest
    assert digest(stored.manifest) == digest(manifest) == stored.manifest_digest
    assert (stored.version, stored.family, stored.training_set) == ("v1.0.0-vader", "vader", manifest.training_set)


def test_fields_of_a_newer_writer_come_out_of_the_database_with_the_digest_that_was_signed(engine: Engine) -> None:
    manifest, first = decode(with_more(manifest_of()), Manifest), decode(with_more(deployment_of()), Deployment)
    with engine.begin() as connection:
        register_version(connection, manifest, options_digest="o", run_id="run")
        mirror_deployment(connection, first, digest=digest(first), published_at=NOW)
        stored, deployed = get_version(connection, manifest.version), latest_deployment(connection)
    assert stored is not None
    assert deployed is not None
    assert digest(stored.manifest) == stored.manifest_digest == digest(with_more(manifest_of()))
    assert deployed.as_previous().digest == digest(with_more(deployment_of()))


def test_a_deployment_is_the_same_document_however_it_is_asked_for(engine: Engine) -> None:
    first = deployment_of()
    second = msgspec.structs.replace(deployment_of(manifest_of("v1.1.0-vader"), previous=first), rule="manual")
    with engine.begin() as connection:
        for document in (first, second):
            assert mirror_deployment(connection, document, digest=digest(document), published_at=NOW)
        newest, oldest = deployments(connection)
        assert (latest_deployment(connection), deployment_at(connection, NOW)) == (second, second)
        assert (get_deployment(connection, 1), get_deployment(connection, 3)) == (oldest, None)
    assert (newest.document, newest.digest, newest.published_at) == (second, digest(second), NOW)
    assert [deployed.document.default_version for deployed in (oldest, newest)] == ["v1.0.0-vader", "v1.1.0-vader"]
    assert [deployed.document.by_person for deployed in (oldest, newest)] == [False, True]
    assert second.versions() == {"vader": "v1.1.0-vader"}


@pytest.mark.parametrize(("table", "named"), [("deployments", "deploy-000001"), ("model_versions", "v1.0.0-vader")])
def test_a_stored_document_that_breaks_its_type_is_refused_by_name(engine: Engine, table: str, named: str) -> None:
    with engine.begin() as connection:
        document = deployment_of()
        mirror_deployment(connection, document, digest=digest(document), published_at=NOW)
        register_version(connection, manifest_of(), options_digest="o", run_id="run")
        connection.execute(text(f"UPDATE platform.{table} SET {_COLUMN[table]} = {_COLUMN[table]} - 'created_at'"))
        with pytest.raises(Refused, match=rf"What is stored of {named} is not a \w+: .*created_at") as refused:
            _ = latest_deployment(connection) if table == "deployments" else all_versions(connection)
    assert refused.value.reason == "format"


_COLUMN = {"deployments": "document", "model_versions": "manifest"}
