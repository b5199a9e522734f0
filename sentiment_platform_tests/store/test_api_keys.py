from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from sentiment_platform.errors import PermanentError
from sentiment_platform.store.api_keys import (
    check_key,
    create_key,
    keys_in_force,
    list_keys,
    mark_used,
    revoke_key,
    rotate_key,
    true_claims,
)
from sentiment_platform.store.key_form import PEPPERED, hash_of
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


PEPPER, OTHER_PEPPER = "w8Yd_2kQe-Jr5TzXb7Lm3NpV", "Qe8_rT1-vBn5XsKw3LzPc7Ya"


def test_a_key_with_a_pepper_needs_that_pepper_and_one_from_before_goes_on_working(engine: Engine) -> None:
    with engine.begin() as connection:
        before, since = create_key(connection, "viewer", "ada"), create_key(connection, "viewer", "ada", pepper=PEPPER)
        opened = {
            (name, pepper): check_key(connection, key, NOW, pepper) is not None
            for name, key in (("before", before), ("since", since))
            for pepper in ("", PEPPER, OTHER_PEPPER)
        }
        assert [use for use, opens in opened.items() if not opens] == [("since", ""), ("since", OTHER_PEPPER)]
        stored = keys_in_force(connection, NOW)[since.split("_")[1]].secret_hash
        assert stored.startswith(PEPPERED)
        assert hash_of(since.split("_", 2)[2]) not in stored
        # What stands in the table opens nothing.
        assert check_key(connection, f"sp_{since.split('_')[1]}_{stored}", NOW, PEPPER) is None


def test_a_rotated_key_opens_with_both_secrets_until_the_overlap_ends_and_keeps_all_else(engine: Engine) -> None:
    overlap_until = NOW + timedelta(hours=2)
    with engine.begin() as connection:
        first = create_key(connection, "promoter", "ada", NOW + timedelta(days=9), scopes=["read", "act"])
        name = first.split("_")[1]
        second = rotate_key(connection, name, overlap_until, now=NOW, pepper=PEPPER)
        assert second is not None
        for at, opens in ((NOW, [True, True]), (overlap_until, [False, True]), (NOW + timedelta(days=9), [False, False])):
            assert [check_key(connection, key, at, PEPPER) is not None for key in (first, second)] == opens
        stored = keys_in_force(connection, NOW)[name]
        assert (stored.role, stored.owner, stored.scopes) == ("promoter", "ada", {"read", "act"})
        third = rotate_key(connection, name, overlap_until, now=NOW, pepper=PEPPER)
        assert third is not None
        assert [check_key(connection, key, NOW, PEPPER) is not None for key in (first, second, third)] == [False, True, True]
        revoke_key(connection, name)
        assert [check_key(connection, key, NOW, PEPPER) for key in (second, third)] == [None, None]
        assert rotate_key(connection, name, overlap_until, now=NOW) is None
        assert name not in keys_in_force(connection, NOW)


def test_the_word_of_a_key_counts_in_its_moment_with_either_secret_and_only_where_it_may_give_feedback(engine: Engine) -> None:
    with engine.begin() as connection:
        key = create_key(connection, "viewer", "ada", pepper=PEPPER)
        reader = create_key(connection, "viewer", "ada", pepper=PEPPER, scopes=["read"])
        rotate_key(connection, key.split("_")[1], NOW + timedelta(hours=1), now=NOW, pepper=PEPPER)

        def word(of: str, at: datetime) -> Claimed:
            _, name, secret = of.split("_", 2)
            return Claimed(name, hash_of(secret), at)

        later = NOW + timedelta(hours=1)
        assert true_claims(connection, [word(key, NOW), word(key, later), word(reader, NOW)], PEPPER) == [True, False, False]


@dataclass(frozen=True)
class Claimed:
    key_id: str
    secret_hash: str
    at: datetime


def test_the_last_use_only_moves_forward(engine: Engine) -> None:
    with engine.begin() as connection:
        name = create_key(connection, "viewer", "ada").split("_")[1]
        for at in (NOW, NOW - timedelta(hours=1)):
            mark_used(connection, {name: at, "nobody": at})
        assert [row["last_used_at"] for row in list_keys(connection)] == [NOW]


def test_an_unknown_scope_is_refused(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(PermanentError, match="Use some of predict, feedback, read, act"):
        create_key(connection, "viewer", "ada", scopes=["write"])
