"""Clocks by name: which offset, or whose rule, a zone's name stands for. A name that means several clocks is not here.

The names of RFC 2822 keep its offsets (EST is -0500 in July too); one without "standard" or "daylight" goes by the rule of its day.
Not here: offsets in digits (`reading`).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

_FIXED = {
    0: "ut, utc, gmt, z, zulu, wet, greenwich mean time, coordinated universal time",
    # RFC 2822
    -240: "edt, bot",
    -300: "est, cdt, cot, pet",
    -360: "cst, mdt",
    -420: "mst, pdt",
    -480: "pst, akdt",
    -540: "akst",
    -600: "hst",
    -180: "brt, art, uyt, clst",
    -150: "ndt",
    -120: "brst",
    60: "bst, west, cet, met, mez, wat, british summer time",
    120: "cest, mest, mesz, eet, cat, sast",
    180: "eest, eat, trt, idt",
    210: "irst",
    240: "msd",
    270: "irdt",
    300: "pkt, uzt",
    330: "ist",  # India's, unless the source states a clock that calls itself so
    345: "npt",
    420: "ict, wib",
    480: "sgt, hkt, myt, pht, awst, wita",
    540: "jst, kst, wit",
    570: "acst",
    600: "aest, chst",
    630: "acdt",
    660: "aedt",
    720: "nzst",
    780: "nzdt",
}
"""Minutes east of UTC -> the names that always mean them."""

_BY_RULE = {
    "America/New_York": "et, eastern, us eastern",
    "America/Chicago": "ct, us central",
    "America/Denver": "mt, us mountain",
    "America/Los_Angeles": "pt, us pacific",
    "Europe/Moscow": "msk",
    "Australia/Sydney": "aet",
}
"""Place -> names without "standard" or "daylight", which go by its rule."""

_CLOCKS = {
    "America/New_York": "eastern, us eastern, new york",
    "America/Chicago": "central, us central, chicago",
    "America/Denver": "mountain, us mountain",
    "America/Los_Angeles": "pacific, us pacific",
    "America/Anchorage": "alaska, alaskan",
    "America/St_Johns": "newfoundland",
    "America/Toronto": "toronto",
    "America/Sao_Paulo": "brasilia",
    "Europe/London": "uk, london",
    "Europe/Berlin": "central european, frankfurt, berlin",
    "Europe/Paris": "paris",
    "Europe/Zurich": "zurich",
    "Europe/Moscow": "moscow",
    "Asia/Jerusalem": "israel",
    "Asia/Riyadh": "arabian, arabia",
    "Asia/Dubai": "gulf",
    "Asia/Kolkata": "india, mumbai",
    "Asia/Singapore": "singapore",
    "Asia/Hong_Kong": "hong kong",
    "Asia/Shanghai": "china, beijing, shanghai",
    "Asia/Tokyo": "japan, tokyo",
    "Asia/Seoul": "korea, seoul",
    "Australia/Sydney": "australian eastern, sydney",
    "Pacific/Auckland": "new zealand",
}
"""Place -> whose "time", "standard time" and "daylight time" it keeps."""


@dataclass(frozen=True, slots=True)
class _Season:
    """A long name with its season, as in Eastern Standard Time: some write it all year, so it counts only while that place keeps it."""

    key: str
    summer: bool

    def at(self, local: datetime) -> tzinfo | None:
        for fold in (0, 1):
            time = local.replace(tzinfo=_rule(self.key), fold=fold)
            offset = time.utcoffset()
            if offset is not None and bool(time.dst()) == self.summer:
                return timezone(offset)
        return None


def _names() -> dict[str, int | str | _Season]:
    names: dict[str, int | str | _Season] = {name: minutes for minutes, listed in _FIXED.items() for name in listed.split(", ")}
    names |= {name: key for key, listed in _BY_RULE.items() for name in listed.split(", ")}
    for key, listed in _CLOCKS.items():
        for clock in listed.split(", "):
            names |= {f"{clock} time": key, f"{clock} standard time": _Season(key, summer=False)}
            names |= {f"{clock} {season} time": _Season(key, summer=True) for season in ("daylight", "summer", "daylight saving")}
    return names


_NAMES = _names()
_PHRASES = sorted((re.escape(name) for name in _NAMES if " " in name), key=len, reverse=True)
NAME = re.compile(rf"(?:{'|'.join(_PHRASES)}|[a-z]+(?:/[a-z0-9_+-]+)+|[a-z]{{1,7}})(?![a-z0-9/])")
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
