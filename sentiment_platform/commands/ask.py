"""Ask the models: `predict` a text with the deployed versions, `explain` where one answer came from, `doctor` for the set-up."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from sentiment_platform.commands.console import Text, joined, note, print_json, say, show_table, styled
from sentiment_platform.commands.models import NOTHING_DEPLOYED
from sentiment_platform.commands.parameters import json_option
from sentiment_platform.text.sentiment import LABELS

if TYPE_CHECKING:
    from sentiment_platform.models.family import Contribution


@click.command()
@click.argument("text")
@json_option
def predict(text: str, as_json: bool) -> None:
    """Every deployed family side by side on TEXT, each token coloured by what it contributed.

    Uses the deployed versions, fetched and verified; no serving process is needed. As JSON: one object a version, the default first.

    \b
    Examples:
      sentiment-platform predict "Net loss narrowed"
      sentiment-platform predict "Net loss narrowed" --json
    """
    from sentiment_platform.commands.asking import ask_deployed
    from sentiment_platform.local.session import session
    from sentiment_platform.registry.access import RegistryAccess

    if not text.strip():
        raise click.BadParameter("it is empty; give a headline or a sentence.", param_hint="'TEXT'")
    with session() as settings:
        answers = ask_deployed(RegistryAccess(settings), text)
    if as_json:
        print_json(answers)
        return
    if not answers:
        note(NOTHING_DEPLOYED, style="yellow")
        sys.exit(1)
    for answer in answers:
        probabilities = ", ".join(f"{label} {p:.2f}" for label, p in zip(LABELS, answer.probabilities, strict=True))
        best = LABELS[int(answer.probabilities.argmax())]
        say(
            styled(answer.version, "bold"),
            styled(" (default)", "dim") if answer.default else "",
            f"  {best}, sentiment {answer.probabilities[2] - answer.probabilities[0]:+.2f}  ({probabilities})",
        )
        say("  ", coloured(answer.contributions))


@click.command()
@click.argument("prediction_id")
@json_option
def explain(prediction_id: str, as_json: bool) -> None:
    """Where one answer came from: text, features, model, manifest, training set, runs, deployment.

    The id stands in the answer, as prediction_id. As JSON: one object, section by section.

    \b
    Example:
      sentiment-platform explain 01936f3e-7b1c-7c3a-9d5e-2f8f0a1b2c3d --json
    """
    from sentiment_platform.commands.explain import lineage
    from sentiment_platform.local.session import connected_session

    with connected_session() as (_, engine):
        sections = lineage(engine, prediction_id)
    if as_json:
        print_json({heading.lower().replace(" ", "_"): rows for heading, rows in sections.items()})
        return
    for heading, rows in sections.items():
        show_table(["", ""], [(name, str(value)) for name, value in rows.items()], title=heading, show_header=False)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check the configuration: every setting (secrets masked), what answers, what is missing.

    Exits with 1 when something does not answer. As JSON: {"settings": {...}, "findings": [...]}.

    \b
    Examples:
      sentiment-platform doctor
      sentiment-platform doctor --json
    """
    from sentiment_platform.commands.diagnosis import diagnose
    from sentiment_platform.settings import Settings

    settings = Settings.from_environment()
    findings = diagnose(settings)
    if as_json:
        print_json({"settings": settings.describe(), "findings": findings})
    else:
        rows = [(variable, value or styled("not set", "dim")) for variable, value in settings.describe().items()]
        show_table(["variable", "value"], rows, title="Settings")
        for finding in findings:
            say(styled(finding.subject, "green" if finding.good else "red"), f": {finding.words}")
    if not all(finding.good for finding in findings):
        sys.exit(1)


def coloured(contributions: "Sequence[Contribution]") -> Text:
    """Tokens in text order: green pushed up, red pushed down, stronger with the size of the push."""
    from sentiment_platform.models.transformer.runtime import LEAVE_ONE_OUT

    # Rules of most tokens; the others are worth a word.
    usual = ("lexicon", LEAVE_ONE_OUT)
    largest = max((abs(c.contribution) for c in contributions), default=0.0) or 1.0
    shown: list[Text] = []
    for item in contributions:
        strength = abs(item.contribution) / largest
        style = "dim" if strength < 0.1 else ("bold " if strength > 0.6 else "") + ("green" if item.contribution > 0 else "red")
        rule = f"[{item.rule}]" if item.rule not in usual else ""
        shown.append(styled(f"{item.token}{rule} ", style))
    return joined(*shown)
