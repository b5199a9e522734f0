"""How SIGINT, SIGTERM and SIGHUP end a command, and a run that is executed in its process.

Dagster swallows signals while a step waits for its pool, for hours where need be, and calls a run that a signal ended failed. Here the run
is told first that it is being cancelled; whatever Dagster makes of the signal, the block around the run is left shortly after.
"""

import signal
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE_S = 0.4
"""So long a step may take to unwind before it is interrupted again, wherever it is."""


class RunInterrupted(KeyboardInterrupt):
    """A signal ended the run; `exit_status` is what a shell would report."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.exit_status = 128 + number


def end_like_ctrl_c() -> None:
    """Let each signal of `ENDING` raise KeyboardInterrupt: a service manager's SIGTERM; the SIGHUP of a terminal that is closed; and SIGINT
    also in the background, where a shell has it ignored. What `nohup` ignores stays ignored."""
    for number in ENDING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


@contextmanager
def interruptible(begin_cancelling: Callable[[], None]) -> Generator[None]:
    """Leave the block with `RunInterrupted` soon after a signal of `ENDING`; outside of the main thread it does nothing.

    Args:
        begin_cancelling: called in another thread once the first signal has arrived.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(begin_cancelling)
    handlers = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGUSR1)}
    end_like_ctrl_c()
    signal.signal(signal.SIGUSR1, watch.interrupt)
    # Of every signal a byte comes here, whichever handler Dagster has put in place by then.
    earlier = signal.set_wakeup_fd(watch.inlet.fileno(), warn_on_full_buffer=False)
    watch.start()
    try:
        yield
    except KeyboardInterrupt:
        watch.received = watch.received or signal.SIGINT
    finally:
        watch.ended.set()
        signal.set_wakeup_fd(earlier)
        watch.stop()
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if watch.received:
        raise RunInterrupted(watch.received)


class _Watch:
    def __init__(self, begin_cancelling: Callable[[], None]) -> None:
        self.received: int = 0
        self.ended = threading.Event()
        self.outlet, self.inlet = socket.socketpair()
        self.inlet.setblocking(False)
        self._begin_cancelling = begin_cancelling
        self._watcher = threading.Thread(target=self._look, name="run-signals", daemon=True)
        self._poke = threading.Timer(PATIENCE_S, signal.pthread_kill, (threading.get_ident(), signal.SIGUSR1))

    def start(self) -> None:
        self._watcher.start()

    def stop(self) -> None:
        self._poke.cancel()
        if self._poke.ident is not None:
            self._poke.join()
        self.inlet.close()
        # It may hang with the database.
        self._watcher.join(PATIENCE_S)
        self.outlet.close()

    def interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if not self.ended.is_set():
            raise KeyboardInterrupt

    def _look(self) -> None:
        while numbers := self.outlet.recv(64):
            self.received = next((number for number in numbers if number in ENDING), 0)
            if self.received:
                # Also when the line below hangs.
                self._poke.start()
                self._begin_cancelling()
                return
