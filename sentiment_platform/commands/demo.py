"""`demo`: the whole loop once, with progress, then a summary and what to try next."""

import os
import time
from typing import TYPE_CHECKING

import click

from sentiment_platform.commands.console import say
from sentiment_platform.commands.parameters import PORT
from sentiment_platform.errors import PermanentError
from sentiment_platform.local.processes.process_age import process_age_s
from sentiment_platform.running.run_signals import end_like_ctrl_c
from sentiment_platform.text.example import EXAMPLE_TEXT

if TYPE_CHECKING:
    from sentiment_platform.commands.live_progress import LiveProgress
    from sentiment_platform.local.demo.demo import Demo

BASE = "TRANSFORMER_BASE"
REAL_PARTS = ("DATABASE_URL", "REDIS_URL", "SENTIMENT_REGISTRY_REPOSITORY")


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop after the summary instead of staying up until Ctrl-C.")
@click.option("--port", type=PORT, help="Port of the Dagster UI. Without it 3000, or a free one.")
def demo(leave: bool, port: int | None) -> None:
    """The whole loop once: an answer at once, news and its scores, training, evidence, deployments, feedback, drift, decision.

    Runs offline on the sample headlines that come with the package; the transformer starts from TRANSFORMER_BASE
    (default here: packaged:minilm), and later commands on the same state folder do so too. Exits with 0 only if every stage worked.

    \b
    Examples:
      sentiment-platform demo
      sentiment-platform demo --exit
    """
    from sentiment_platform.commands.live_progress import LiveProgress

    started = time.monotonic() - process_age_s()
    if named := [name for name in REAL_PARTS if os.environ.get(name)]:
        raise PermanentError(
            f"The demo runs on a local stack alone, and {', '.join(named)} would lead its invented headlines elsewhere.",
            remedy=f"Start it without: env {' '.join(f'-u {name}' for name in named)} sentiment-platform demo",
        )
    os.environ.setdefault(BASE, "packaged:minilm")
    end_like_ctrl_c()
    with LiveProgress() as live:
        _run(live, port, started, leave=leave)


def _run(live: "LiveProgress", port: int | None, started: float, *, leave: bool) -> None:
    from sentiment_platform.commands.demo_summary import show_addresses, show_summary
    from sentiment_platform.commands.up import chosen_ports
    from sentiment_platform.local.demo.demo import Demo
    from sentiment_platform.local.demo.sample_data import sample_directory
    from sentiment_platform.local.session import remember, session

    live.step("starting the local stack")
    ports = chosen_ports(port)
    with (
        session(feeds_directory=sample_directory() / "feeds", log=live.indented, join=False) as settings,
        Demo(
            settings, live.indented, started=started, serving_port=ports.serving, dagster_port=ports.dagster, step=live.step
        ) as loop,
    ):
        # Checks of the demo's runs ask what serves, as they do under `up`; the end of the session takes it away again.
        os.environ["SENTIMENT_SERVING_URL"] = loop.serving_url
        remember(settings, {BASE: settings.transformer_base})
        try:
            _stages(live, loop)
            live.step("reading what the news says")
            with live.still():
                show_summary(loop, time.monotonic() - started)
                show_addresses(loop)
                _require_no_failure(loop)
                if not leave:
                    say("\nEverything stays up until Ctrl-C.")
                    loop.children.watch()
        finally:
            live.step("stopping")


def _stages(live: "LiveProgress", loop: "Demo") -> None:
    from sentiment_platform.commands.demo_summary import answer_line, curl
    from sentiment_platform.models.pages.reporting import listener

    _title(live, "1  The versions that the platform ships: published, signed, deployed, served")
    first = loop.answer_at_once()
    _title(live, f"It answers, {loop.report.first_answer_after_s:.0f} s after the start: {loop.serving_url}")
    live.indented(f"{EXAMPLE_TEXT}: {answer_line(first)}")
    live.indented(curl(loop.serving_url))
    _title(live, "2  News: an archive and live feeds, scored as it comes in")
    loop.collect()
    _title(live, "3  Challengers: trained on the sample while requests are answered, compared, swapped in where they are better")
    loop.show_dagster()
    token = listener.set(live)
    loop.train_challengers()
    listener.reset(token)
    _title(live, "4  Feedback, drift, performance, decision; the last week's news by what is deployed now")
    loop.give_feedback()
    loop.label_sample()
    loop.look_back()
    loop.score_last_week()
    loop.live_answers()


def _require_no_failure(loop: "Demo") -> None:
    if unknown := loop.unknown_keys():
        raise click.ClickException(f"Redis holds keys of no documented space: {unknown[:5]}")
    if loop.report.load.failures:
        raise click.ClickException(
            f"{loop.report.load.failures.total()} requests failed during the swap: {dict(loop.report.load.failures)}"
        )


def _title(live: "LiveProgress", text: str) -> None:
    live.say(f"\n{text}", "bold cyan")
