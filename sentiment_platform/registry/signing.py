"""Signatures: two ed25519 keys, `model` for manifests and `operator` for deployments.

The signed message starts with the role, so that one role's signature never passes for the other's. Public keys come
from configuration, never from a release; a role may have several (rotation). Which bytes are signed, the caller says.
`cryptography` is imported when a key is used, not before.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec

from sentiment_platform.errors import SettingsError
from sentiment_platform.registry.refusal import SignatureRefused
from sentiment_platform.setting_values.secrets import Role, decoded_key, key_pairs

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_SIGNATURE_BYTES = 1024


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of a `.sig` file; `key_id` is the first 16 hex digits of the public key's sha256."""

    algorithm: Literal["ed25519"]
    key_id: str
    role: Role
    signature: str


def generate_private_key() -> str:
    """A new private key: the 32-byte seed in base64."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def public_key_of(private: str) -> str:
    """The public key (32 bytes in base64) that belongs to the base64 seed `private`."""
    return base64.b64encode(_private_key(decoded_key("private key", private)).public_key().public_bytes_raw()).decode()


@dataclass(frozen=True)
class PrivateKeys:
    """The private keys that this process holds; one that only trains has no operator key. Not shown by repr."""

    seeds: Mapping[Role, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "PrivateKeys":
        """Read `model=<base64>,operator=<base64>`; either may be absent, none may repeat.

        Raises:
            SettingsError: not of this form. The message never contains key material.
        """
        seeds: dict[Role, bytes] = {}
        for role, key in key_pairs(text, "SENTIMENT_SIGNING_KEYS"):
            if role in seeds:
                raise SettingsError(
                    f"SENTIMENT_SIGNING_KEYS names the {role} key twice.",
                    remedy="Keep one private key a role; only public keys may repeat, for rotation.",
                )
            seeds[role] = key
        return cls(seeds)

    def sign(self, role: Role, payload: bytes) -> bytes:
        """The content of the signature file for `payload`.

        Raises:
            SettingsError: this process holds no private key for `role`.
        """
        if role not in self.seeds:
            raise SettingsError(
                f"There is no private {role} key to sign with.",
                remedy=f"Set SENTIMENT_SIGNING_KEYS to contain `{role}=<base64>`.",
            )
        key = _private_key(self.seeds[role])
        content = Signature(
            algorithm="ed25519",
            key_id=_key_id(key.public_key().public_bytes_raw()),
            role=role,
            signature=base64.b64encode(key.sign(_message(role, payload))).decode(),
        )
        return msgspec.json.encode(content, order="deterministic")

    def public(self) -> "PublicKeys":
        """The public halves, to hand to a reader."""
        return PublicKeys({role: (_private_key(seed).public_key().public_bytes_raw(),) for role, seed in self.seeds.items()})


@dataclass(frozen=True)
class PublicKeys:
    """The public keys that are trusted, several a role while keys rotate."""

    keys: Mapping[Role, tuple[bytes, ...]]

    @classmethod
    def parse(cls, text: str) -> "PublicKeys":
        """Read `model=<base64>,operator=<base64>`; a role may repeat.

        Raises:
            SettingsError: not of this form.
        """
        keys: dict[Role, tuple[bytes, ...]] = {}
        for role, key in key_pairs(text, "SENTIMENT_PUBLIC_KEYS"):
            keys[role] = (*keys.get(role, ()), key)
        return cls(keys)

    def text(self) -> str:
        """The form that `parse` reads."""
        return ",".join(f"{role}={base64.b64encode(key).decode()}" for role, keys in self.keys.items() for key in keys)

    def verify(self, role: Role, payload: bytes, signature_file: bytes) -> None:
        """Pass only if a trusted `role` key signed exactly `payload` in that role.

        Raises:
            SignatureRefused: anything else, a malformed signature file included.
        """
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        remedy = f"Check who published it, and that SENTIMENT_PUBLIC_KEYS names the current {role} key."
        if len(signature_file) > MAX_SIGNATURE_BYTES:
            raise SignatureRefused(f"The signature file has {len(signature_file)} bytes.", remedy=remedy)
        try:
            content = msgspec.json.decode(signature_file, type=Signature)
            signature = base64.b64decode(content.signature, validate=True)
        except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, ValueError) as error:
            raise SignatureRefused(f"The signature file cannot be read: {error}.", remedy=remedy) from error
        if content.role != role:
            raise SignatureRefused(f"A {content.role} signature stands where a {role} signature is needed.", remedy=remedy)
        for key in self.keys.get(role, ()):
            if _key_id(key) == content.key_id:
                try:
                    Ed25519PublicKey.from_public_bytes(key).verify(signature, _message(role, payload))
                except (InvalidSignature, ValueError) as error:
                    raise SignatureRefused("The signature does not match the content.", remedy=remedy) from error
                return
        raise SignatureRefused(f"Key {content.key_id!r} is not a trusted {role} key.", remedy=remedy)


def _message(role: Role, payload: bytes) -> bytes:
    return b"sentiment-platform registry v1\0" + role.encode() + b"\0" + payload


def _key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def _private_key(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)
