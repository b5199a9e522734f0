"""How training shows itself in words: progress as log lines, a manifest and what its figures hold as tables. Pictures: `plots`."""

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from sentiment_platform.models.family import Progress, ProgressSink
from sentiment_platform.models.version_figures import shown_figures
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.statistics.estimate import MACRO_F1, TITLES

EVERY_S = 5.0
TERMS_SHOWN, EXAMPLE_CHARACTERS = 20, 16
"""As much as fits a window; all of it is in the figures."""
LOOK_UP = "`sentiment-platform labels show ID` shows an example and who labelled it how."

listener: ContextVar[ProgressSink | None] = ContextVar("listener", default=None)
"""A second receiver of every report, for whoever runs training in its own process and wants to draw a bar."""


def progress_line(progress: Progress) -> str:
    """One line: stage, done of total, rate, remaining time, note."""
    share = f"{progress.done}/{progress.total}"
    rate = (
        f", {progress.rate:.0f}/s, {progress.remaining_s:.0f} s left" if progress.rate and progress.done < progress.total else ""
    )
    return f"{progress.stage}: {share}{rate}{f' ({progress.note})' if progress.note else ''}"


def log_progress(write: Callable[[str], object], every_s: float = EVERY_S) -> ProgressSink:
    """A sink that writes at most one line in `every_s` seconds and stage, and each stage's last one."""
    last: dict[str, float] = {}

    def sink(progress: Progress) -> None:
        if (also := listener.get()) is not None:
            also(progress)
        now = time.monotonic()
        if progress.done >= progress.total or now - last.get(progress.stage, 0.0) >= every_s:
            last[progress.stage] = now
            write(progress_line(progress))

    return sink


def manifest_sentence(manifest: Manifest, *, new: bool) -> str:
    """What the version is and how good, in one sentence; with the warning of its figures, where there is one."""
    known = [f"{TITLES[name]} {m.value:.3f} (n = {m.n:,})" for name, m in manifest.metrics.items() if name == MACRO_F1]
    state = "is newly published" if new else "stands: its inputs are unchanged"
    warning = shown_figures(manifest).warning
    return f"{manifest.version} {state}. {'; '.join(known) or 'It was not measured'}. {warning or ''}".strip()


def terms_table(moved: Mapping[str, Any]) -> str:
    """Markdown: the terms that moved most against the deployed version, with their evidence, and the rule constants that differ.

    Args:
        moved: as `vader.diff.moved_summary` gives it.
    """
    listed = moved["most"][:TERMS_SHOWN]
    lines = [f"{moved['count']} terms moved{f'; the {len(listed)} that moved most' if len(listed) < moved['count'] else ''}."]
    if listed:
        lines[0] += f" {LOOK_UP}"
        heads = ("term", "valence: old", "new", "emphasis: old", "new", "texts with it", "examples (ids begin with)")
        lines += ["", f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for term in listed:
        weights = (term[name] for name in ("old_valence", "new_valence", "old_emphasis", "new_emphasis"))
        cells = [_cell(term["term"]), *(f"{weight:+.2f}" if weight else "0" for weight in weights)]
        examples = ", ".join(f"`{_cell(example)[:EXAMPLE_CHARACTERS]}`" for example in term["examples"])
        lines.append(f"| {' | '.join(cells)} | {term['evidence']} | {examples} |")
    if constants := moved["constants"]:
        lines += ["", "Rule constants that differ:", "", "| rule constant | old | new |", "|---|---|---|"]
        lines += [f"| {name} | {old:.3f} | {new:.3f} |" for name, (old, new) in constants.items()]
    return "\n".join(lines)


def doubted_table(distillation: Mapping[str, Any]) -> str:
    """Markdown: how far models that did not train on a text predict its label, and the labels that they doubt most.

    Args:
        distillation: as `transformer.training.distillation` gives it.
    """
    lines = [
        f"Models that did not train on a text predict its label for {distillation['agreement']:.1%} of the training texts."
        f" Their prediction is {distillation['share']:.0%} of what the model was trained towards."
    ]
    if doubted := distillation["doubted"]:
        heads = ("example (id begins with)", "label", "predicted", "with probability")
        lines += [
            "",
            f"The {len(doubted)} labels most worth a second look. {LOOK_UP}",
            "",
            f"| {' | '.join(heads)} |",
            f"|{'---|' * len(heads)}",
        ]
    for text in doubted:
        identifier = _cell(text["id"])[:EXAMPLE_CHARACTERS]
        lines.append(f"| `{identifier}` | {text['label']} | {text['predicted']} | {text['probability']:.3f} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", " ")
