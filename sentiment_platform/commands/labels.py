"""`labels`: bring labels in, see whose they are, whether their annotators agree, and the texts that a model's page names."""

import uuid
from pathlib import Path
from typing import cast

import click
from rich.markup import escape
from rich.table import Table

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import console, shows_errors
from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import LabelKind
from sentiment_platform.labels.formats import FORMATS, LabelFile, describe_formats
from sentiment_platform.local.session import connected_session

MIN_ID_CHARACTERS, SHOWN_ID_CHARACTERS = 6, 16

IMPORT_HELP = f"""Import labelled texts. Importing them again changes nothing; rows that break the contract go into quarantine.

\b
{describe_formats()}

\b
Examples:
  sentiment-platform labels import Sentences_AllAgree.txt --format phrasebank
  sentiment-platform labels import desk.csv --set desk --licence CC0-1.0 --map label=tone,annotator=who
  sentiment-platform labels import project-7.json --format label-studio --set desk
"""


@click.group()
def labels() -> None:
    """Bring labels in, see their sets, their texts and whether their annotators agree."""


@labels.command("import", help=IMPORT_HELP)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "name",
    type=click.Choice(list(FORMATS)),
    default="plain",
    show_default=True,
    help="What wrote the file; see above.",
)
@click.option("--set", "label_set", help="Name of the label set; default: the file's name. Published sets have their own.")
@click.option("--licence", default="unstated", show_default=True, help="Licence of the set: an SPDX identifier, or words.")
@click.option(
    "--kind",
    type=click.Choice(["human", "machine", "outcome"]),
    default="human",
    show_default=True,
    help="Who labelled (plain files). Models learn from people only: other kinds are kept apart and never trained on.",
)
@click.option(
    "--map", "mapping", default="", help="Columns of a plain file that have another name: label=sentiment,text=headline,..."
)
@click.option("--annotator", help="Whose labels these are (doccano); default: the file's name.")
@shows_errors
def import_labels_command(
    path: Path, name: str, label_set: str | None, licence: str, kind: str, mapping: str, annotator: str | None
) -> None:
    """See `IMPORT_HELP`, which lists the formats from their table."""
    from sentiment_platform.labels.importing import import_report

    report = FORMATS[name].read(
        LabelFile(
            path=path, label_set=label_set, licence=licence, kind=cast(LabelKind, kind), columns=mapping, annotator=annotator
        )
    )
    with connected_session(log=console.print) as (_, engine):
        taken_in = import_report(engine, report, run_id=f"import-{uuid.uuid4()}", now=utc_now())
    console.print(
        f"{report.rows} rows: {len(report.examples)} labels of set {report.label_set}, {taken_in.changed} new or changed."
    )
    for reason, count in report.left_out.items():
        console.print(f"[yellow]{count} rows left out: {escape(reason)}[/]")
    if taken_in.refused:
        console.print(
            f"[yellow]{taken_in.refused} rows quarantined: sentiment-platform news quarantine --source {report.label_set}[/]"
        )
    if report.kind == "human":
        console.print("Next: sentiment-platform run train_job, or wait for the sensor of new labels.")


@labels.command()
@shows_errors
def sets() -> None:
    """Show every label set: who labelled, how many labels of each kind, licence and whether it allows commercial use, files.

    Models are trained on the sets of kind human and, where nobody else has spoken, feedback. A set whose licence forbids commercial
    use is named in every training set that heard it.
    """
    from sentiment_platform.labels.markdown import allowed, counts_by_set
    from sentiment_platform.store.label_sets import imported_files, label_counts, label_sets
    from sentiment_platform.text.sentiment import LABELS

    with connected_session() as (_, engine), engine.connect() as connection:
        known_sets, counts, files = label_sets(connection), counts_by_set(label_counts(connection)), imported_files(connection)
    table = Table("set", "kind", " / ".join(LABELS), "licence", "commercial", title=f"{len(known_sets)} label sets")
    for one in known_sets.values():
        rows = " / ".join(f"{counts.get(one.name, {}).get(label, 0):,}" for label in LABELS)
        table.add_row(one.name, one.kind, rows, one.licence, allowed(one.commercial_use))
    console.print(table)
    if files:
        origin = Table("set", "file", "SHA-256", "read", "kept", "imported", title="Files")
        for file in files:
            day = f"{file.imported_at:%Y-%m-%d}"
            rows = (f"{file.rows_read:,}", f"{file.rows_kept:,}")
            origin.add_row(file.label_set, file.file_name, file.file_digest[:12], *rows, day)
        console.print(origin)


@labels.command()
@click.option("--set", "names", multiple=True, help="Only these sets; may be given several times.")
@click.option("--limit", default=10, show_default=True, help="Disputed texts to show.")
@shows_errors
def agreement(names: tuple[str, ...], limit: int) -> None:
    """Show whether annotators agree on the texts that more than one of them labelled, and where they do not.

    Krippendorff's alpha is 1 where all agree and 0 where they agree as often as by chance; 0.8 and more is usually called reliable,
    0.667 the least to conclude anything from. Disputed texts are decided by majority; ties are left out of training sets.
    """
    from sentiment_platform.labels.agreement import evaluate_agreement
    from sentiment_platform.labels.consolidation import trainable
    from sentiment_platform.store.labels import all_labels

    with connected_session() as (_, engine), engine.connect() as connection:
        rows = [row for row in trainable(all_labels(connection)) if not names or row.label_set in names]
    report = evaluate_agreement(rows)
    alpha = "not defined" if report.alpha is None else f"{report.alpha:.3f}"
    console.print(f"{report.texts:,} texts have several voices; Krippendorff's alpha is {alpha}.")
    if report.pairs:
        table = Table("annotator", "annotator", "texts in common", "same label")
        for pair in report.pairs:
            table.add_row(pair.first, pair.second, f"{pair.items:,}", f"{pair.share:.1%}")
        console.print(table)
    if report.conflicts:
        disputed = Table("text", "who says what", title=f"{len(report.conflicts):,} disputed texts")
        for conflict in report.conflicts[:limit]:
            who = "; ".join(f"{label}: {', '.join(names)}" for label, names in conflict.said.items())
            disputed.add_row(conflict.text[:90], who)
        console.print(disputed)


@labels.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@shows_errors
def show(ids: tuple[str, ...]) -> None:
    """Show labelled texts and who says what of them, by what their ID begins with.

    The pages of the models name texts by ID alone: the terms that moved, the labels that are doubted. A label that is wrong is put right by
    importing it again, corrected, into the same set.
    """
    from sentiment_platform.store.labels import all_labels

    if short := [one for one in ids if len(one) < MIN_ID_CHARACTERS]:
        raise PermanentError(f"{short[0]!r} is too short.", remedy=f"Give at least {MIN_ID_CHARACTERS} characters of an ID.")
    with connected_session() as (_, engine), engine.connect() as connection:
        shown = [row for row in all_labels(connection) if row.text_hash.startswith(ids)]
    table = Table("id", "text", "label", "set", "annotator")
    for one in ids:
        for row in (row for row in shown if row.text_hash.startswith(one)):
            table.add_row(row.text_hash[:SHOWN_ID_CHARACTERS], escape(row.text), row.label, row.label_set, row.annotator)
    if shown:
        console.print(table)
    if unknown := [one for one in ids if not any(row.text_hash.startswith(one) for row in shown)]:
        raise PermanentError(
            f"No labelled text has an ID that begins with {', '.join(unknown)}.",
            remedy="An ID is of the database that the model was trained on.",
        )
