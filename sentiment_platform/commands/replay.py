"""`models replay`: what a version would have said of requests that were served."""

import click

from sentiment_platform.commands.console import note, print_json, say, show_table
from sentiment_platform.commands.parameters import COUNT, VERSION, json_option


@click.command()
@click.argument("version", type=VERSION)
@click.option(
    "--against",
    type=VERSION,
    help="Whose served answers; default: the champion of its family, or where that is VERSION itself, the one that answers by default.",
)
@click.option(
    "--most", type=COUNT, default=1000, show_default=True, help="So many requests at most, the newest first; each text once."
)
@json_option
def replay(version: str, against: str | None, most: int, as_json: bool) -> None:
    """Ask VERSION the newest requests that were served, and show what would have changed. Nothing is stored, nothing is deployed.

    Load tests and texts that no model can read are left out. A changed answer is no wrong one: which of two is right, labels say.
    As JSON: the figures, or {"note": "..."} where there is nothing to replay.

    \b
    Examples:
      sentiment-platform models replay v1.2.0-vader
      sentiment-platform models replay v1.2.0-vader --against v1.0.0-finbert --most 200 --json
    """
    from sentiment_platform.commands.progress import counting_bar
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.models.evaluation.replay import replay_version
    from sentiment_platform.models.family import LABELS
    from sentiment_platform.registry.access import RegistryAccess

    with connected_session() as (settings, engine), counting_bar("requests answered again") as report:
        changes = replay_version(engine, RegistryAccess(settings), version, served_by=against, most=most, report=report)
    if isinstance(changes, str):
        if as_json:
            print_json({"note": changes})
        else:
            note(changes)
        return
    if as_json:
        print_json(changes)
        return
    say(changes.words())
    counts = [(label, *row) for label, row in zip(LABELS, changes.matrix, strict=True)]
    show_table([f"{changes.served_by} said", *(f"would be {label}" for label in LABELS)], counts, title="Labels")
    rows = [(one.text, f"{one.label} {one.score:+.2f}", f"{one.new_label} {one.new_score:+.2f}") for one in changes.largest]
    show_table(["text", "served", "would be"], rows, title="Largest changes", empty="No answer would change.")
