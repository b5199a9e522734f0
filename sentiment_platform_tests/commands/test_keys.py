from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from sentiment_platform.settings import Settings
from sentiment_platform.store.api_keys import check_key
from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform_tests.commands.conftest import Invoke


def test_a_key_is_shown_once_listed_without_its_secret_and_useless_once_revoked(invoke: Invoke, settings: Settings) -> None:
    made = invoke("keys", "create", "--role", "operator", "--owner", "ada", "--days", "7")
    assert made.exit_code == 0, made.output
    key = made.output.split()[-1]
    _, key_id, secret = key.split("_", 2)
    now = datetime.now(UTC)
    engine = create_platform_engine(settings.database_url)
    with engine.connect() as connection:
        holder = check_key(connection, key, now)
        assert holder is not None
        assert (holder.role, holder.owner) == ("operator", "ada")
        assert check_key(connection, key, now + timedelta(days=8)) is None

    listed = invoke("keys", "list").output
    row = next(line for line in listed.splitlines() if key_id in line)
    assert [cell in row for cell in ("operator", "ada", f"{now + timedelta(days=7):%Y-%m}")] == [True] * 3
    assert secret not in listed

    assert f"{key_id} is revoked." in invoke("keys", "revoke", key_id).output
    again = invoke("keys", "revoke", key_id)
    assert (again.exit_code, f"{key_id} was revoked before." in again.output) == (0, True)
    with engine.connect() as connection:
        assert check_key(connection, key, now) is None
        trail = connection.execute(text("SELECT action, subject FROM platform.audit_log ORDER BY id")).all()
    engine.dispose()
    assert [tuple(entry) for entry in trail] == [("key:create", key_id), ("key:revoke", key_id), ("key:revoke", key_id)]


def test_revoking_an_id_that_no_key_has_fails_and_says_where_ids_are(invoke: Invoke) -> None:
    key = invoke("keys", "create", "--role", "viewer", "--owner", "ada").output.split()[-1]
    mistyped = invoke("keys", "revoke", key.split("_")[1][:-1])
    assert mistyped.exit_code == 1
    assert "nothing was revoked" in mistyped.output
    assert "keys list" in mistyped.output


def test_a_role_that_there_is_not_is_refused_with_those_there_are(invoke: Invoke) -> None:
    refused = invoke("keys", "create", "--role", "king", "--owner", "ada")
    assert refused.exit_code == 2
    assert "'viewer', 'operator', 'promoter', 'admin'" in refused.output


def test_a_rotated_key_is_shown_once_and_the_list_says_until_when_the_old_secret_works(
    invoke: Invoke, settings: Settings
) -> None:
    old = invoke("keys", "create", "--role", "viewer", "--owner", "ada", "--scope", "read", "--scope", "predict").output.split()[
        -1
    ]
    key_id = old.split("_")[1]
    rotated = invoke("keys", "rotate", key_id, "--overlap-hours", "48")
    assert rotated.exit_code == 0, rotated.output
    new = rotated.output.split()[-1]
    engine = create_platform_engine(settings.database_url)
    now = datetime.now(UTC)
    with engine.connect() as connection:
        opened = [check_key(connection, key, at) is not None for at in (now, now + timedelta(hours=49)) for key in (old, new)]
        trail = connection.execute(text("SELECT action, subject FROM platform.audit_log ORDER BY id")).all()
    engine.dispose()
    assert opened == [True, True, False, True]
    assert [tuple(entry) for entry in trail] == [("key:create", key_id), ("key:rotate", key_id)]
    listed = invoke("keys", "list", "--json").output
    assert '"scopes":["predict","read"]' in listed
    assert new.split("_", 2)[2] not in listed
    assert invoke("keys", "rotate", key_id, "--overlap-hours", "0").exit_code == 0
    unknown = invoke("keys", "rotate", "0123")
    assert (unknown.exit_code, "nothing was changed" in unknown.output) == (1, True)
