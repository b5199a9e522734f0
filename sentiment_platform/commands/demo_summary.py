"""What the demo shows at its end: figures that were measured in it, answers, and the addresses that are open."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from sentiment_platform.commands.live_progress import LiveProgress
from sentiment_platform.local.demo.demo import Demo, DemoReport
from sentiment_platform.models.families import FAMILIES, model_asset_name
from sentiment_platform.statistics.estimate import ACCURACY, ECE, MACRO_F1, TITLES, with_interval
from sentiment_platform.text.example import EXAMPLE_TEXT


def show_summary(live: LiveProgress, report: DemoReport, seconds: float) -> None:
    """Tables that fit 80 columns: the loop, the versions' figures, five answers."""
    live.say("")
    live.show(_loop_table(report, seconds))
    live.say("")
    live.show(_figures_table(report))
    live.say("")
    live.show(_answers_table(report))


def show_addresses(live: LiveProgress, loop: Demo) -> None:
    """What is open, and what to try."""
    last = loop.report.answers[-1]["prediction_id"]
    live.say("\nOpen", "bold cyan")
    live.say(f"  Dagster UI  {loop.dagster_url}")
    live.say(f"  API page    {loop.serving_url}/schema")
    live.say(f"  Ask         {curl(loop.serving_url)}")
    live.say("\nTry next", "bold cyan")
    live.say(f'  sentiment-platform predict "{EXAMPLE_TEXT}"')
    live.say("  sentiment-platform models rollback")
    live.say(f"  sentiment-platform explain {last}")


def curl(url: str) -> str:
    """A request that can be pasted into a shell."""
    return f"""curl -s {url}/predict -H 'content-type: application/json' -d '{{"text": "{EXAMPLE_TEXT}"}}'"""


def _loop_table(report: DemoReport, seconds: float) -> Table:
    deployment = report.runs["train_job"].metadata["deployment"]
    decision = report.runs["monitor_job"].metadata["retrain_decision"]
    table = _table(f"The loop in {seconds:.0f} s", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    answered_by = ", ".join(f"{version} {count}" for version, count in report.load.versions.items())
    for name, shown in (
        ("news", f"{report.articles} articles, {report.stories} stories, {report.quarantined} refused rows in quarantine"),
        ("features", f"{report.feature_vectors} vectors of 15 features (schema v1)"),
        ("bases", "; ".join(f"{family}: {trained['base_model']}" for family, trained in _trained(report).items())),
        ("verdict", report.runs["train_job"].metadata["ab_evaluation"]["verdict"]),
        ("deployment", f"{deployment['deployment']}: default {deployment['default_family']}. {deployment['reason']}"),
        (
            "live swap",
            f"{report.load.requests} requests while training and swapping, {report.load.failures.total()} failed;"
            f" answered by {answered_by}",
        ),
        ("feedback", f"{report.feedback} labels on live predictions"),
        ("decision", f"retrain {decision['retrain']}: {decision['reason']}"),
    ):
        table.add_row(name, Text(str(shown)))
    return table


def _figures_table(report: DemoReport) -> Table:
    table = _table(
        "Figures on the sample's holdout (a sample, not a benchmark)", TITLES[ACCURACY], TITLES[MACRO_F1], TITLES[ECE], "texts"
    )
    for trained in _trained(report).values():
        version = str(trained["version"])
        measured = {one.metric: one for one in report.figures if one.version == version and one.window.startswith("holdout")}
        shown = [with_interval(measured[name]) for name in (ACCURACY, MACRO_F1)]
        table.add_row(Text(version), *shown, f"{measured[ECE].value:.3f}", str(measured[ACCURACY].n))
    return table


def _trained(report: DemoReport) -> dict[str, Mapping[str, Any]]:
    """Family -> what its model asset said of the version that it made."""
    metadata = report.runs["train_job"].metadata
    return {family: metadata[model_asset_name(family)] for family in FAMILIES}


def _answers_table(report: DemoReport) -> Table:
    version = report.answers[0]["performance"]["model_version"]
    table = _table(f"Five answers of {version}", "sentiment", "sure", "direction", "ms", first="text")
    for answer in report.answers:
        table.add_row(*_answer_row(answer))
    return table


def _answer_row(answer: dict[str, Any]) -> tuple[Text, str, str, str, str]:
    prediction, performance = answer["prediction"], answer["performance"]
    return (
        Text(answer["text"]),
        f"{prediction['sentiment']:+.2f}",
        f"{prediction['confidence']:.2f}",
        prediction["price_direction"],
        f"{performance['response_time_ms']:.1f}",
    )


def _table(title: str, *columns: str, first: str = "", show_header: bool = True) -> Table:
    table = Table(
        title=Text(title, "bold"), title_justify="left", box=None, show_header=show_header, padding=(0, 2, 0, 0), pad_edge=False
    )
    if columns:
        table.add_column(first)
        for name in columns:
            table.add_column(name, no_wrap=True)
    return table
