"""The language of an article whose source states none, as far as its text says so."""

from sentiment_platform.text.english import is_english
from sentiment_platform.text.normalise import normalise

ENGLISH, UNDETERMINED = "en", "und"
"""As BCP 47 has them."""


def detected_language(title: str, summary: str | None) -> str:
    """English, or undetermined where neither the headline alone nor with its summary is English.

    A headline of names says little alone; the summary then speaks for it.
    """
    headline = normalise(title)
    if is_english(headline) or (summary and is_english(f"{headline}. {normalise(summary)}")):
        return ENGLISH
    return UNDETERMINED
