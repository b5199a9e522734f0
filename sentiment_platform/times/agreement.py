"""What the zones that a text names mean together: a name, digits, a comment in brackets. Where they contradict each other, nobody knows.

Digits are certain, and a name beside them only has to be possible: `-0400 (EST)` is, `+0100 EDT` is not, `CST (UTC+8)` is China's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from sentiment_platform.times.zones import clock_of, may_mean, means_elsewhere


@dataclass(frozen=True, slots=True)
class Named:
    """A zone as the text has it: its folded name, or its offset. `in_brackets`: an unknown name there only explains."""

    zone: str | timezone
    in_brackets: bool = False


def agreed(named: list[Named], local: datetime, stated: tzinfo) -> tzinfo | None:
    """The one clock that all of `named` (one or more) mean at the naive `local`; None where it is unknown, or they contradict each other.

    `stated`: the source's own zone, whose names for itself win.
    """
    digits = {one.zone for one in named if isinstance(one.zone, timezone)}
    names = [one for one in named if isinstance(one.zone, str)]
    if digits:
        only = digits.pop()
        # Behind digits a name may be of the other season. Digits behind a name may be those of a list, which has winter's only.
        slack = timedelta(hours=1) if isinstance(named[0].zone, timezone) else timedelta()
        possible = all(may_mean(str(one.zone), only.utcoffset(None), local, stated, slack) for one in names)
        return only if possible and not digits else None
    clocks = [clock_of(str(one.zone), local, stated) for one in names]
    if clocks[0] is None or any(clock is None and not one.in_brackets for one, clock in zip(names, clocks, strict=True)):
        return None
    offsets = [clock.utcoffset(local) for clock in clocks if clock]
    if len(set(offsets)) == 1:
        return clocks[0]
    # A short name that several countries have, and a long one that says which.
    return clocks[-1] if len(names) == 2 and means_elsewhere(str(names[0].zone), offsets[-1]) else None
