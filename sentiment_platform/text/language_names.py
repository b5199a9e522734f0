"""A language by its code or by its name, in the spelling of BCP 47: `en`, `pt-BR`.

Source: ISO 639-1 and 639-2, names in English and in the language itself. Not here: which language a text is written in.
"""

import re

_LANGUAGES = """
af afr afrikaans; am amh amharic; ar ara arabic العربية; az aze azerbaijani; be bel belarusian; bg bul bulgarian български;
bn ben bengali bangla; bs bos bosnian; ca cat catalan català; cs ces cze czech čeština; cy cym wel welsh; da dan danish dansk;
de deu ger german deutsch; el ell gre greek ελληνικά; en eng english anglais englisch inglés; es spa spanish español castellano castilian;
et est estonian eesti; eu eus baq basque; fa fas per persian farsi; fi fin finnish suomi; fil filipino tagalog;
fr fra fre french français; ga gle irish; gl glg galician; gu guj gujarati; he heb iw hebrew; hi hin hindi हिन्दी; hr hrv croatian hrvatski;
hu hun hungarian magyar; hy hye arm armenian; id ind indonesian; is isl ice icelandic; it ita italian italiano; ja jpn jp japanese 日本語;
ka kat geo georgian; kk kaz kazakh; km khm khmer; kn kan kannada; ko kor kr korean 한국어; lt lit lithuanian; lv lav latvian;
mk mkd mac macedonian; ml mal malayalam; mn mon mongolian; mr mar marathi; ms msa may malay; mt mlt maltese; my mya bur burmese;
nb nob bokmål; ne nep nepali; nl nld dut dutch nederlands flemish; nn nno nynorsk; no nor norwegian norsk; pa pan punjabi;
pl pol polish polski; pt por portuguese português; ro ron rum romanian română; ru rus russian русский; si sin sinhala;
sk slk slo slovak; sl slv slovenian slovene; sq sqi alb albanian; sr srp serbian; sv swe swedish svenska; sw swa swahili; ta tam tamil;
te tel telugu; th tha thai; tl tgl; tr tur turkish türkçe; uk ukr ukrainian українська; ur urd urdu; uz uzb uzbek;
vi vie vietnamese; zh zho chi chinese mandarin cantonese 中文"""
_CODES = {name: words[0] for entry in _LANGUAGES.split(";") if (words := entry.split()) for name in words}
_TAG = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{1,8})*)", re.IGNORECASE)
_NAME = re.compile(r"([^\W\d_]+)(?:[\s,/-]*[(\[]?.*)?", re.DOTALL)


def language_code(text: str) -> str | None:
    """The language's code with region or script where a code names them; None where `text` names no language."""
    text = text.strip().partition(";")[0].partition(",")[0].strip()
    tag = _TAG.fullmatch(text)
    if tag:
        language = tag[1].lower()
        parts = [part for part in re.split("[-_]", tag[2]) if part]
        known = _CODES.get(language, language)
        return "-".join([known, *(_part(part) for part in parts)])
    name = _NAME.fullmatch(text)
    return _CODES.get(name[1].casefold()) if name else None


def _part(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part.lower()
