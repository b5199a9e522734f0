"""Clocks by name: which offset, or whose rule, a zone's name stands for. A name that means several clocks is not here.

The names of RFC 2822 keep its offsets (EST is -0500 in July too); one without "standard" or "daylight" goes by the rule of its day.
Not here: offsets in digits (`reading`), what several statements of one text mean together (`agreement`).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from sentiment_platform.times.words import fold

_FIXED = {
    0: "ut, utc, gmt, z, zulu, wet, azost, egst, greenwich mean time, coordinated universal time, universal time, gmt time, utc time",
    # RFC 2822
    -240: "edt, bot, clt, gyt",
    -300: "est, cdt, cot, pet",
    -360: "cst, mdt",
    -420: "mst, pdt",
    -480: "pst, akdt",
    -540: "akst, hdt",
    -600: "hst",
    -180: "brt, art, uyt, clst, adt, gft, srt, fkst",
    -150: "ndt",
    -120: "brst",
    -60: "azot, cvt",
    60: "bst, west, cet, met, mez, wat, british summer time, irish standard time, irish summer time",
    120: "cest, mest, mesz, eet, cat, sast, cet summer time",
    180: "eest, eat, trt, idt, fet",
    210: "irst",
    240: "msd, azt, get, samt, mut, ret, sct",
    270: "irdt, aft",
    300: "pkt, uzt, yekt, tjt, tmt, mvt",
    330: "ist, slst",  # India's, unless the source states a clock that calls itself so
    345: "npt",
    360: "omst, btt, kgt",
    420: "ict, wib, krat, novt",
    480: "sgt, hkt, myt, pht, phst, awst, wita, irkt, ulat, bnt",
    540: "jst, kst, wit, yakt, tlt",
    570: "acst",
    600: "aest, chst, vlat, pgt",
    630: "acdt",
    660: "aedt, magt, sbt, vut, nct",
    720: "nzst, fjt, pett",
    780: "nzdt, tot",
}
"""Minutes east of UTC -> the names that always mean them."""

_ELSEWHERE = {
    "bst": (360,),
    "cst": (-300, 480, 570, 630),
    "edt": (660,),
    "est": (600, 660),
    "ist": (60, 120),
    "mst": (390, 480),
    "pst": (300, 480),
    "met": (690,),
}
"""Names of the table that other countries use too -> minutes there; digits beside the name say which is meant."""

_BY_RULE = {
    "America/New_York": "et, eastern, us eastern, us et, est5edt",
    "America/Chicago": "ct, central, us central, cst6cdt",
    "America/Denver": "mt, mountain, us mountain, mst7mdt",
    "America/Los_Angeles": "pt, pacific, us pacific, pst8pdt",
    "America/Caracas": "vet",
    "Asia/Almaty": "almt",
    "Asia/Shanghai": "北京时间, 北京時間",
    "Asia/Tokyo": "日本時間",
    "Asia/Seoul": "한국시간, 한국 시간",
    "Australia/Sydney": "aet",
    "Europe/Moscow": "msk, мск",
}
"""Place -> names without "standard" or "daylight", which go by its rule."""

_CLOCKS = {
    "America/New_York": "eastern, us eastern, new york",
    "America/Chicago": "central, us central, chicago",
    "America/Denver": "mountain, us mountain",
    "America/Los_Angeles": "pacific, us pacific",
    "America/Anchorage": "alaska, alaskan",
    "America/Halifax": "atlantic, halifax",
    "America/St_Johns": "newfoundland",
    "America/Toronto": "toronto",
    "America/Sao_Paulo": "brasilia, sao paulo, e. south america",
    "America/Argentina/Buenos_Aires": "argentina, buenos aires",
    "America/Santiago": "chile, santiago",
    "America/Bogota": "colombia, bogota",
    "America/Lima": "peru, lima",
    "America/Caracas": "venezuela, venezuelan, caracas",
    "Pacific/Honolulu": "hawaii, hawaiian, hawaii-aleutian, honolulu",
    "Europe/London": "uk, london, gmt",
    "Europe/Lisbon": "western european, lisbon",
    "Europe/Berlin": "central european, w. europe, frankfurt, berlin",
    "Europe/Paris": "romance, paris",
    "Europe/Zurich": "zurich",
    "Europe/Helsinki": "eastern european, fle",
    "Europe/Moscow": "moscow, russian",
    "Europe/Istanbul": "turkey, istanbul",
    "Africa/Lagos": "west africa, lagos",
    "Africa/Nairobi": "east africa, nairobi",
    "Africa/Maputo": "central africa",
    "Africa/Johannesburg": "south africa, south african, johannesburg",
    "Asia/Jerusalem": "israel",
    "Asia/Riyadh": "arabian, arabia, arab, saudi, riyadh",
    "Asia/Dubai": "gulf, dubai, abu dhabi, uae",
    "Asia/Karachi": "pakistan, karachi",
    "Asia/Kolkata": "india, indian, mumbai, delhi, new delhi",
    "Asia/Bangkok": "indochina, thailand, bangkok, se asia",
    "Asia/Jakarta": "western indonesia, jakarta",
    "Asia/Manila": "philippine, philippines, manila",
    "Asia/Kuala_Lumpur": "malaysia, malaysian, kuala lumpur",
    "Asia/Singapore": "singapore",
    "Asia/Hong_Kong": "hong kong",
    "Asia/Taipei": "taipei, taiwan",
    "Asia/Shanghai": "china, beijing, shanghai",
    "Asia/Tokyo": "japan, tokyo",
    "Asia/Seoul": "korea, korean, seoul",
    "Australia/Perth": "australian western, w. australia, perth",
    "Australia/Adelaide": "australian central, cen. australia, adelaide",
    "Australia/Sydney": "australian eastern, aus eastern, sydney, melbourne",
    "Pacific/Auckland": "new zealand, auckland",
}
"""Place -> whose "time", "standard time" and "daylight time" it keeps."""


@dataclass(frozen=True, slots=True)
class _Season:
    """A long name with its season, as in Eastern Standard Time: some write it all year, so it counts only while that place keeps it."""

    key: str
    summer: bool

    def at(self, local: datetime) -> tzinfo | None:
        for again in (0, 1):
            time = local.replace(tzinfo=_rule(self.key), fold=again)
            offset = time.utcoffset()
            if offset is not None and bool(time.dst()) == self.summer:
                return timezone(offset)
        return None


def _names() -> dict[str, int | str | _Season]:
    names: dict[str, int | str | _Season] = {}
    for key, listed in _CLOCKS.items():
        for clock in listed.split(", "):
            names |= {f"{clock} time": key, f"{clock} standard time": _Season(key, summer=False)}
            names |= {f"{clock} {season} time": _Season(key, summer=True) for season in ("daylight", "summer", "daylight saving")}
    names |= {fold(name): key for key, listed in _BY_RULE.items() for name in listed.split(", ")}
    names |= {f"u.s. {name.removeprefix('us ')}": meaning for name, meaning in names.items() if name.startswith("us ")}
    return names | {name: minutes for minutes, listed in _FIXED.items() for name in listed.split(", ")}


_NAMES = _names()
_PHRASES = sorted((re.escape(name) for name in _NAMES if not re.fullmatch("[a-z]{1,7}", name)), key=len, reverse=True)
NAME = re.compile(rf"(?:{'|'.join(_PHRASES)}|[a-z]+(?:/[a-z0-9_+-]+)+|(?:[a-z]\.){{2,4}}|[a-z]{{1,7}}\.?)(?![^\W_]|/)")
"""What may be a zone's name in folded text: some words of the table, a name of the IANA database (`europe/berlin`), or one word."""


