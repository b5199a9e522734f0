from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.store.api_keys import check_key, create_key, list_keys, revoke_key
from sentiment_platform.store.roles import ROLES, Role

NOW = datetime(2025, 1, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize("role", ROLES)
def test_a_key_opens_what_its_role_may(engine: Engine, role: Role) -> None:
    with engine.begin() as connection:
        key = create_key(connection, role, "ada")
        holder = check_key(connection, key, NOW)
    assert holder is not None
    assert (holder.role, holder.owner) == (role, "ada")
    assert key.startswith(f"sp_{holder.key_id}_")


def test_only_the_hash_of_the_secret_is_kept(engine: Engine) -> None:
    with engine.begin() as connection:
        keys = [create_key(connection, "viewer", "ada") for _ in range(20)]
        stored = str(connection.execute(text("SELECT row_to_json(k) FROM platform.api_keys k")).scalars().all())
        listed = str(list_keys(connection))
    assert len(set(keys)) == 20
    for key in keys:
        secret = key.split("_", 2)[2]
        assert len(secret) >= 43
        assert secret not in stored
        assert secret not in listed
    assert "secret_hash" not in listed


def test_an_expired_key_is_refused_from_that_instant(engine: Engine) -> None:
    with engine.begin() as connection:
        key = create_key(connection, "viewer", "ada", expires_at=NOW)
        assert check_key(connection, key, NOW - timedelta(microseconds=1)) is not None
        assert check_key(connection, key, NOW) is None


def test_a_revoked_key_is_refused_and_revoked_once(engine: Engine) -> None:
    with engine.begin() as connection:
        key, other = (create_key(connection, "admin", name) for name in ("ada", "bob"))
        key_id = key.split("_")[1]
        assert revoke_key(connection, key_id)
        assert not revoke_key(connection, key_id)
        assert not revoke_key(connection, "unknown")
        assert check_key(connection, key, NOW) is None
        assert check_key(connection, other, NOW) is not None


def test_a_secret_of_another_key_a_cut_one_and_a_longer_one_are_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        one, two = (create_key(connection, "admin", "ada") for _ in range(2))
        (_, id_one, secret_one), (_, _, secret_two) = one.split("_", 2), two.split("_", 2)
        for wrong in (f"sp_{id_one}_{secret_two}", one[:-1], one + "x", one.upper(), f"SP_{id_one}_{secret_one}", secret_one):
            assert check_key(connection, wrong, NOW) is None
        assert check_key(connection, one, NOW) is not None


@settings(max_examples=100, deadline=None)
@given(presented=st.text(max_size=80) | st.text(max_size=40).map(lambda rest: f"sp_{rest}"))
@example("")
@example("sp__")
@example("sp_\x00_x")
@example("sp_a_\ud800")
@example("sp_' OR true --_x")
def test_nothing_that_is_no_key_gets_in_or_causes_an_error(shared_engine: Engine, presented: str) -> None:
    with shared_engine.connect() as connection:
        assert check_key(connection, presented, NOW) is None


def test_an_unknown_role_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(PermanentError, match="Use one of viewer, operator, promoter, admin"):
        create_key(connection, "root", "ada")  # type: ignore[arg-type]
