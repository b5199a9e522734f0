"""A family of the tests' own that answers as VADER does, and of whose versions some fail at some texts: the signed file says so."""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sentiment_platform.models.family import Explanation, Floats
from sentiment_platform.models.vader.family import VaderModel, load_vader
from sentiment_platform.models.vader.training import TrainedVader, VaderFamily
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform_tests.serving.publishing import Publisher, trained
from sentiment_platform_tests.serving.turtle import Turtle

RAISES, NO_NUMBER = "thunder", "lightning"
"""Words at which a version that fails raises, or answers NaN."""
HANGS = "avalanche"
"""At which it never answers."""
FAILS_FILE = "fails.json"
PLUGGED_IN = """
from dataclasses import replace
from sentiment_platform.models.families import FAMILIES
LOADER = "sentiment_platform_tests.serving.fickle:load"
FAMILIES["fickle"] = replace(FAMILIES["vader"], loader=LOADER, cost=100)
FAMILIES["vader"] = replace(FAMILIES["vader"], loader=LOADER)
import serving
serving.run()
"""
"""`fickle` runs on a thread, `vader` on the event loop."""


class Fickle(Turtle):
    """VADER's answers; a version that `fails` does so at texts with one of the two words, and cannot explain these."""

    def __init__(self, model: VaderModel, *, fails: bool) -> None:
        super().__init__(model)
        self._fails = fails

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        said = np.array(self._model.predict(texts, features))
        for number, text in enumerate(texts if self._fails else ()):
            if HANGS in text:
                time.sleep(3600)
            if RAISES in text:
                raise RuntimeError("the graph has no node of this name")
            if NO_NUMBER in text:
                said[number] = np.nan
        return said

    def explain(self, text: str, features: Floats | None) -> Explanation:
        self.predict([text], features)
        if self._fails and "unexplained" in text:
            raise RuntimeError("no explanation")
        return self._model.explain(text, features)


def load(directory: Path, *, threads: int = 1) -> Fickle:
    """What `fails.json` says."""
    return Fickle(load_vader(directory, threads=threads), fails=(directory / FAILS_FILE).read_text() == "true")


def fickle_version(publisher: Publisher, version: str, *, fails: bool = False) -> Manifest:
    """Publish one."""
    state, data = trained()
    with TemporaryDirectory() as folder:
        directory = Path(folder)
        one = TrainedVader(scorer=state.scorer, head=state.head, fitted_macro_f1=0.9)
        VaderFamily().export(one, data, directory, lambda _: None)
        (directory / FAILS_FILE).write_text("true" if fails else "false")
        return publisher.publish(directory, version, load(directory))
