"""Ask the models: `predict` a text with the deployed versions, `explain` where one answer came from, `doctor` for the set-up."""

import sys
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from sentiment_platform.commands.console import Text, joined, note, print_json, say, show_table, styled
from sentiment_platform.commands.models import NOTHING_DEPLOYED
from sentiment_platform.commands.parameters import json_option
from sentiment_platform.text.example import EXAMPLE_TEXT

if TYPE_CHECKING:
    from sentiment_platform.models.family import Contribution


PREDICT_HELP = f"""Every deployed family side by side on TEXT, each token coloured by what it contributed.

Uses the deployed versions, fetched and verified; no serving process is needed. As JSON: one object a version, the default first.

\b
Examples:
  sentiment-platform predict "{EXAMPLE_TEXT}"
  sentiment-platform predict "{EXAMPLE_TEXT}" --json
"""


@click.command(help=PREDICT_HELP)
@click.argument("text")
@json_option
def predict(text: str, as_json: bool) -> None:
    """One text, every deployed family; the help is `PREDICT_HELP`."""
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
    if not answers[0].supported:
        note(
            "The text is not English that a model can read: no figure below is calibrated, and it would count nowhere.",
            style="yellow",
        )
    for answer in answers:
        probabilities = ", ".join(f"{label} {p:.2f}" for label, p in answer.probabilities.items())
        say(
            styled(answer.version, "bold"),
            styled(" (default)", "dim") if answer.default else "",
            f"  {answer.label}, {answer.price_direction}, sentiment {answer.sentiment:+.2f}  ({probabilities})",
        )
        explained = answer.explanation
        say("  ", coloured(explained.contributions))
        words = explained.sum - explained.base - explained.features
        say(
            f"  {explained.sum:+.2f} = {explained.base:+.2f} an empty text, {explained.features:+.2f} the features, {words:+.2f} the words",
            style="dim",
        )
        if answer.truncated or answer.passages > 1:
            read = f"the first {answer.characters_read:,} characters" if answer.truncated else "all of it"
            say(f"  read in {answer.passages} passages: {read}", style="dim")


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
    """Check the configuration: every setting (secrets masked), what answers, what is missing. Where a local stack runs, its parts are asked.

    Exits with 1 when something does not answer. As JSON: {"settings": {...}, "findings": [...]}.

    \b
    Examples:
      sentiment-platform doctor
      sentiment-platform doctor --json
    """
    from sentiment_platform.commands.diagnosis import diagnose
    from sentiment_platform.local.session import variables_of_commands
    from sentiment_platform.settings import Settings

    variables = variables_of_commands()
    settings = Settings.from_environment(variables)
    findings = diagnose(settings, variables)
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
    """Tokens in text order, each once: green pushed up, red pushed down, stronger with the size of the push, unusual rules named."""
    from sentiment_platform.models.explanation import READ_BOTH_WAYS

    # Rules of most tokens; the others are worth a word.
    usual = ("", "lexicon", READ_BOTH_WAYS)
    tokens = [list(parts) for _, parts in groupby(contributions, key=lambda item: (item.position, item.token))]
    pushes = [sum(item.contribution for item in parts) for parts in tokens]
    largest = max(map(abs, pushes), default=0.0) or 1.0
    shown: list[Text] = []
    for parts, push in zip(tokens, pushes, strict=True):
        strength = abs(push) / largest
        style = "dim" if strength < 0.1 else ("bold " if strength > 0.6 else "") + ("green" if push > 0 else "red")
        rules = "".join(f"[{item.rule}]" for item in parts if item.rule not in usual)
        shown.append(styled(f"{parts[0].token}{rules} ", style))
    return joined(*shown)
