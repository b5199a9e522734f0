from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentiment_platform.features.compute import FeatureContext, compute_v1
from sentiment_platform.features.schema import V1

AT = datetime(2025, 1, 5, 23, 30, tzinfo=UTC)  # a Sunday
CONTEXT = FeatureContext(published_at=AT, story_outlets=2.0, ticker_articles_1d=5.0, source_articles_7d=9.0)


def by_name(text: str, context: FeatureContext = CONTEXT) -> dict[str, float | None]:
    return dict(zip(V1.names, compute_v1(text, context), strict=True))


def test_a_headline_by_hand() -> None:
    values = by_name("ACME's profit fell 12% and did not recover in 2024!")
    expected = {
        "number_count": 2.0,
        "percent_count": 1.0,
        "emphasis_count": 1.0,
        "negation_count": 1.0,
        "story_outlets": 2.0,
        "ticker_articles_1d": 5.0,
        "source_articles_7d": 9.0,
        "hour_utc": 23.5,
        "weekday": 6.0,
    }
    assert {name: values[name] for name in expected} == expected


def test_what_is_not_known_is_missing_and_the_words_stay_the_same() -> None:
    known, unknown = compute_v1("Sales rose", CONTEXT), compute_v1("Sales rose")
    assert unknown[10:] == (None,) * 5
    assert unknown[:10] == known[:10]


def test_the_hour_is_utc_whatever_zone_the_time_comes_in() -> None:
    east, west = (replaced(timezone(timedelta(hours=h))) for h in (9, -8))
    assert compute_v1("Sales rose", east) == compute_v1("Sales rose", west) == compute_v1("Sales rose", CONTEXT)


def replaced(zone: timezone) -> FeatureContext:
    return FeatureContext(published_at=AT.astimezone(zone), story_outlets=2.0, ticker_articles_1d=5.0, source_articles_7d=9.0)


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=400))
@example("")
@example("!" * 5000)
@example("\u200b\ud800")
@example("GREAT " * 1000)
def test_any_text_gives_a_valid_vector(text: str) -> None:
    V1.validate(compute_v1(text, CONTEXT))


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=100))
def test_spellings_that_normalise_alike_have_the_same_vector(text: str) -> None:
    assert compute_v1(f"  {text}\u200b ") == compute_v1(text)


def test_the_same_text_gives_the_same_vector_in_any_order_and_thread() -> None:
    texts = [f"Profit of unit {n} rose {n}% but NOT enough!" for n in range(200)]
    alone = [compute_v1(text, CONTEXT) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(lambda text: compute_v1(text, CONTEXT), reversed(texts)))
    assert backwards[::-1] == alone


FIXED = (
    "ACME's profit fell 12% and did not recover in 2024!",
    "Net sales rose to EUR 131m from EUR 118.5m, the company said",
    "GREAT quarter, but the outlook is really bad :( ???",
    "The firm isn't profitable, kind of a disaster",
    "\uff37\uff49\uff44\uff45 letters and a soft\u00ad hyphen",
    "",
)


def test_schema_v1_computes_what_published_models_were_fitted_on() -> None:
    """Whoever changes what a version computes makes a new version instead, and leaves this test as it is."""
    vectors = [[None if value is None else round(value, 9) for value in compute_v1(text, CONTEXT)] for text in FIXED]
    assert sha256(repr(vectors).encode()).hexdigest()[:16] == "ba273ba207a8f9ac"
