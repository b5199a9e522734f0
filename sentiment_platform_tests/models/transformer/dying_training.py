"""A process that trains or evaluates and dies at a chosen side effect: run as a script by `test_killed_training`.

Side effects are the commits of the platform's database, the steps on the registry and the renames below the state directory. They are
numbered in the order in which they happen; a case may end its process with SIGKILL before or after one of them. Each case runs in a
fork of a process that has imported everything: starting Python and torch takes longer than the run.
"""

import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from sentiment_platform_tests.faults.crashing import Effects, watch

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class Case(msgspec.Struct, frozen=True):
    """What to run over the platform that `environment` names, with which folder for temporary files, and where to die."""

    environment: dict[str, str]
    temporary: str
    family: str
    parameters: dict[str, Any]
    evaluate: bool = False
    kill_at: tuple[str, int] | None = None


class Answer(msgspec.Struct, frozen=True):
    """How a case ended: its exit status (-9: killed), and its side effects if it came to its end."""

    status: int
    effects: list[str] = []


def train(case: Case, effects: Effects) -> None:
    from sentiment_platform.models.family import TrainingOptions
    from sentiment_platform.models.versions.publishing import train_and_publish
    from sentiment_platform.settings import Settings
    from sentiment_platform.store.engine import create_platform_engine
    from sentiment_platform_tests.promotion.stepping import SteppedAccess

    settings = Settings.from_environment(case.environment)
    access = SteppedAccess(settings, lambda step: effects.around(step, lambda: None))
    engine, options = (
        create_platform_engine(settings.database_url),
        TrainingOptions(seed=7, threads=1, parameters=case.parameters),
    )
    train_and_publish(engine, access, case.family, options, run_id="run", now=lambda: NOW, progress=lambda _: None)


def evaluate(case: Case) -> None:
    from sentiment_platform.models.assets import evaluation_asset
    from sentiment_platform.store.resources import PlatformResource

    asset: Any = evaluation_asset(case.family)
    # Its body alone: a run of Dagster's would add its own commits. The body asks the context for the id of the run.
    body = asset.op.compute_fn.decorated_fn
    context = SimpleNamespace(run=SimpleNamespace(run_id="run"))
    body(context, platform=PlatformResource(overrides=case.environment, fixed_now=NOW.isoformat()))


def watch_renames(effects: Effects, below: Path) -> None:
    """Count what every `Path.rename` of this process puts below the folder."""

    def rename(path: Path, target: Any, then: Callable[..., Any] = Path.rename) -> Any:
        if below in Path(target).parents:
            return effects.around(f"rename {Path(target).name}", lambda: then(path, target))
        return then(path, target)

    Path.rename = rename  # type: ignore[method-assign]


def serve() -> None:
    """Read cases, one JSON document a line; fork a process for each, and answer with how it ended."""
    warnings.filterwarnings("ignore")
    # Imported once, for every child.
    ours = ("sentiment_platform.models.assets", "sentiment_platform.models.versions.publishing")
    for module in ("torch.onnx", "transformers", "onnx", "onnxscript", "onnxruntime", "matplotlib.backends.backend_agg", *ours):
        import_module(module)
    for line in sys.stdin:
        case = msgspec.json.decode(line, type=Case)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.environ.update(case.environment)
                tempfile.tempdir = case.temporary
                effects = Effects(case.kill_at)
                watch(effects)
                watch_renames(effects, Path(case.environment["SENTIMENT_STATE_DIR"]))
                evaluate(case) if case.evaluate else train(case, effects)
                os.write(writing, msgspec.json.encode(effects.names))
                status = 0
            except Exception:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        _, waited = os.waitpid(child, 0)
        answer = Answer(os.waitstatus_to_exitcode(waited), msgspec.json.decode(said, type=list[str]) if said else [])
        print(msgspec.json.encode(answer).decode(), flush=True)


if __name__ == "__main__":
    serve()
