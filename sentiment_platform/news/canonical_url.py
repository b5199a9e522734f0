"""One spelling for the addresses of one page: what publishers, feeds, aggregators and phones add to a link is taken off.

Source: RFC 3986 section 6.2; the parameters, hosts and paths are those that publishers' feeds and AMP add. No I/O: whether a
page names a canonical address itself is not looked up.
"""

import re
from functools import lru_cache
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit, urlunsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_TRACKING = re.compile(
    r"(?i)utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi|mkt_tok|cmpid|cmp|ncid|ocid|smid|"
    r"smtyp|guccounter|guce_referrer\w*|soc_src|soc_trk|ref_src|taid|sr_share|spref|xtor|amp|amp_\w+|gaa_\w+|_ga|_gl|_r|at_\w+|ns_\w+|"
    r"\.?tsrc|yptr|ftag|ito|emc|sref|__source|feedType|feedName|linkId|mbid|esrc|bxid|oly_enc_id|oly_anon_id|vero_id|vero_conv|wprov|dicbo|"
    r"intcmp|icid|s_cid|wt\.mc_id|pk_\w+|mtm_\w+|piwik_\w+|rss|twclid|ttclid|li_fat_id|wickedid|__twitter_impression"
)
# Parameters that often matter, but not with a value that only says through which feed or in which dress the link was handed out.
_FEED_PARAMETER = re.compile(r"(?i)ref|source|src|via|cid|outputType|partner|mod|from|campaign|referrer|traffic_source|feed")
_FEED_VALUE = re.compile(r"(?i)(?:feed|rss|cs-).*|amp")
_DRESSED_HOST = re.compile(r"(?:www\d{0,2}|m|mobile|amp)\.(?=[^.]+\.[^.])")
_AMP_CACHE = re.compile(r"/(?:amp|[acv])/(?P<secure>s/)?(?P<page>[^/]+\.[^/]+/.*)")
_AMP_FOLDER = re.compile(r"^/amp(?=/.)")
_GOOGLE = re.compile(r"google\.(?:com|com?\.)?[a-z]{0,3}")
_DEFAULT_PAGE = re.compile(r"/index\.html?$|;jsessionid=[^/]*")
_AMP_ENDING = re.compile(r"(?:/amp|\.amp)$|\.amp(?=\.html?$)")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|%")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


@lru_cache(maxsize=10_000)
def canonical_url(url: str | None) -> str | None:
    """The canonical address of the page that `url` names; None for anything but http and https. Idempotent.

    Lower-case scheme and host (an international one in its ASCII form), no `www`, mobile or AMP host, no default port, user or
    fragment, no AMP folder, ending or cache, no redirect of a search, no tracking parameters, no default page or session, the query sorted, no dot segments, no trailing slash but the root's.
    """
    if url is None:
        return None
    address = _one_pass(url.strip())
    # A cached page's address is an address itself, and what one pass takes off may uncover more. Each further pass shortens it.
    while address is not None and (again := _one_pass(address)) != address:
        address = again
    return address


def _one_pass(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, port = _host(parts), parts.port
        query = parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape")
    except ValueError:  # a broken IPv6 host or port, or a host that cannot be written in ASCII: no address
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return None
    path = _path(parts.path)
    if _GOOGLE.fullmatch(host) and path == "/url":
        page = next((value for name, value in query if name in ("url", "q") and value.startswith(("http://", "https://"))), None)
        if page is not None:
            return page
    if (host == "google.com" or host.endswith(".ampproject.org")) and (cached := _AMP_CACHE.fullmatch(path)):
        return f"http{'s' if cached['secure'] else ''}://{cached['page']}{'?' if parts.query else ''}{parts.query}"
    path = _AMP_FOLDER.sub("", path)
    kept = sorted((name, value) for name, value in query if not _is_tracking(name, value))
    place = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return urlunsplit((parts.scheme, place, path, urlencode(kept, errors="surrogateescape"), ""))


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        return f"[{host}]"
    if not host.isascii():
        host = host.encode("idna").decode()
    return _DRESSED_HOST.sub("", host.strip(".").lower(), count=1)


def _path(path: str) -> str:
    quoted = quote(_ESCAPE.sub(_escape, path), safe="/%:@!$&'()*+,;=~-._", errors="surrogatepass")
    segments: list[str] = []
    for segment in quoted.split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment != ".":
            segments.append(segment)
    tidy = "/" + "/".join(segments).strip("/")
    return _AMP_ENDING.sub("", _DEFAULT_PAGE.sub("", tidy)) or "/"


def _escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return "%25"
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _is_tracking(name: str, value: str) -> bool:
    return bool(_TRACKING.fullmatch(name) or (_FEED_PARAMETER.fullmatch(name) and _FEED_VALUE.fullmatch(value)))
