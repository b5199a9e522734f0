"""Ask the models: `predict` a text with the deployed versions, `explain` where one answer came from, `doctor` for the set-up."""

import sys

import click
import numpy as np
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.local.session import connected_session, session
from sentiment_platform.models.family import LABELS, Contribution
from sentiment_platform.models.transformer.runtime import LEAVE_ONE_OUT

USUAL_RULES = ("lexicon", LEAVE_ONE_OUT)
"""Of most tokens; the others are worth a word."""


@click.command()
@click.argument("text")
@shows_errors
def predict(text: str) -> None:
    """Every deployed family side by side on TEXT, each token coloured by what it contributed.

    Uses the deployed versions, fetched and verified; no serving process is needed.
    """
    from sentiment_platform.commands.asking import ask_deployed
    from sentiment_platform.registry.access import RegistryAccess

    with session() as settings:
        answers = ask_deployed(RegistryAccess(settings), text)
    if not answers:
        console.print(
            "[yellow]Nothing has been deployed yet.[/] Import labels (sentiment-platform labels import), then: sentiment-platform run baseline_job"
        )
        sys.exit(1)
    for answer in answers:
        probabilities = ", ".join(f"{label} {p:.2f}" for label, p in zip(LABELS, answer.probabilities, strict=True))
        best = LABELS[int(np.argmax(answer.probabilities))]
        default = " [dim](default)[/]" if answer.default else ""
        console.print(
            f"[bold]{answer.version}[/]{default}  {best}, sentiment {answer.probabilities[2] - answer.probabilities[0]:+.2f}  ({probabilities})"
        )
        console.print("  ", coloured(answer.contributions))


@click.command()
@click.argument("prediction_id")
@shows_errors
def explain(prediction_id: str) -> None:
    """Where one answer came from: text, features, model, manifest, training set, runs, deployment."""
    from sentiment_platform.commands.explain import lineage

    with connected_session() as (_, engine):
        sections = lineage(engine, prediction_id)
    for heading, rows in sections.items():
        table = Table("", "", title=heading, show_header=False, title_justify="left")
        for name, value in rows.items():
            table.add_row(name, str(value))
        console.print(table)


@click.command()
@shows_errors
def doctor() -> None:
    """Check the configuration: every setting (secrets masked), what answers, what is missing."""
    from sentiment_platform.commands.diagnosis import diagnose
    from sentiment_platform.settings import Settings

    settings = Settings.from_environment()
    table = Table("variable", "value", title="Settings")
    for variable, value in settings.describe().items():
        table.add_row(variable, value or "[dim]not set[/]")
    console.print(table)
    findings = diagnose(settings)
    for finding in findings:
        console.print(f"[{'green' if finding.good else 'red'}]{finding.subject}[/]: {escape(finding.words)}")
    if not all(finding.good for finding in findings):
        sys.exit(1)


def coloured(contributions: list[Contribution]) -> Text:
    """Tokens in text order: green pushed up, red pushed down, stronger with the size of the push."""
    largest = max((abs(c.contribution) for c in contributions), default=0.0) or 1.0
    shown = Text()
    for item in contributions:
        strength = abs(item.contribution) / largest
        style = "dim" if strength < 0.1 else ("bold " if strength > 0.6 else "") + ("green" if item.contribution > 0 else "red")
        rule = f"[{item.rule}]" if item.rule not in USUAL_RULES else ""
        shown.append(f"{item.token}{rule} ", style=style)
    return shown
