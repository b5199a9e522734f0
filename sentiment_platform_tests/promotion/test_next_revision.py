import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.events import DeploymentPublished
from sentiment_platform.models.family import Integers
from sentiment_platform.promotion.mirror import synchronise_mirror
from sentiment_platform.promotion.next_revision import Intent, Promoted, publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Evidence
from sentiment_platform.registry.documents import digest
from sentiment_platform.settings import Settings
from sentiment_platform.store import audit, leases
from sentiment_platform.store.deployments import deployment_at, deployments, mirror_deployment
from sentiment_platform_tests.promotion.seeding import NOW, clock, release
from sentiment_platform_tests.promotion.stepping import SteppedAccess
from sentiment_platform_tests.public_events import told
from sentiment_platform_tests.registry.examples import deployment_of

V1, V2 = "v1.0.0-vader", "v1.1.0-vader"


def intent(version: str = V1, actor: str = "ada", family: str = "vader") -> Intent:
    return Intent(
        champions={family: version},
        default_family=family,
        rule="manual",
        actor=actor,
        reason="because",
        evidence=Evidence((), (), {}, "said so"),
    )


def deploy(engine: Engine, access: RegistryAccess, version: str = V1, actor: str = "ada") -> Promoted:
    return publish(engine, access, intent(version, actor), holder=actor, now=clock)


