"""Secrets in settings: whether one can be guessed, and how lists of ed25519 keys are written.

No message here quotes a secret.
"""

import base64
import binascii
import re
from itertools import pairwise
from typing import Literal, get_args

from sentiment_platform.errors import SettingsError

Role = Literal["model", "operator"]
"""Training signs manifests with the `model` key, the operator deployments with the other."""
KEY_BYTES = 32
FEWEST_CHARACTERS = 5
_EVERYDAY = re.compile(
    r"password|passwort|changeme|change-me|change_me|placeholder|your[-_]|example|letmein|qwerty|<.*>", re.IGNORECASE
)


def guessable(secret: str, least: int) -> str:
    """Why a secret can be guessed, in words that follow "the secret"; "" where it cannot.

    Args:
        least: the fewest characters that it may have.
    """
    if re.search(r"\s", secret):
        return "has a space or a line break in it"
    if len(secret) < least:
        return f"has fewer than {least} characters"
    if _EVERYDAY.search(secret):
        return "is a word that everybody tries"
    neighbours = sum(abs(ord(one) - ord(following)) <= 1 for one, following in pairwise(secret))
    repeats = secret in (secret + secret)[1:-1]
    if len(set(secret)) < FEWEST_CHARACTERS or repeats or neighbours > 2 / 3 * (len(secret) - 1):
        return "repeats or counts its characters"
    return ""


def key_pairs(text: str, variable: str) -> list[tuple[Role, bytes]]:
    """The keys of `model=<base64>,operator=<base64>`, in their order; a role may repeat.

    Raises:
        SettingsError: not of this form; names `variable`, and no key.
    """
    pairs: list[tuple[Role, bytes]] = []
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, _, key = item.partition("=")
        role = next((role for role in get_args(Role) if role == name.strip()), None)
        if role is None:
            raise SettingsError(
                f"{variable} has an entry that is no known role.", remedy="Write `model=<base64>,operator=<base64>`."
            )
        pairs.append((role, decoded_key(f"The {role} key in {variable}", key.strip())))
    return pairs


def decoded_key(name: str, text: str) -> bytes:
    """The 32 bytes of a key in base64; SettingsError, which begins with `name`, for anything else."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(f"{name} is not 32 bytes in base64.", remedy="Generate a new pair with `generate_private_key()`.")
    return key
