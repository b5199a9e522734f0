"""A family of the tests' own whose versions misbehave: the signed file `evil.json` of a version says how."""

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from sentiment_platform.models.families import FamilyEntry
from sentiment_platform.models.family import Explanation, Floats
from sentiment_platform.models.vader.family import VaderModel, load_vader

EVIL_FILE = "evil.json"
ENTRY = FamilyEntry(
    description="misbehaves", loader="sentiment_platform_tests.serving.evil:load", trainer="nowhere:trained", cost=1
)
PLUGGED_IN = """
from sentiment_platform.models.families import FAMILIES
from sentiment_platform_tests.serving.evil import ENTRY
FAMILIES["evil"] = ENTRY
import serving
serving.run()
"""
Manner = Literal[
    "good",
    "segfault",
    "abort",
    "silent end",
    "chatter",
    "child left behind",
    "memory",
    "memory in pieces",
    "endless work",
    "endless answer",
    "nan",
    "infinite",
    "nan with features",
    "wrong shape",
    "no distribution",
    "flipped labels",
    "slow",
]
MANNERS: tuple[Manner, ...] = get_args(Manner)
SLOW_S = 0.06


class Evil:
    """VADER's answers, `changed`."""

    batch_size = 4
    uses_features = True

    def __init__(self, model: VaderModel, changed: Callable[[Floats, bool], Floats]) -> None:
        self._model = model
        self._changed = changed

    def logits(self, texts: Sequence[str]) -> Floats:
        return self._model.logits(texts)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        return self._changed(np.asarray(self._model.predict(texts, features)), features is not None)

    @property
    def feature_schema(self) -> str:
        return self._model.feature_schema

    def fits(self, text: str) -> bool:
        return self._model.fits(text)

    def explain(self, text: str, features: Floats | None) -> Explanation:
        return self._model.explain(text, features)


def load(directory: Path, *, threads: int = 1) -> Evil:
    """Do at once what `evil.json` says, or when it is asked."""
    manner = (directory / EVIL_FILE).read_text().strip().strip('"')
    if manner in _AT_LOADING:
        _AT_LOADING[manner]()
    return Evil(load_vader(directory, threads=threads), _WHEN_ASKED.get(manner, lambda said, _: said))


def _segfault() -> None:
    ctypes.string_at(0)


def _all_the_memory() -> None:
    held = []
    while True:
        held.append(np.ones(8 * 2**20))


def _in_pieces() -> None:
    held = []
    while True:
        held.append("x" * 1000 + str(len(held)))


def _work() -> None:
    while True:
        pass


def _sleep() -> None:
    time.sleep(3600)


def _chatter() -> None:
    while True:
        os.write(1, b"loading, please wait\n" * 1000)
        sys.stdout.write("{}")
        if os.times().user > 0.5:
            raise RuntimeError("that was all")


def _leave_a_child() -> None:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    _sleep()


_AT_LOADING: dict[str, Callable[[], object]] = {
    "segfault": _segfault,
    "abort": os.abort,
    "silent end": lambda: os._exit(0),
    "chatter": _chatter,
    "child left behind": _leave_a_child,
    "memory": _all_the_memory,
    "memory in pieces": _in_pieces,
    "endless work": _work,
}


def _endless_answer(said: Floats, _: bool) -> Floats:
    _sleep()
    return said


def _slow(said: Floats, _: bool) -> Floats:
    time.sleep(SLOW_S)
    return said


_WHEN_ASKED: dict[str, Callable[[Floats, bool], Floats]] = {
    "endless answer": _endless_answer,
    "nan": lambda said, _: said * np.nan,
    "infinite": lambda said, _: said + np.inf,
    "nan with features": lambda said, features: said * np.nan if features else said,
    "wrong shape": lambda said, _: said[:, :2],
    "no distribution": lambda said, features: said * 2 if features else said,
    "flipped labels": lambda said, _: said[:, ::-1],
    "slow": _slow,
}
