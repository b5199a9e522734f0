"""What people write beside the point, taken out before it is kept: e-mail addresses, and numbers that may be a telephone, an account, a card."""

import re

E_MAIL, NUMBER = "[e-mail]", "[number]"
FEWEST_DIGITS = 7
"""Digits of a number that may lead to somebody; years, prices and percentages have fewer."""
_E_MAIL = re.compile(
    r"[^\s@<>()\[\],;:\"]{1,64}\s?(?:@|[(\[]at[)\]])\s?[^\s@<>()\[\],;:\"]{1,190}\.[^\W\d_]{2,24}", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
# Country and check digits of an IBAN belong to it.
_NUMBER = re.compile(r"(?<!\w)(?:[A-Z]{2}(?=\d{2}))?[+(]?\d(?:[ \t\-./()\u2010-\u2015]{0,3}\d){6,40}(?!\w)")


def without_contacts(text: str) -> str:
    """The text with `[e-mail]` and `[number]` in the place of what may lead to a person. Dates stay."""
    return _NUMBER.sub(lambda found: found[0] if _DATE.fullmatch(found[0]) else NUMBER, _E_MAIL.sub(E_MAIL, text))
