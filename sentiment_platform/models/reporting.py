"""How training shows itself: progress as log lines, a manifest as a table."""

import time
from collections.abc import Callable
from contextvars import ContextVar

from sentiment_platform.models.contrast_suite import ContrastScore
from sentiment_platform.models.family import Progress, ProgressSink
from sentiment_platform.registry.manifest import Manifest

EVERY_S = 5.0

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


def manifest_summary(manifest: Manifest, *, new: bool) -> str:
    """Markdown: what the version is, its files, its figures."""
    state = "newly published" if new else "unchanged inputs: the published version stands"
    lines = [
        f"**{manifest.version}** ({state}), base {manifest.base_model}, features {manifest.feature_schema.name}",
        "",
        "| metric | value | 95 % interval | n | data |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {m.value:.3f} | {m.low:.3f} to {m.high:.3f} | {m.n} | {m.dataset}{' (in-sample)' if m.in_sample else ''} |"
        for name, m in manifest.metrics.items()
    ]
    if technical := manifest.figures.get("technical"):
        lines += [
            "",
            f"One text in {technical['latency_p50_ms']} ms (p95 {technical['latency_p95_ms']}), {technical['texts_per_s']} texts/s,"
            f" {technical['loaded_mb']} MB, one thread on {technical['processor']} ({technical['cores']} cores)",
        ]
    lines += ["", "| file | MB | sha256 |", "|---|---|---|"]
    lines += [f"| {name} | {entry.size / 1e6:.2f} | `{entry.sha256[:16]}` |" for name, entry in manifest.files.items()]
    return "\n".join(lines)


def contrast_table(score: ContrastScore) -> str:
    """Markdown: pairs of the contrast suite with both sentences right, in all and by kind."""
    whole = score.both_right
    lines = ["| kind of pair | both sentences right |", "|---|---|"]
    lines += [f"| {kind} | {share:.0%} |" for kind, share in score.by_kind.items()]
    return "\n".join([*lines, f"| all {whole.n} | {whole.value:.1%} ({whole.low:.1%} to {whole.high:.1%}) |"])
