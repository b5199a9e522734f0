"""`labels import`: a file of labelled texts, in any of the known formats, into the database."""

import uuid
from pathlib import Path
from typing import cast

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import counted, note, say
from sentiment_platform.commands.parameters import FILE, stated_by, stated_options, usage_of, written_by, written_options
from sentiment_platform.commands.refusals import Refusals
from sentiment_platform.labels.examples import AUDIT_SET, LabelKind
from sentiment_platform.labels.formats import FORMATS, LabelFile, describe_formats

IMPORT_HELP = f"""Import labelled texts. Importing them again changes nothing; rows that break the contract go into quarantine.

\b
{describe_formats()}

\b
Examples:
  sentiment-platform labels import Sentences_AllAgree.txt --format phrasebank
  sentiment-platform labels import desk.csv --set desk --licence CC0-1.0 --map label=tone,annotator=who
  sentiment-platform labels import set.csv --labels 0=negative,1=neutral,2=positive
  sentiment-platform labels import project-7.json --format label-studio --control sentiment --map text=headline
"""


@click.command("import", help=IMPORT_HELP)
@click.argument("path", type=FILE, metavar="FILE")
@click.option("--format", "name", type=click.Choice(list(FORMATS)), default="plain", help="What wrote the file; see above.")
@click.option("--set", "label_set", help="Name of the label set; default: the file's name. Published sets have their own.")
@click.option("--licence", default="unstated", help="Licence of the set: an SPDX identifier, or words.")
@click.option(
    "--kind",
    type=click.Choice(["human", "machine", "outcome"]),
    default="human",
    help="Who labelled (plain files). Models learn from people only: other kinds are kept apart and never trained on.",
)
@click.option(
    "--map",
    "mapping",
    default="",
    help="Columns, or keys of a tool's text, that have another name: label=sentiment,text=headline,...",
)
@click.option(
    "--labels",
    "named",
    default="",
    help="What labels mean that are no words: 0=negative,1=neutral,2=positive; =skip leaves rows out. Numbers need it, unless -1 is among them.",
)
@click.option("--control", help="The question of a Label Studio project whose answer is the sentiment, where it has several.")
@click.option("--annotator", help="Whose labels these are (doccano); default: the file's name.")
@stated_options
@written_options
def import_labels_command(
    path: Path,
    name: str,
    label_set: str | None,
    licence: str,
    kind: str,
    mapping: str,
    named: str,
    control: str | None,
    annotator: str | None,
    zone: str,
    date_format: str,
    encoding: str,
    delimiter: str,
) -> None:
    """See `IMPORT_HELP`, which lists the formats from their table."""
    from sentiment_platform.labels.importers import parse_columns
    from sentiment_platform.labels.importing import import_report
    from sentiment_platform.labels.report import NO_LABEL_YET, remedy_of_words, unknown_words
    from sentiment_platform.labels.spelling import parse_labels
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.times.assumed import AssumedClock

    if control and name != "label-studio":
        raise click.BadParameter("only Label Studio has controls; add --format label-studio.", param_hint="'--control'")
    with usage_of("--map"):
        parse_columns(mapping)
    with usage_of("--labels"):
        said = parse_labels(named)
    written = written_by(encoding, delimiter)
    clock = AssumedClock(stated_by(zone, date_format), "--zone America/New_York")
    report = FORMATS[name].read(
        LabelFile(
            path=path,
            label_set=label_set,
            licence=licence,
            kind=cast(LabelKind, kind),
            columns=mapping,
            annotator=annotator,
            clock=clock,
            control=control,
            written=written,
            said=said,
        )
    )
    with connected_session(log=note) as (_, engine):
        taken_in = import_report(engine, report, run_id=f"import-{uuid.uuid4()}", now=utc_now())
    labels = f"{counted(len(report.examples), 'label')} of set {report.label_set}"
    say(f"{counted(report.rows, 'row')}: {labels}, {taken_in.changed:,} new or changed.")
    for sentence in filter(None, (clock.note(), written.note())):
        say(sentence, style="yellow")
    for reason, count in report.left_out.items():
        rows = counted(count, "row")
        waiting = f"{rows} {'has' if count == 1 else 'have'} no label yet."
        say(waiting if reason == NO_LABEL_YET else f"{rows} left out: {reason}", style="yellow")
    refused = Refusals()
    for one in report.refused:
        refused.add(None, one.detail, one.value)
    refused.say_first()
    if taken_in.refused:
        refusals = f"sentiment-platform news quarantine --source {report.label_set}"
        say(f"{counted(taken_in.refused, 'row')} quarantined: {refusals}", style="yellow")
    if remedy := remedy_of_words(unknown_words(report.refused)):
        say(remedy.strip(), style="yellow")
    if report.label_set == AUDIT_SET:
        say("Next: sentiment-platform run monitor_job, which judges live accuracy by this set.")
    elif report.kind == "human":
        say("Next: sentiment-platform run train_job, or wait for the sensor of new labels.")
