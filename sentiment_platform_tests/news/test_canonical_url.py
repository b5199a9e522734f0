import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_platform.news.canonical_url import canonical_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Example.COM:443/A/b/?utm_source=x&b=2&a=1#top", "https://example.com/A/b?a=1&b=2"),
        ("http://example.com:80", "http://example.com/"),
        ("http://example.com:8080/x/", "http://example.com:8080/x"),
        ("https://user:secret@example.com/x", "https://example.com/x"),
        ("https://example.com/a?source=feed_symbol_X", "https://example.com/a"),
        ("https://example.com/a?source=archive", "https://example.com/a?source=archive"),
        ("https://example.com/watch?v=R_pGt", "https://example.com/watch?v=R_pGt"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]/x"),
        ("https://www.example.com/x", "https://example.com/x"),
        ("https://m.example.com/x", "https://example.com/x"),
        ("https://amp.example.com/x/amp/", "https://example.com/x"),
        ("https://example.com/x.amp?outputType=amp", "https://example.com/x"),
        ("https://example.com/x.amp.html?amp=1", "https://example.com/x.html"),
        ("https://www.google.com/amp/s/www.example.com/x?a=1", "https://example.com/x?a=1"),
        ("https://www-example-com.cdn.ampproject.org/c/s/www.example.com/x/amp", "https://example.com/x"),
        (
            "https://example.com/a?gaa_at=g&_ga=2.1&at_medium=RSS&yptr=y&.tsrc=rss&feedType=RSS&ns_mchannel=x&emc=rss&ftag=Y",
            "https://example.com/a",
        ),
        ("https://example.com/a?partner=rss&mod=rss_markets&from=feed", "https://example.com/a"),
        ("https://example.com/a?partner=kiln&mod=3&from=2", "https://example.com/a?from=2&mod=3&partner=kiln"),
        ("https://www2.example.com/amp/x", "https://example.com/x"),
        ("https://example.com/amp/", "https://example.com/"),
        ("https://example.com/camp/x", "https://example.com/camp/x"),
        ("https://example.com/x/index.html", "https://example.com/x"),
        ("https://example.com/index.htm;jsessionid=1F?a=1", "https://example.com/?a=1"),
        ("https://www.google.co.uk/url?rct=j&url=https://www.example.com/x%3Fa%3D1&ct=ga", "https://example.com/x?a=1"),
        ("https://www.google.com/url?q=kiln", "https://google.com/url?q=kiln"),
        ("https://www.google.com/search?q=amp", "https://google.com/search?q=amp"),
        ("https://m.co/x", "https://m.co/x"),
        ("https://B\u00dcCHER.example/%7eann/%c3%a4/./b/../c", "https://xn--bcher-kva.example/~ann/%C3%A4/c"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("file:///etc/passwd", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://[broken/x", None),
        ("https://example.com:99999/x", None),
        (None, None),
    ],
)
def test_the_canonical_address_of_a_page(url: str | None, expected: str | None) -> None:
    assert canonical_url(url) == expected


ADDRESSES = st.builds(
    "{}://{}{}/{}?{}#{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    st.sampled_from(
        ["example.com", "WWW.Example.com", "[::1]", "b\u00fccher.example", "a.b.", "m.www.example.com", "google.com"]
    ),
    st.sampled_from(["", ":80", ":443", ":8080"]),
    st.text(max_size=20) | st.text("a%2./mp", max_size=20) | st.just("amp/s/m.example.com/amp/amp"),
    st.text(max_size=20),
    st.text(max_size=5),
)


@given(ADDRESSES)
def test_making_an_address_canonical_twice_changes_nothing(url: str) -> None:
    once = canonical_url(url)
    if once is not None:
        assert canonical_url(once) == once


@given(st.permutations(["a=1", "b=2", "b=1", "c="]), st.sampled_from(["utm_campaign=x", "fbclid=1", "gclid="]))
def test_the_order_of_the_query_and_tracking_do_not_matter(query: list[str], tracking: str) -> None:
    assert canonical_url("https://example.com/x?" + "&".join([*query, tracking])) == "https://example.com/x?a=1&b=1&b=2&c="
