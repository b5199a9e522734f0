"""Claims about what is taken out of a comment: what may lead to a person, and nothing that news speak of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_platform.text.redaction import without_contacts

TAKEN_OUT = {
    "mail me: ada@example.org.": "mail me: [e-mail].",
    "ADA.Lovelace+news@mail.example.co.uk, thanks": "[e-mail], thanks",
    "<ada@example.org>": "<[e-mail]>",
    "ada [at] example.org": "[e-mail]",
    "ada(AT)example.org": "[e-mail]",
    "ünïcode@exämple.org": "[e-mail]",
    "call +49 (0)30 901820": "call [number]",
    "call 030/901820-12 now": "call [number] now",
    "555-0134-22": "[number]",
    "4111 1111 1111 1111": "[number]",
    "4111-1111-1111-1111": "[number]",
    "GB82 1234 5698 7654 32": "[number]",
    "account 0532013000": "account [number]",
    "١٢٣٤٥٦٧٨٩": "[number]",
}
KEPT = [
    "profit of 1,250,000 in 2026, up 12.5%",
    "on 2026-11-29 and 29.11.2026",
    "Q3 2026 v1.2.3",
    "5.00 to 10.00",
    "@handle and a@b",
    "AAPL, MSFT",
    "12345",
    "",
]


@pytest.mark.parametrize(("said", "kept"), TAKEN_OUT.items())
def test_addresses_and_long_numbers_are_taken_out(said: str, kept: str) -> None:
    assert without_contacts(said) == kept


@pytest.mark.parametrize("said", KEPT)
def test_what_news_speak_of_stays(said: str) -> None:
    assert without_contacts(said) == said


@given(st.text(max_size=200), st.from_regex(r"[a-z]{1,20}@[a-z]{1,20}[.](com|org)", fullmatch=True))
def test_an_address_is_taken_out_wherever_it_stands(around: str, address: str) -> None:
    assert address not in without_contacts(f"{around} {address} {around}")


@given(st.text(alphabet="1234567890+-.()@ a[t]", max_size=2000))
def test_nothing_takes_long(said: str) -> None:
    assert "@" not in without_contacts("a@bc.de" + said)[:6]
