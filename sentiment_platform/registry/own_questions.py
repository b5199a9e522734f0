"""Questions that the platform asks serving to check it: signed, so that they are answered as any and recorded nowhere.

Only a holder of the private model key can sign one, and only for one text: nobody else can ask without being recorded.
"""

from sentiment_platform.registry.refusal import SignatureRefused
from sentiment_platform.registry.signing import PrivateKeys, PublicKeys

HEADER = "X-Own-Question"
_MARK = b"a question of our own\0"
"""What is signed begins with it: no manifest does."""


def sign_question(keys: PrivateKeys, text: str) -> str:
    """The value of HEADER for a question about `text`.

    Raises:
        SettingsError: this process holds no private model key.
    """
    return keys.sign("model", _MARK + text.encode(errors="surrogatepass")).decode()


def is_own_question(keys: PublicKeys, text: str, header: str | None) -> bool:
    """Whether a holder of a trusted model key signed a question about exactly this text."""
    if not header:
        return False
    try:
        keys.verify("model", _MARK + text.encode(errors="surrogatepass"), header.encode())
    except SignatureRefused:
        return False
    return True
