"""`demo`: the whole loop once, with progress, then a summary and what to try next."""

import contextlib
import signal
import time

import click
from rich.markup import escape
from rich.table import Table

from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.commands.progress import TrainingBar
from sentiment_platform.local.demo.demo import Demo, DemoReport
from sentiment_platform.local.demo.sample_data import sample_directory
from sentiment_platform.local.processes.process_age import process_age_s
from sentiment_platform.local.session import session
from sentiment_platform.models.families import FAMILIES, cheapest_family, model_asset_name
from sentiment_platform.models.pages.reporting import listener
from sentiment_platform.statistics.estimate import ACCURACY, ECE, MACRO_F1, TITLES, with_interval


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop after the summary instead of staying up until Ctrl-C.")
@shows_errors
def demo(leave: bool) -> None:
    """The whole loop once: news, features, every family, evidence, deployments, predictions, feedback, drift, decision.

    Runs offline on the sample headlines that come with the package; the transformer starts from TRANSFORMER_BASE
    (default here: packaged:minilm). Exits with 0 only if every stage worked.
    """
    import os

    started = time.monotonic() - process_age_s()
    os.environ.setdefault("TRANSFORMER_BASE", "packaged:minilm")
    # Ends like Ctrl-C, so that every part is stopped in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        session(feeds_directory=sample_directory() / "feeds", log=_say, join=False) as settings,
        Demo(settings, _say, started=started) as loop,
    ):
        _title("1  News: an archive and live feeds")
        loop.collect()
        _title(f"2  The cheapest family, {cheapest_family()}: trained, signed, deployed, served")
        loop.first_deployment()
        _title(f"It answers, {loop.report.first_answer_after_s:.0f} s after the start: {loop.serving_url}")
        _say(_curl(loop.serving_url))
        _title("3  The transformer: fine-tuned while requests are answered, then compared and swapped in")
        loop.show_dagster()
        with TrainingBar(console) as bar:
            token = listener.set(bar)
            loop.second_deployment()
            listener.reset(token)
        _title("4  Feedback, drift, performance, decision")
        loop.give_feedback()
        loop.look_back()
        loop.live_answers()
        _summary(loop.report, loop.serving_url, loop.dagster_url, time.monotonic() - loop.started)
        if unknown := loop.unknown_keys():
            raise click.ClickException(f"Redis holds keys of no documented space: {unknown[:5]}")
        if loop.report.load.failures:
            raise click.ClickException(
                f"{loop.report.load.failures.total()} requests failed during the swap: {dict(loop.report.load.failures)}"
            )
        if not leave:
            console.print("\nEverything stays up until Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                loop.children.watch()


def _summary(report: DemoReport, serving_url: str, dagster_url: str, seconds: float) -> None:
    deployment = report.runs["train_job"].metadata["deployment"]
    evaluation = report.runs["train_job"].metadata["ab_evaluation"]
    table = Table(
        "",
        "",
        title=f"The loop in {seconds:.0f} s (sample headlines; see sentiment_platform/local/demo/sample/README.md)",
        show_header=False,
    )
    table.add_row(
        "news", f"{report.articles} articles, {report.stories} stories, {report.quarantined} refused rows in quarantine"
    )
    table.add_row("features", f"{report.feature_vectors} vectors of 15 features (schema v1)")
    for family in FAMILIES:
        trained = report.runs["train_job"].metadata[model_asset_name(family)]
        table.add_row(str(trained["version"]), _figures(report, str(trained["version"]), base=str(trained["base_model"])))
    table.add_row("verdict", escape(str(evaluation["verdict"])))
    table.add_row("deployment", f"{deployment['deployment']}: default {deployment['default_family']}. {deployment['reason']}")
    table.add_row(
        "live swap",
        f"{report.load.requests} requests while training and swapping, {report.load.failures.total()} failed; answered by "
        + ", ".join(f"{version} {count}" for version, count in report.load.versions.items()),
    )
    table.add_row("feedback", f"{report.feedback} labels on live predictions")
    decision = report.runs["monitor_job"].metadata["retrain_decision"]
    table.add_row("decision", escape(f"retrain {decision['retrain']}: {decision['reason']}"))
    console.print(table)
    answers = Table("text", "sentiment", "confidence", "direction", "model", "ms", title="Five live predictions")
    for answer in report.answers:
        prediction, performance = answer["prediction"], answer["performance"]
        answers.add_row(
            answer["text"],
            f"{prediction['sentiment']:+.2f}",
            f"{prediction['confidence']:.2f}",
            prediction["price_direction"],
            performance["model_version"],
            f"{performance['response_time_ms']:.1f}",
        )
    console.print(answers)
    console.print(f"Serving       {serving_url}\nOpenAPI page  {serving_url}/schema\nDagster UI    {dagster_url}")
    last = report.answers[-1]["prediction_id"]
    console.print(
        '\nTry next:\n  sentiment-platform predict "Net loss narrowed"\n  sentiment-platform models rollback\n'
        f"  sentiment-platform explain {last}"
    )


def _figures(report: DemoReport, version: str, *, base: str) -> str:
    measured = {
        figure.metric: figure for figure in report.figures if figure.version == version and figure.window.startswith("holdout")
    }
    shown = [f"{TITLES[name]} {with_interval(measured[name])}" for name in (ACCURACY, MACRO_F1)]
    return f"{', '.join(shown)}, ECE {measured[ECE].value:.3f}, n {measured[ACCURACY].n} holdout texts; base {base}"


def _title(text: str) -> None:
    console.print(f"\n[bold cyan]{text}[/]")


def _say(text: str) -> None:
    console.print(f"  {escape(text)}")


def _curl(url: str) -> str:
    return f"""curl -s {url}/predict -H 'content-type: application/json' -d '{{"text": "Net loss narrowed"}}'"""
