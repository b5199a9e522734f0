"""`labels`: bring labels in, see whose they are, whether their annotators agree, and the texts that a model's page names."""

import click

from sentiment_platform.commands.console import note, print_json, say, show_table
from sentiment_platform.commands.labels_import import import_labels_command
from sentiment_platform.commands.labels_tasks import tasks
from sentiment_platform.commands.parameters import COUNT, json_option
from sentiment_platform.errors import PermanentError
from sentiment_platform.text.sentiment import LABELS

MIN_ID_CHARACTERS, SHOWN_ID_CHARACTERS = 6, 16
NO_LABELS = "There are no labels yet. Bring a file in: sentiment-platform labels import FILE (its --help lists the formats)."


class LabelId(click.ParamType[str]):
    """What the ID of a labelled text begins with."""

    name = "id"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """See `click.ParamType`."""
        if len(value) < MIN_ID_CHARACTERS:
            self.fail(f"{value!r} is too short; give at least {MIN_ID_CHARACTERS} characters of an ID.", param, ctx)
        return value


@click.group()
def labels() -> None:
    """Bring labels in, see their sets, their texts and whether their annotators agree.

    \b
    Example:
      sentiment-platform labels sets
    """


labels.add_command(import_labels_command)
labels.add_command(tasks)


@labels.command()
@json_option
def sets(as_json: bool) -> None:
    """Show every label set: who labelled, how many labels of each kind, licence and whether it allows commercial use, files.

    Models are trained on the sets of kind human and, where nobody else has spoken, feedback. A set whose licence forbids commercial
    use is named in every training set that heard it. As JSON: {"sets": [...], "files": [...]}.

    \b
    Example:
      sentiment-platform labels sets --json
    """
    from sentiment_platform.labels.markdown import allowed, counts_by_set
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.label_sets import imported_files, label_counts, label_sets

    with connected_session() as (_, engine), engine.connect() as connection:
        known_sets, counts, files = label_sets(connection), counts_by_set(label_counts(connection)), imported_files(connection)
    every = [(one, {label: counts.get(one.name, {}).get(label, 0) for label in LABELS}) for one in known_sets.values()]
    if as_json:
        described = [
            {"set": one.name, "kind": one.kind, "licence": one.licence, "commercial_use": one.commercial_use, "labels": by_label}
            for one, by_label in every
        ]
        print_json({"sets": described, "files": list(files)})
        return
    show_table(
        ["set", "kind", " / ".join(LABELS), "licence", "commercial"],
        [
            (one.name, one.kind, " / ".join(f"{n:,}" for n in by_label.values()), one.licence, allowed(one.commercial_use))
            for one, by_label in every
        ],
        title=f"{len(known_sets)} label sets",
        empty=NO_LABELS,
    )
    if files:
        show_table(
            ["set", "file", "SHA-256", "read", "kept", "imported"],
            [
                (one.label_set, one.file_name, one.file_digest[:12], one.rows_read, one.rows_kept, one.imported_at.date())
                for one in files
            ],
            title="Files",
        )


@labels.command()
@click.option("--set", "names", multiple=True, help="Only these sets; may be given several times.")
@click.option("--limit", type=COUNT, default=10, help="Disputed texts to show.")
@json_option
def agreement(names: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Show whether annotators agree on the texts that more than one of them labelled, and where they do not.

    Krippendorff's alpha is 1 where all agree and 0 where they agree as often as by chance; 0.8 and more is usually called reliable,
    0.667 the least to conclude anything from. Disputed texts are decided by majority; ties are left out of training sets.
    As JSON: one object (alpha, texts, pairs, conflicts); --limit does not shorten it.

    \b
    Examples:
      sentiment-platform labels agreement
      sentiment-platform labels agreement --set desk --set interns --limit 50
    """
    from sentiment_platform.labels.agreement import evaluate_agreement
    from sentiment_platform.labels.consolidation import trainable
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.labels import all_labels

    with connected_session() as (_, engine), engine.connect() as connection:
        rows = [row for row in trainable(all_labels(connection)) if not names or row.label_set in names]
    report = evaluate_agreement(rows)
    if as_json:
        print_json(report)
        return
    if not rows:
        note(
            f"None of these sets has labels of people: {', '.join(names)}. See: sentiment-platform labels sets"
            if names
            else NO_LABELS
        )
        return
    alpha = "not defined" if report.alpha is None else f"{report.alpha:.3f}"
    say(f"{report.texts:,} texts have several voices; Krippendorff's alpha is {alpha}.")
    if report.pairs:
        show_table(
            ["annotator", "annotator", "texts in common", "same label"],
            [(pair.first, pair.second, pair.items, f"{pair.share:.1%}") for pair in report.pairs],
        )
    if report.conflicts:
        show_table(
            ["text", "who says what"],
            [
                (one.text, "; ".join(f"{label}: {', '.join(who)}" for label, who in one.said.items()))
                for one in report.conflicts[:limit]
            ],
            title=f"{len(report.conflicts):,} disputed texts",
        )


@labels.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...", type=LabelId())
@json_option
def show(ids: tuple[str, ...], as_json: bool) -> None:
    """Show labelled texts and who says what of them, by what their ID begins with.

    The pages of the models name texts by ID alone: the terms that moved, the labels that are doubted. A label that is wrong is put right by
    importing it again, corrected, into the same set. As JSON: one object a label (id, text, label, set, annotator).

    \b
    Example:
      sentiment-platform labels show 9f86d081884c7d65
    """
    from sentiment_platform.local.session import connected_session
    from sentiment_platform.store.labels import all_labels

    with connected_session() as (_, engine), engine.connect() as connection:
        every = [row for row in all_labels(connection) if row.text_hash.startswith(ids)]
    shown = [row for one in ids for row in every if row.text_hash.startswith(one)]
    if as_json:
        print_json(
            [
                {"id": row.text_hash, "text": row.text, "label": row.label, "set": row.label_set, "annotator": row.annotator}
                for row in shown
            ]
        )
    elif shown:
        show_table(
            ["id", "text", "label", "set", "annotator"],
            [(row.text_hash[:SHOWN_ID_CHARACTERS], row.text, row.label, row.label_set, row.annotator) for row in shown],
        )
    if unknown := [one for one in ids if not any(row.text_hash.startswith(one) for row in shown)]:
        raise PermanentError(
            f"No labelled text has an ID that begins with {', '.join(unknown)}.",
            remedy="An ID is of the database that the model was trained on. `sentiment-platform labels sets` shows what is in this one.",
        )