def mirrored(engine: Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        return [(row.document.revision, row.document.actor) for row in deployments(connection)][::-1]


def history(access: RegistryAccess) -> list[tuple[int, str]]:
    with access.writer(clock) as registry:
        return [(entry.revision, registry.deployment(entry.revision).actor) for entry in registry.history()]


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM platform.{table}")).scalar_one()


@pytest.mark.parametrize(("version", "family"), [("v7.0.0-vader", "vader"), (V1, "finbert")])
def test_a_version_that_is_not_registered_for_its_family_is_not_deployed(
    engine: Engine, access: RegistryAccess, labels: Integers, version: str, family: str
) -> None:
    with pytest.raises(PermanentError, match=f"{version} is not a registered version of {family}"):
        publish(engine, access, intent(version, family=family), holder="ada", now=clock)
    assert (history(access), mirrored(engine)) == ([], [])
    # The lease was given back: the next attempt need not wait for it.
    assert deploy(engine, access).revision == 1


def test_the_release_says_what_the_switch_costs_and_how_to_undo_it(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    release(engine, access, tmp_path, V2)
    tags = deploy(engine, access).tag, deploy(engine, access, V2).tag
    with access.writer(clock) as registry:
        texts = {r.tag_name: r.body for r in registry._connection.repository.get_releases()}  # pyright: ignore[reportPrivateUsage]
    first, second = (texts[tag] for tag in tags)
    assert f"| vader | nothing | {V1}: " in first
    assert "nothing to go back to" in first
    assert f"| vader | {V1}: " in second
    assert "models rollback" in second
    assert f"content of {tags[0]}" in second


def test_of_publishers_that_start_at_once_each_revision_has_one(engine: Engine, access: RegistryAccess, labels: Integers) -> None:
    def attempt(actor: str) -> bool:
        try:
            deploy(engine, access, actor=actor)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(attempt, ["ada", "bob", "cyd", "dan"]))
    assert sum(won) >= 1
    assert [revision for revision, _ in history(access)] == list(range(1, sum(won) + 1))
    assert history(access) == mirrored(engine)
    events = sorted(
        (event.revision, event.reason) for event in told(access.settings.redis_url) if isinstance(event, DeploymentPublished)
    )
    assert events == [(revision, "because") for revision, _ in history(access)], "each is told, and those that lost are not"
    assert count(engine, "audit_log") == sum(won)


@pytest.mark.parametrize("step", ["draft created", "deployment.json uploaded", "tag taken"])
def test_a_publisher_that_slept_through_its_lease_is_refused(
    engine: Engine, settings: Settings, access: RegistryAccess, labels: Integers, step: str
) -> None:
    asleep: list[Promoted] = []

    def sleep(happened: str) -> None:
        if happened == step and not asleep:
            with engine.begin() as connection:
                connection.execute(text("UPDATE platform.leases SET expires_at = now() - interval '1 second'"))
            asleep.append(deploy(engine, access, actor="successor"))

    with pytest.raises(ConflictError):
        deploy(engine, SteppedAccess(settings, sleep), actor="zombie")
    assert [promoted.revision for promoted in asleep] == [1]
    assert history(access) == mirrored(engine) == [(1, "successor")]
    assert deploy(engine, access, actor="next").revision == 2


@pytest.mark.parametrize("step", ["draft created", "deployment.json uploaded", "tag taken"])
def test_a_publisher_whose_lease_somebody_else_has_publishes_nothing_even_if_the_revision_is_free(
    engine: Engine, settings: Settings, access: RegistryAccess, labels: Integers, step: str
) -> None:
    taken: list[leases.HeldLease] = []

    def sleep(happened: str) -> None:
        if happened == step and not taken:
            taken.append(leases.acquire(engine, "deployment", "successor", 60, take_over=True))

    with pytest.raises(ConflictError, match="zombie no longer holds deployment") as refusal:
        deploy(engine, SteppedAccess(settings, sleep), actor="zombie")
    assert "Another deployment was published meanwhile" in refusal.value.message
    assert "models list" in refusal.value.remedy
    assert "run it again" not in str(refusal.value), "that could leave what the other one published"
    assert (history(access), mirrored(engine)) == ([], [])
    leases.release(engine, taken[0])
    assert deploy(engine, access, actor="successor").revision == 1


def test_mirror_and_audit_row_are_written_together_or_not_at_all(
    engine: Engine, access: RegistryAccess, labels: Integers
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER full_disk BEFORE INSERT ON platform.audit_log EXECUTE FUNCTION platform.refuse_change()")
        )
    with pytest.raises(DBAPIError, match="append-only"):
        deploy(engine, access)
    assert history(access) == [(1, "ada")]
    assert (mirrored(engine), count(engine, "audit_log")) == ([], 0)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER full_disk ON platform.audit_log"))
    with access.writer(clock) as registry:
        assert synchronise_mirror(engine, registry) == 1
        assert synchronise_mirror(engine, registry) == 0
    assert (mirrored(engine), count(engine, "audit_log")) == ([(1, "ada")], 1)


def test_a_database_that_lost_everything_learns_the_history_again(
    engine: Engine, access: RegistryAccess, labels: Integers, tmp_path: Path
) -> None:
    release(engine, access, tmp_path, V2)
    for version in (V1, V2, V1):
        deploy(engine, access, version)
    with engine.connect() as connection:
        before = deployments(connection)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM platform.deployments"))
    with access.writer(clock) as registry:
        assert synchronise_mirror(engine, registry) == 3
    with engine.connect() as connection:
        assert deployments(connection) == before
        assert audit.verify(connection) == []
    # The trail was not lost: each deployment is an act that happened once.
    assert count(engine, "audit_log") == 3


def test_a_lease_is_short_enough_for_a_dead_writer_to_be_waited_for(
    engine: Engine, settings: Settings, access: RegistryAccess, labels: Integers
) -> None:
    left: list[float] = []

    def look(_: str) -> None:
        with engine.connect() as connection:
            query = "SELECT extract(epoch FROM expires_at - now()) FROM platform.leases WHERE subject = 'deployment'"
            left.append(float(connection.execute(text(query)).scalar_one()))

    deploy(engine, SteppedAccess(settings, look))
    assert 60 < max(left) <= 120
    # It was given back: another writer need not wait for its end.
    leases.acquire(engine, "deployment", "another", 60)


def test_what_was_live_at_any_time_is_one_query(engine: Engine) -> None:
    rng = random.Random(1)
    times = sorted(NOW + timedelta(seconds=rng.randrange(100_000)) for _ in range(30))
    with engine.begin() as connection:
        documents = [deployment_of()]
        for at in times:
            document = documents[-1]
            assert mirror_deployment(connection, document, digest=digest(document), published_at=at)
            forged = msgspec.structs.replace(document, actor="mallory")
            assert not mirror_deployment(connection, forged, digest=digest(forged), published_at=at)
            documents.append(deployment_of(previous=document))
        moments = [NOW + timedelta(seconds=rng.randrange(-1000, 101_000)) for _ in range(100)] + times
        for moment in moments:
            live = sum(at <= moment for at in times)
            assert deployment_at(connection, moment) == (documents[live - 1] if live else None)
        assert {row.document.actor for row in deployments(connection)} == {documents[0].actor}
