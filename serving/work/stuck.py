"""Threads of the models whose work does not end, which nobody can end: they are told, and some are replaced. Beyond those only a new start helps."""

import logging
import time

from serving.work.batches import Batch

STUCK_S = 30.0
"""So long after its deadline nobody expects work to end."""
MOST_REPLACED = 2
"""Threads beyond the usual ones: each that hangs may hold memory, or a processor."""
logger = logging.getLogger(__name__)


class StuckThreads:
    """What hangs, taken from what runs. Used from one event loop."""

    def __init__(self, after_s: float = STUCK_S) -> None:
        self._after_s = after_s
        self._batches: set[Batch] = set()

    def __len__(self) -> int:
        return len(self._batches)

    def __contains__(self, batch: Batch) -> bool:
        return batch in self._batches

    @property
    def lost(self) -> int:
        """Threads in whose place there is no other."""
        return max(0, len(self) - MOST_REPLACED)

    def take_from(self, running: set[Batch]) -> None:
        """Those of `running` that hang run no more; each is told once."""
        late = time.perf_counter() - self._after_s
        for batch in [each for each in running if max(work.ends_at for work in each.work) < late]:
            running.discard(batch)
            self._batches.add(batch)
            first = batch.work[0]
            logger.error(
                "%s does not end, %g s past the deadline (%s; texts: %d, the first of %d characters). Threads that hang: %d, replaced: at most %d",
                first.version,
                self._after_s,
                first.kind,
                len(batch.work),
                first.length,
                len(self),
                MOST_REPLACED,
            )

    def ended(self, batch: Batch) -> None:
        """It came to an end after all."""
        self._batches.discard(batch)

    def why_not_ready(self) -> str:
        """Why a new start is needed; "" where none is."""
        if not self.lost:
            return ""
        versions = ", ".join(sorted({batch.work[0].version for batch in self._batches}))
        return f"{len(self)} threads of the models hang ({versions}), and at most {MOST_REPLACED} are replaced: start the process anew."
