"""What a demo has measured, for its summary."""

from dataclasses import dataclass, field
from typing import Any

from sentiment_platform.local.demo.load import LoadReport
from sentiment_platform.running.headless import RunOutcome
from sentiment_platform.store.figures import StoredFigure


@dataclass(kw_only=True)
class DemoReport:
    """What the summary shows; every value was measured in this run."""

    articles: int = 0
    stories: int = 0
    quarantined: int = 0
    feature_vectors: int = 0
    runs: dict[str, RunOutcome] = field(default_factory=dict[str, RunOutcome])
    figures: list[StoredFigure] = field(default_factory=list[StoredFigure])
    load: LoadReport = field(default_factory=LoadReport)
    swapped_after_s: float = 0.0
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    first_answer_after_s: float = 0.0
    feedback: int = 0
    audited: int = 0