@cache
def _keys() -> dict[str, str]:
    return {key.lower(): key for key in available_timezones()}


@cache
def _rule(key: str) -> ZoneInfo:
    return ZoneInfo(key)


def load_every_zone() -> None:
    """Read the rules of all zones, for a process that may open no file afterwards."""
    for key in _keys().values():
        _rule(key)


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name, in any case (`America/New_York`, `UTC`).

    Raises:
        ValueError: there is none of that name.
    """
    key = _keys().get(name.strip().lower())
    if key is None:
        raise ValueError(f"{name!r} is no time zone; write it like America/New_York, Europe/London or UTC")
    return UTC if key == "UTC" else _rule(key)


def clock_of(name: str, local: datetime, stated: tzinfo) -> tzinfo | None:
    """What the folded `name` means at the naive `local`; `stated`: the source's own zone, whose names for itself win.

    None where nobody can say: no such zone, or a long "standard" or "daylight" name out of its season.
    """
    name = name if name in _NAMES else name.replace(".", "")
    own = _own_name(name, local.year, stated)
    if own is not None:
        return own
    meaning = _NAMES.get(name)
    if isinstance(meaning, int):
        return timezone(timedelta(minutes=meaning))
    if isinstance(meaning, _Season):
        return meaning.at(local)
    key = meaning or (_keys().get(name) if "/" in name else None)
    return _rule(key) if key else None


def may_mean(name: str, offset: timedelta, local: datetime, stated: tzinfo, slack: timedelta) -> bool:
    """Whether digits may stand beside the folded `name` at the naive `local`: its own offset or one that is off by at most `slack`, that of
    another country that has the name too, or any where nobody knows the name."""
    clock = clock_of(name, local, stated)
    if clock is None:
        return True
    allowed = timedelta() if name in ("z", "utc", "zulu") else slack
    return means_elsewhere(name, offset) or any(abs(offset - one) <= allowed for one in _offsets(clock, local))


def means_elsewhere(name: str, offset: timedelta | None) -> bool:
    """Whether another country calls a clock of that offset `name` too."""
    return any(offset == timedelta(minutes=minutes) for minutes in _ELSEWHERE.get(name.replace(".", ""), ()))


def _offsets(clock: tzinfo, local: datetime) -> set[timedelta]:
    return {offset for again in (0, 1) if (offset := local.replace(tzinfo=clock, fold=again).utcoffset()) is not None}


def _own_name(name: str, year: int, stated: tzinfo) -> tzinfo | None:
    """The offset that `name` has on the stated clock, in winter or in summer of that year."""
    if stated is UTC:
        return None
    for month in (1, 7):
        day = datetime(year, month, 15, 12, tzinfo=stated)
        offset = day.utcoffset()
        if offset is not None and (day.tzname() or "").lower() == name:
            return timezone(offset)
    return None
