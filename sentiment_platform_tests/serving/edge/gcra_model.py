"""GCRA by its definition, and processes that ask Redis for what the definition then judges."""

import random
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from redis import Redis

from serving.edge.gcra import SCRIPT, Limit

ADDRESS, KEY = Limit("address", 1_000, 50), Limit("key", 3_000, 30)


class PlainModel:
    """GCRA as its definition has it: a bucket that leaks a token each interval, in whole microseconds."""

    def __init__(self) -> None:
        self._owed_until: dict[str, int] = {}

    def admits(self, wanted: list[tuple[str, Limit]], cost: int, now: int) -> bool:
        owed = {name: max(0, self._owed_until.get(name, now) - now) for name, _ in wanted}
        after = {name: owed[name] + min(cost, limit.burst) * limit.interval_us for name, limit in wanted}
        if any(after[name] > limit.burst * limit.interval_us for name, limit in wanted):
            return False
        self._owed_until |= {name: now + owes for name, owes in after.items()}
        return True


Event = tuple[int, int, str, str, int]
"""Redis' time, cost, address, key, and which limit refused (0 for none)."""


def ask(url: str, seed: int, events: int) -> list[Event]:
    """What one process asks of Redis, and is told."""
    client, chance, told = Redis.from_url(url), random.Random(seed), list[Event]()
    for _ in range(events):
        cost, address, key = chance.choice((1, 1, 1, 5, 60)), chance.choice("abc"), chance.choice("xy")
        arguments = (cost, ADDRESS.interval_us, ADDRESS.burst, KEY.interval_us, KEY.burst)
        refused, _, now, *_ = client.eval(SCRIPT, 2, f"limit:address:{address}", f"limit:key:{key}", *map(str, arguments))
        told.append((now, cost, address, key, refused))
    client.close()
    return told


def too_many_let_in(told: list[Event]) -> int:
    """Events that were let in and that the plain model refuses, and those refused that it lets in."""
    model, differ = PlainModel(), 0
    # Within one microsecond Redis let in first whom it let in.
    for now, cost, address, key, refused in sorted(told, key=lambda event: (event[0], event[4] > 0)):
        differ += model.admits([(address, ADDRESS), (f"key {key}", KEY)], cost, now) != (refused == 0)
    return differ


def ask_from_processes(url: str, processes: int, events: int) -> list[Event]:
    """What `processes` at once ask of Redis, `events` times each, and are told."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        runs = [pool.submit(ask, url, seed, events) for seed in range(processes)]
        return [event for run in runs for event in run.result(300)]
