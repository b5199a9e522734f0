"""What the demo shows at its end: figures that were measured in it, what the news says, and the addresses that are open."""

import shutil
import sys
from collections.abc import Mapping
from typing import Any

from sentiment_platform.commands.console import Cell, say, show_table, styled
from sentiment_platform.commands.headlines import COLOURS, show_companies, show_stories
from sentiment_platform.local.demo.demo import Demo
from sentiment_platform.local.demo.report import DemoReport
from sentiment_platform.models.families import FAMILIES, model_asset_name
from sentiment_platform.statistics.estimate import ACCURACY, ECE, MACRO_F1, TITLES, with_interval
from sentiment_platform.text.example import EXAMPLE_TEXT


def show_summary(loop: Demo, seconds: float) -> None:
    """The loop, the versions' figures, answers, and what the news says: tables that fit 80 columns."""
    report = loop.report
    say("")
    show_table(("", ""), _loop_rows(report), title=f"The loop in {seconds:.0f} s", show_header=False)
    say("")
    show_table(
        ("", TITLES[ACCURACY], TITLES[MACRO_F1], TITLES[ECE], "texts"),
        _figure_rows(report),
        title="Figures on the sample's holdout, text by text (a sample, not a benchmark)",
    )
    say("")
    show_table(
        ("text", "label", "sure", "ms"),
        [_answer_row(answer) for answer in report.answers],
        title=f"{len(report.answers)} answers of {report.answers[0]['performance']['model_version']}",
    )
    mood = loop.mood()
    say("")
    show_companies(mood)
    say("")
    show_stories(loop.news(), mood.family, title="The newest headlines", brief=True)


def show_addresses(loop: Demo) -> None:
    """What is open, and what to try."""
    say(styled("\nOpen", "bold cyan"))
    say(f"  Dashboard   {loop.serving_url}")
    say(f"  Dagster UI  {loop.dagster_url}")
    say(f"  API page    {loop.serving_url}/schema")
    say(f"  The news    curl -s {loop.serving_url}/news")
    say(styled("\nTry next", "bold cyan"))
    # `make demo` names the program by its path; a shell without .venv/bin on its own would not find it by its name.
    program = "sentiment-platform" if shutil.which("sentiment-platform") else sys.argv[0]
    say(f'  {program} predict "{EXAMPLE_TEXT}"')
    say(f"  {program} news show")
    say(f"  {program} models rollback")
    say(f"  {program} explain {loop.report.answers[-1]['prediction_id']}")


def answer_line(answer: Mapping[str, Any]) -> str:
    """Such as `negative, sure to 0.97 (v1.0.0-finbert)`."""
    prediction = answer["prediction"]
    return f"{prediction['label']}, sure to {prediction['confidence']:.2f} ({answer['performance']['model_version']})"


def curl(url: str) -> str:
    """A request that can be pasted into a shell."""
    return f"""curl -s {url}/predict -H 'content-type: application/json' -d '{{"text": "{EXAMPLE_TEXT}"}}'"""


def _loop_rows(report: DemoReport) -> list[tuple[Cell, Cell]]:
    training = report.runs["train_job"].metadata
    deployment, decision = training["deployment"], report.runs["monitor_job"].metadata["retrain_decision"]
    answered_by = ", ".join(f"{version} {count}" for version, count in report.load.versions.items())
    return [
        ("first answer", f"{report.first_answer_after_s:.0f} s after the start, by the versions that the platform ships"),
        ("news", f"{report.articles} articles, {report.stories} stories, {report.quarantined} refused rows in quarantine"),
        ("features", f"{report.feature_vectors} vectors of 15 features (schema v1)"),
        ("trained", "; ".join(f"{one['version']} from {one['base_model']}" for one in _trained(report).values())),
        ("verdict", _deciding(str(training["ab_evaluation"]["verdict"]), str(deployment["reason"]))),
        ("deployment", f"{deployment['deployment']}: default {deployment['default_family']}. {deployment['reason']}"),
        (
            "live swap",
            f"{report.load.requests} requests while training and swapping, {report.load.failures.total()} failed;"
            f" answered by {answered_by}",
        ),
        ("feedback", f"{report.feedback} labels on live predictions; they teach and do not judge"),
        ("audit", f"{report.audited} texts of a random sample labelled. {_live_accuracy(report)}"),
        ("decision", f"retrain {decision['retrain']}: {decision['reason']}"),
    ]


def _live_accuracy(report: DemoReport) -> str:
    measured = report.runs["monitor_job"].metadata["performance_report"]
    if "live_accuracy" not in measured:
        return "Too few of them are new to the version to say how right it is"
    low, high = (float(measured[f"live_accuracy_{end}"]) for end in ("low", "high"))
    return f"Right on {measured['live_accuracy']:.2f} ({low:.2f} to {high:.2f}) of those that are new to the version"


def _deciding(verdict: str, reason: str) -> str:
    """Of the comparisons, which are a paragraph each, those that the deployment rests on; how many there are where it rests on none."""
    comparisons = verdict.split("\n\n")
    decided = [one for one in comparisons if one.partition(" on ")[0] in reason]
    return " ".join(decided) if decided else f"{len(comparisons)} comparisons, none of which changes what is deployed"


def _figure_rows(report: DemoReport) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for trained in _trained(report).values():
        version = str(trained["version"])
        measured = {one.metric: one for one in report.figures if one.version == version and one.window.startswith("holdout")}
        shown = (with_interval(measured[name], ".2f") for name in (ACCURACY, MACRO_F1))
        rows.append((version, *shown, f"{measured[ECE].value:.3f}", measured[ACCURACY].n))
    return rows


def _trained(report: DemoReport) -> dict[str, Mapping[str, Any]]:
    """Family -> what its model asset said of the version that it made."""
    metadata = report.runs["train_job"].metadata
    return {family: metadata[model_asset_name(family)] for family in FAMILIES}


def _answer_row(answer: Mapping[str, Any]) -> tuple[Cell, ...]:
    prediction = answer["prediction"]
    label = prediction["label"]
    return (
        answer["text"],
        styled(label, COLOURS[label]),
        f"{prediction['confidence']:.2f}",
        f"{answer['performance']['response_time_ms']:.1f}",
    )
