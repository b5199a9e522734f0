"""How much one caller may ask: GCRA, the generic cell rate algorithm, as plain arithmetic, and as a script for Redis.

A bucket is one number, the theoretical arrival time (TAT): when the caller will have paid for all that was taken. It grows by the cost, and
may lie ahead of now by the burst. Times are microseconds: in Redis on its own clock, which all processes share.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sentiment_platform.errors import SettingsError

LimitName = Literal["address", "key", "guess"]
LOCAL_BUCKETS = 10_000
"""Callers that a process remembers, about 2 MB; the one that was seen longest ago makes room."""
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost = tonumber(ARGV[1])
local refused, wait, before, after = 0, 0, {}, {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  before[i] = math.max(tonumber(redis.call('GET', key) or 0), now)
  after[i] = before[i] + math.min(cost, burst) * interval
  local over = after[i] - burst * interval - now
  if over > wait then refused, wait = i, over end
end
local reply = {refused, math.ceil(wait), now}
for i, key in ipairs(KEYS) do
  if refused == 0 then
    redis.call('SET', key, string.format('%.0f', after[i]), 'PX', math.ceil((after[i] - now) / 1000))
    before[i] = after[i]
  end
  reply[i + 3] = before[i] - now
end
return reply
"""
"""KEYS: the buckets. ARGV: the cost, then interval and burst of each. All of them take the cost, or none does.

Reply: which refused (from 1, 0 for none), for how long, the time, and how far each TAT lies ahead.
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a caller may take: a token every `interval_us`, and `burst` at once. What costs more than the burst takes all of it."""

    name: LimitName
    interval_us: int
    burst: int

    def remaining(self, ahead_us: int) -> int:
        """Tokens that are left where the TAT lies so far ahead."""
        return max(0, (self.burst * self.interval_us - ahead_us) // self.interval_us)

    def shared_by(self, processes: int) -> "Limit":
        """The part of it that each of so many processes may give by its own count: a token at once at least."""
        return Limit(self.name, self.interval_us * processes, max(1, self.burst // processes))


@dataclass(frozen=True, slots=True)
class Bucket:
    """One caller under one limit."""

    limit: Limit
    caller: str

    @property
    def key(self) -> str:
        """Its name in Redis."""
        return f"limit:{self.limit.name}:{self.caller}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: `refused` names the bucket that had too little, `wait_us` until it has enough; `ahead_us` is of each bucket."""

    refused: Bucket | None
    wait_us: int
    ahead_us: tuple[int, ...]


def limit_of(name: LimitName, setting: str, variable: str) -> Limit | None:
    """The limit of a setting `RATE/BURST`; None for an empty one.

    Raises:
        SettingsError: the setting has another form.
    """
    if not setting:
        return None
    rate, _, burst = setting.partition("/")
    try:
        interval_us, tokens = round(1_000_000 / float(rate)), int(burst)
    except (ValueError, OverflowError, ZeroDivisionError):
        interval_us = tokens = 0
    # Beyond these a TAT is no exact number in Redis' language any more.
    if not (1 <= interval_us <= 10**10 and 1 <= tokens <= 10**6 and interval_us * tokens <= 10**14):
        raise SettingsError(
            f"{variable} is {setting!r}, which is no limit.",
            remedy="Write tokens a second and how many at once, such as `20/400`; leave it empty for no limit.",
        )
    return Limit(name, interval_us, tokens)


class LocalBuckets:
    """The same within one process, on a clock that the caller reads."""

    def __init__(self, largest: int = LOCAL_BUCKETS) -> None:
        self._largest = largest
        self._tats: OrderedDict[str, int] = OrderedDict()

    def left(self, bucket: Bucket, now_us: int) -> int:
        """Tokens that it has, without taking one."""
        return bucket.limit.remaining(max(0, self._tats.get(bucket.key, 0) - now_us))

    def take(self, buckets: Sequence[Bucket], cost: int, now_us: int) -> Taken:
        """Take `cost` tokens from each bucket, or from none."""
        before = [max(self._tats.get(bucket.key, 0), now_us) for bucket in buckets]
        after = [
            tat + min(cost, bucket.limit.burst) * bucket.limit.interval_us for bucket, tat in zip(buckets, before, strict=True)
        ]
        waits = [tat - bucket.limit.burst * bucket.limit.interval_us - now_us for bucket, tat in zip(buckets, after, strict=True)]
        wait_us = max([0, *waits])
        if wait_us:
            return Taken(buckets[waits.index(wait_us)], wait_us, tuple(tat - now_us for tat in before))
        for bucket, tat in zip(buckets, after, strict=True):
            self._tats[bucket.key] = tat
            self._tats.move_to_end(bucket.key)
        while len(self._tats) > self._largest:
            self._tats.popitem(last=False)
        return Taken(None, 0, tuple(tat - now_us for tat in after))
