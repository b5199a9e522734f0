"""Claims about keys and signatures."""

import json

import pytest

from sentiment_platform.errors import SettingsError
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys, SignatureRefused, generate_private_key, public_key_of
from sentiment_platform_tests.registry.examples import new_keys

PAYLOAD = b'{"a":1}'


def test_a_signature_of_the_right_role_is_accepted() -> None:
    keys = new_keys()
    for role in ("model", "operator"):
        keys.public().verify(role, PAYLOAD, keys.sign(role, PAYLOAD))


def test_a_changed_payload_is_refused() -> None:
    keys = new_keys()
    signature = keys.sign("model", PAYLOAD)
    with pytest.raises(SignatureRefused):
        keys.public().verify("model", PAYLOAD + b" ", signature)


def test_a_model_signature_is_no_operator_signature_even_when_both_roles_share_a_key() -> None:
    seed = generate_private_key()
    keys = PrivateKeys.parse(f"model={seed},operator={seed}")
    signature = keys.sign("model", PAYLOAD)
    relabelled = json.dumps({**json.loads(signature), "role": "operator"}).encode()
    for replayed in (signature, relabelled):
        with pytest.raises(SignatureRefused):
            keys.public().verify("operator", PAYLOAD, replayed)


def test_a_signature_by_an_unknown_key_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="not a trusted model key"):
        new_keys().public().verify("model", PAYLOAD, new_keys().sign("model", PAYLOAD))


def test_an_unknown_key_that_claims_a_trusted_key_id_is_refused() -> None:
    trusted, other = new_keys(), new_keys()
    key_id = json.loads(trusted.sign("model", PAYLOAD))["key_id"]
    forged = json.dumps({**json.loads(other.sign("model", PAYLOAD)), "key_id": key_id}).encode()
    with pytest.raises(SignatureRefused, match="does not match"):
        trusted.public().verify("model", PAYLOAD, forged)


def test_both_keys_are_trusted_while_they_rotate_and_only_the_new_one_afterwards() -> None:
    old, new = generate_private_key(), generate_private_key()
    signed_by_old = PrivateKeys.parse(f"model={old}").sign("model", PAYLOAD)
    both = PublicKeys.parse(f"model={public_key_of(old)}, model={public_key_of(new)}")
    both.verify("model", PAYLOAD, signed_by_old)
    both.verify("model", PAYLOAD, PrivateKeys.parse(f"model={new}").sign("model", PAYLOAD))
    with pytest.raises(SignatureRefused):
        PublicKeys.parse(f"model={public_key_of(new)}").verify("model", PAYLOAD, signed_by_old)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"<html></html>", b"[" * 900, b"\xff" * 64, b"x" * 5000],
    ids=["empty", "no fields", "page", "deep", "binary", "long"],
)
def test_a_malformed_signature_file_is_refused(content: bytes) -> None:
    with pytest.raises(SignatureRefused):
        new_keys().public().verify("model", PAYLOAD, content)


def test_a_missing_private_key_is_named_when_it_is_needed() -> None:
    keys = PrivateKeys.parse(f"model={generate_private_key()}")
    with pytest.raises(SettingsError, match="operator"):
        keys.sign("operator", PAYLOAD)


@pytest.mark.parametrize("text", ["model=abc", "trainer=" + "A" * 43 + "=", "model", "model=" + "A" * 88])
def test_malformed_keys_are_refused_without_showing_them(text: str) -> None:
    for kind in (PrivateKeys, PublicKeys):
        with pytest.raises(SettingsError) as refused:
            kind.parse(text)
        assert "AAAA" not in str(refused.value)


def test_private_keys_do_not_show_in_a_repr_and_public_ones_round_trip() -> None:
    seed = generate_private_key()
    keys = PrivateKeys.parse(f"model={seed}")
    assert "seeds" not in repr(keys)
    assert PublicKeys.parse(keys.public().text()) == keys.public()
    with pytest.raises(SettingsError, match="twice"):
        PrivateKeys.parse(f"model={seed},model={seed}")
