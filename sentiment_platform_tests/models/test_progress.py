"""The rate and remaining time of long work."""

from sentiment_platform.models.family import Progress
from sentiment_platform.models.progress import WINDOW_S, ProgressMeter, throttled


class SteppedClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rate_and_remaining_time_follow_from_units_and_seconds() -> None:
    clock, seen = SteppedClock(), list[Progress]()
    meter = ProgressMeter(seen.append, "fine-tuning", 100, clock=clock)
    clock.now += 2.0
    meter.advance(20, "loss 0.9")
    assert seen == [Progress(stage="fine-tuning", done=20, total=100, rate=10.0, remaining_s=8.0, note="loss 0.9")]


def test_the_rate_is_that_of_the_last_seconds_not_of_the_whole_run() -> None:
    clock, seen = SteppedClock(), list[Progress]()
    meter = ProgressMeter(seen.append, "x", 10_000, clock=clock)
    for _ in range(30):
        clock.now += 1.0
        meter.advance(100)
    for _ in range(int(WINDOW_S) + 5):
        clock.now += 1.0
        meter.advance(10)
    assert seen[-1].rate == 10.0
    assert seen[-1].remaining_s == (10_000 - seen[-1].done) / 10.0
    assert meter.rate > 50.0, "the overall rate still remembers the fast start"


def test_reports_are_spaced_but_the_last_one_is_never_left_out() -> None:
    clock, seen = SteppedClock(), list[Progress]()
    meter = ProgressMeter(seen.append, "x", 1_000, clock=clock, interval_s=0.5)
    for _ in range(1_000):
        clock.now += 0.01
        meter.advance(1)
    assert len(seen) <= 22
    assert (seen[-1].done, seen[-1].remaining_s) == (1_000, 0.0)


def test_work_that_ends_early_reports_nothing_remaining() -> None:
    clock, seen = SteppedClock(), list[Progress]()
    meter = ProgressMeter(seen.append, "x", 100, clock=clock)
    clock.now += 1.0
    meter.advance(30)
    meter.finish("stopped by the clock")
    assert (seen[-1].done, seen[-1].total, seen[-1].remaining_s, seen[-1].note) == (30, 30, 0.0, "stopped by the clock")


def test_before_any_time_has_passed_the_remaining_time_is_unknown_not_zero() -> None:
    seen = list[Progress]()
    ProgressMeter(seen.append, "x", 10, clock=SteppedClock()).advance(1)
    assert (seen[0].rate, seen[0].remaining_s) == (0.0, float("inf"))


def test_a_throttled_sink_hears_each_stage_at_its_own_pace_and_always_its_end() -> None:
    now, heard = [0.0], list[tuple[str, int]]()
    sink = throttled(lambda progress: heard.append((progress.stage, progress.done)), 10.0, clock=lambda: now[0])
    for done in range(1, 31):
        now[0] += 1.0
        sink(Progress(stage="train", done=done, total=30, rate=1.0, remaining_s=1.0))
        if done == 5:
            sink(Progress(stage="export", done=1, total=4, rate=1.0, remaining_s=1.0))
    assert heard == [("train", 1), ("export", 1), ("train", 11), ("train", 21), ("train", 30)]
