"""How much work the event loop takes on: requests that it has begun, in seconds, and how long one has waited for it already.

Whatever a request costs beside its model (parsing, journal, figures) is work of the one loop. Beyond a share of the deadline more of it
would make every answer late. What a request costs is the loop's processor time over the requests that it finished.
"""

import time
from dataclasses import dataclass

from serving.work.classes import CLASSES, WorkClass
from serving.work.head_room import HeadRoom

FIRST_S = 0.0005
"""Of one plain answer, before any was measured."""
WEIGHT = 0.2
MEASURED_AT_ONCE = 20
"""Plain answers."""
NEARLY = 0.75
"""Of its deadline: an answer that took longer is a warning."""
CROWD = 4
"""So many begun at a time, and the loop is not idle."""
REFUSAL = 0.05
"""What a refusal costs, in plain answers."""
SHARE_OF_CLASS: dict[WorkClass, float] = {"answer": 1.0, "batch": 0.5, "shadow": 0.25, "explain": 0.5}
"""Of what the loop takes on: a class that may wait leaves room for answers."""
MOST_ITEMS = 32
BYTES_OF_AN_ITEM = 80
BYTES_THAT_COST = 1500
"""So many bytes of a body cost as much as one plain answer does without its text."""


def work_in(kind: WorkClass, content_length: int) -> float:
    """The work of a request whose body has at most that many bytes, in plain answers."""
    items = max(1, min(MOST_ITEMS, content_length // BYTES_OF_AN_ITEM)) if kind == "batch" else 1
    return items + content_length / BYTES_THAT_COST


@dataclass(slots=True)
class Taken:
    """A request that was begun; `work` in plain answers, `ends_at` as `time.perf_counter()`; `only`: nothing else was begun then."""

    kind: WorkClass
    work: float
    came_at: float
    ends_at: float
    only: bool

    def is_late(self) -> bool:
        """Whether its deadline has passed."""
        return time.perf_counter() > self.ends_at


class LoopShare:
    """What the event loop has begun. Used from its thread.

    Args:
        deadline_s: within which a plain request is answered.
    """

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._head_room = HeadRoom(least=0.25, most=0.5)
        self._begun = dict.fromkeys(CLASSES, 0.0)
        self._requests = 0
        self._second_of_work = FIRST_S
        self._worked_at = 0.0
        self._finished = 0.0
        self._crowded = False

    @property
    def waiting_s(self) -> float:
        """Seconds of work that were begun and are not finished."""
        return sum(self._begun.values()) * self._second_of_work

    def take(self, kind: WorkClass, work: float, received_at: float) -> Taken | None:
        """Begin it; None where too much is begun, or it has waited too long already."""
        room_s = self._deadline_s * self._head_room.share * SHARE_OF_CLASS[kind]
        waited_s = time.perf_counter() - received_at
        # One request of a class that may wait is begun whatever its size: it lets others pass between its texts.
        own = 0 if kind != "answer" and not self._begun[kind] else work
        # Answers pass what may wait: only other answers are before them.
        before = self._begun["answer"] if kind == "answer" else sum(self._begun.values())
        too_old = waited_s > NEARLY * self._deadline_s
        # Where nothing is begun one is, however old: a loop that only refuses would never become quick again.
        if self._requests and (too_old or (before + own) * self._second_of_work > room_s):
            self._finished += REFUSAL
            return None
        only = not self._requests
        self._requests += 1
        if too_old:
            received_at += waited_s
        self._begun[kind] += work
        return Taken(kind, work, received_at, received_at + self._deadline_s, only)

    def pause(self, taken: Taken) -> None:
        """Its client has to send something first."""
        self._begun[taken.kind] -= taken.work

    def resume(self, taken: Taken) -> None:
        """It goes on."""
        self._begun[taken.kind] += taken.work

    def finish(self, taken: Taken, *, answered: bool) -> bool:
        """It is done; returns whether it was answered and late. `answered`: not refused, and not left by its client."""
        self._measure()
        self._requests -= 1
        self._begun[taken.kind] = self._begun[taken.kind] - taken.work if self._requests else 0.0
        self._finished += taken.work
        if not answered:
            return False
        if taken.kind != "answer":
            return taken.is_late()
        if time.perf_counter() - taken.came_at > NEARLY * self._deadline_s:
            self._head_room.late()
        else:
            self._head_room.in_time()
        return taken.is_late()

    def _measure(self) -> None:
        """Where others wait, all of the thread's time since the last look went to what was finished; else part of it to other things."""
        if self._finished < MEASURED_AT_ONCE:
            return
        worked = time.thread_time()
        if self._crowded:
            spent_s = (worked - self._worked_at) / self._finished
            self._second_of_work += WEIGHT * (min(spent_s, 10 * self._second_of_work) - self._second_of_work)
        self._worked_at, self._finished, self._crowded = worked, 0.0, sum(self._begun.values()) >= CROWD
