"""A version is unloaded before its successor is loaded, where both do not fit: the cheapest other family answers meanwhile."""

import gc
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.reading import TextReader
from serving.live.beside import beside_of
from serving.live.snapshot import Gap, Snapshot

UNLOADING_S = 2.0
"""So long a version that was unloaded may still be held by requests that it answers."""
Going = Sequence["weakref.ref[TextReader]"]


def bridge(live: Snapshot, family: str, why: str, now: datetime) -> tuple[Snapshot | None, Going]:
    """`live` without `family`, and what is unloaded with it; None where no cheaper family is there to answer."""
    others = {name: model for name, model in live.models.items() if name != family}
    by_cost = sorted(others, key=lambda name: FAMILIES[name].cost)
    if family not in live.models or not by_cost or FAMILIES[by_cost[0]].cost >= FAMILIES[family].cost:
        return None, ()
    old, bridging, was_default = live.models[family], by_cost[0], live.default_family == family
    gap = Gap(
        family=family,
        version=old.version,
        manifest_digest=old.manifest_digest,
        was_default=was_default,
        since=now,
        why=f"{why}: {old.version} is unloaded first, and {bridging} answers in its place.",
    )
    kept = {model.manifest_digest: model for model in others.values()}
    going = [weakref.ref(one.model) for digest, one in live.loaded.items() if digest not in kept]
    bridged = replace(
        live,
        models=others,
        default_family=bridging if was_default else live.default_family,
        beside=beside_of(live.deployment, kept, live.beside.absent),
        gap=gap,
    )
    return bridged, going


def wait_until_gone(going: Going) -> None:
    """Until nobody holds these any more, a moment at most: requests that they answer end."""
    ends = time.monotonic() + UNLOADING_S
    while any(one() is not None for one in going) and time.monotonic() < ends:
        time.sleep(0.02)
        gc.collect()
