"""How much of a deadline may be planned with: less after late answers, slowly more while all are in time (AIMD)."""

import time

STEP_UP = 0.015
STEP_DOWN = 0.85
ONE_STEP_S = 0.1
"""Answers that are late together are one piece of news."""


class HeadRoom:
    """A share between `least` and `most`."""

    def __init__(self, *, least: float, most: float) -> None:
        self.share = most
        self._least, self._most = least, most
        self._stepped_at = 0.0

    def in_time(self) -> None:
        """An answer kept its deadline."""
        if self.share < self._most and self._may_step():
            self.share = min(self._most, self.share + STEP_UP)

    def late(self) -> None:
        """An answer did not."""
        if self._may_step():
            self.share = max(self._least, self.share * STEP_DOWN)

    def _may_step(self) -> bool:
        now = time.perf_counter()
        if now - self._stepped_at < ONE_STEP_S:
            return False
        self._stepped_at = now
        return True
