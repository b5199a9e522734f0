import polars as pl
import pytest

from sentiment_platform.text.misread import MISREAD, is_misread

TEXTS = (
    "Café’s profit rises by £5m – “strong”",
    "Größe überrascht, Überschuß bei Müller",
    "Zażółć gęślą jaźń",
    "Прибыль завода выросла",
    "Τα κέρδη αυξήθηκαν",
    "תחזית הרווח",
    "ارتفاع أرباح",
    "水壶厂商上调",
    "やかんメーカー",
    "주전자 업체",
)
SOUND = (*TEXTS, "CAFÉ», ÉTÉ… NÃO «À»", "AÇÃO É ALTA”", "РОССИЯ: Росбанк «Рост»", "é…” é–” ÖÄÜ", "Â la carte")


@pytest.mark.parametrize(
    ("text", "charset"), [*((text, charset) for text in TEXTS for charset in ("cp1252", "latin-1")), (TEXTS[3], "cp1251")]
)
def test_words_of_utf_8_in_another_charset_are_found(text: str, charset: str) -> None:
    misread = "".join(bytes([byte]).decode(charset, "ignore") or chr(byte) for byte in text.encode())
    assert is_misread(misread)
    assert pl.Series([misread]).str.contains(MISREAD)[0]


@pytest.mark.parametrize("text", SOUND)
def test_sound_words_are_no_misread_ones(text: str) -> None:
    assert not is_misread(text)
    assert not pl.Series([text]).str.contains(MISREAD)[0]
