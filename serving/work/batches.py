"""What waits for a thread of the models, and what one of them does at a time. Nothing here runs anything."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serving.work.classes import WorkClass


@dataclass(slots=True, eq=False, kw_only=True)
class Work:
    """Something to run on a thread of the models.

    Attributes:
        key: what may run in one call with others of the same key; `length`: only beside others of a similar one.
        most: of one call.
        run: of the items of such a call -> what each of them is answered; an exception is raised to that one's caller.
        ends_at: `time.perf_counter()` by which the answer is needed.
        cost_s: estimated seconds of a processor.
        ran: told the items, and the seconds that they cost together.
        version: whose work it is, for people.
        began: `time.perf_counter()` when a thread was free for it; 0 before.
    """

    kind: WorkClass
    key: object
    item: Any
    length: int
    most: int
    run: Callable[[list[Any]], list[Any]]
    ran: Callable[[list[Any], float], None]
    ends_at: float
    cost_s: float
    version: str = ""
    began: float = 0.0
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(slots=True, eq=False)
class Batch:
    """What a thread does in one call."""

    work: list[Work]
    cost_s: float
    started: float
