"""Claims about what is English: other languages, scripts and gibberish are not; names, emoji and cashtags do not make English foreign."""

import time

import pytest

from sentiment_platform.text.english import _APART, _MAY_STAND_APART, is_english  # pyright: ignore[reportPrivateUsage]

FOREIGN = (
    "Autobauer senkt Prognose nach schwachem Quartal",
    "Tesla senkt Preise in China",
    "Stahlwerk meldet Insolvenz an",
    "Le constructeur automobile abaisse ses objectifs annuels",
    "Total relève son dividende",
    "El banco sube un 12% su beneficio",
    "Google compra una empresa de robots",
    "Utile in crescita per la banca nel terzo trimestre",
    "Lucro do banco sobe 12% no trimestre",
    "Winst van bank stijgt met 12 procent",
    "Bankens vinst ökar med 12 procent",
    "Zysk banku wzrósł o 12 procent",
    "Bankanın kârı yüzde 12 arttı",
    "Laba bank naik 12 persen pada kuartal ketiga",
    "Lợi nhuận ngân hàng tăng 12 phần trăm",
    "Home Depot enttäuscht Anleger",
    "General Electric verkauft eine Sparte",
    "General Motors vende su filial",
    "Goldman Sachs senkt das Kursziel",
    "Wall Street schließt im Plus",
    "Wall Street chiude in calo",
    "Rating de España sube",
    "Gap ferme des magasins",
    "Cash flow negativo para la empresa",
    "Hedge Fund übernimmt Wettbewerber",
    "Прибуток банку зріс на 12 відсотків",
    "Αύξηση κερδών για την τράπεζα",
    "רווחי הבנק עלו ב-12 אחוז",
    "أرباح البنك ترتفع 12 بالمئة",
    "बैंक का मुनाफा 12 प्रतिशत बढ़ा",
    "กำไรของธนาคารเพิ่มขึ้น",
    "은행 순이익 12% 증가",
    "銀行の純利益が12%増加",
    "银行利润增长12%",
)
GIBBERISH = (
    "qwrt zxcv bnmp lkjh",
    "blorf snarg plimt wozzle",
    "lorem ipsum dolor sit amet",
    "12345 %%% $$$",
    "😀😀😀",
    "$TSLA",
    "x" * 50,
    "",
)
ENGLISH = (
    "Nestlé sells its water business",
    "Société Générale cuts 900 jobs",
    "Crédit Agricole profit beats estimates",
    "Telefónica raises dividend",
    "Hermès sales climb",
    "🚀🚀 $TSLA to the moon",
    "$GME short squeeze continues 🔥",
    "Huawei 华为 unveils new chip",
    "Toyota (トヨタ) lifts forecast",
    "Gazprom (Газпром) cuts dividend",
    "Sensex down 300 points; RIL, TCS drag",
    "AMZN price target raised to $4,000 from $3,500 at JPM",
    "Kone Oyj wins order",
    "Signa insolvent",
    "Uniper nationalised",
    "Mediobanca spurns Monte dei Paschi",
    "Banco de Chile sells its stake in a lender",
    "Read more at kiln.example/news: Eskom blackout",
    "BUY",
    "PROFIT ROSE",
    "Merkel meets Macron in Paris",
    "Steelmaker to lay off 2,000 workers as demand weakens",
    "Insurer appoints a new head of human resources",
    "The company will hold its annual meeting on 12 June",
)


@pytest.mark.parametrize("text", [*FOREIGN, *GIBBERISH])
def test_other_languages_and_gibberish_are_not_english(text: str) -> None:
    assert not is_english(text)


@pytest.mark.parametrize("text", ENGLISH)
def test_english_with_foreign_names_emoji_and_cashtags_is_english(text: str) -> None:
    assert is_english(text)


def test_it_takes_less_than_fifty_microseconds() -> None:
    texts = [*FOREIGN, *ENGLISH] * 25
    assert is_english("Profit rose")
    started = time.process_time()
    for text in texts:
        is_english(text)
    assert (time.process_time() - started) / len(texts) < 50e-6


@pytest.mark.parametrize("apart", [".", "$", "@", "#", "'", ":"])
def test_without_a_sign_that_may_set_something_apart_nothing_is_searched_for(apart: str) -> None:
    written = {
        ".": "see harbour-mills.com/a",
        "$": "buy $hmls",
        "@": "by @hmls",
        "#": "on #hmls",
        "'": "it's",
        ":": "https://hmls",
    }[apart]
    assert _APART.search(written)
    assert _MAY_STAND_APART.search(written)
    assert not _APART.search(written.replace(apart, " "))
