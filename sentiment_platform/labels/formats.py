"""The table of label formats: what `labels import --format` offers, and which reader takes it. Adding one is a reader and a line here.

Not here: the readers (`importers` for published sets and plain files, `tools` for labelling tools).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sentiment_platform.labels.examples import LabelKind
from sentiment_platform.labels.importers import fiqa, parse_columns, phrasebank, plain, sentfin, tfns
from sentiment_platform.labels.label_studio import label_studio
from sentiment_platform.labels.report import ImportReport
from sentiment_platform.labels.tools import doccano, prodigy
from sentiment_platform.text_files.written import Written
from sentiment_platform.times.assumed import AssumedClock


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """A file and what somebody said of it; a reader takes what concerns it.

    Attributes:
        label_set: name of the set; None: the reader's own, or the file's name.
        columns: `field=column` pairs of a plain file, separated by commas.
        annotator: whose labels these are; None: as the file says.
        clock: of times without an offset, which are counted there; None: UTC.
        control: the question of a labelling project whose answer is the sentiment; None: its only one.
        written: encoding and delimiter as stated; None: found in the file.
        said: what labels mean that are no words, as `spelling.parse_labels` gives it.
    """

    path: Path
    label_set: str | None = None
    licence: str = "unstated"
    kind: LabelKind = "human"
    columns: str = ""
    annotator: str | None = None
    clock: AssumedClock | None = None
    control: str | None = None
    written: Written | None = None
    said: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """How a file of this format is read, and the line that `labels import --help` shows of it."""

    read: Callable[[LabelFile], ImportReport]
    shape: str


FORMATS: dict[str, LabelFormat] = {
    "plain": LabelFormat(
        lambda file: plain(
            file.path, file.label_set, file.licence, file.kind, parse_columns(file.columns), file.clock, file.said, file.written
        ),
        "CSV, JSON lines or a JSON list with text (or title) and label (or score from -1 to 1), and optionally\n"
        "id, annotator, weight, labelled_at, published_at, url; --map names other columns",
    ),
    "phrasebank": LabelFormat(
        lambda file: phrasebank(file.path, file.said, file.written),
        "Financial PhraseBank, lines of sentence@label, each of its four agreement levels",
    ),
    "sentfin": LabelFormat(
        lambda file: sentfin(file.path, file.said, file.written),
        "SEntFiN, Title and Decisions; headlines whose entities disagree are left out",
    ),
    "tfns": LabelFormat(lambda file: tfns(file.path, file.said, file.written), "Twitter Financial News, text and label 0, 1, 2"),
    "fiqa": LabelFormat(
        lambda file: fiqa(file.path, file.written), "FiQA, JSON or CSV with scores; up to 0.1 either way is neutral"
    ),
    "label-studio": LabelFormat(
        lambda file: label_studio(
            file.path,
            file.label_set,
            file.licence,
            file.clock,
            file.said,
            control=file.control,
            columns=parse_columns(file.columns),
            written=file.written,
        ),
        '"JSON" export: data.text, annotations with one choice, completed_by, updated_at;\n--control names the question of a project that has several',
    ),
    "doccano": LabelFormat(
        lambda file: doccano(
            file.path,
            file.label_set,
            file.licence,
            file.annotator,
            file.said,
            columns=parse_columns(file.columns),
            written=file.written,
        ),
        "JSONL export, one file a user: text, label",
    ),
    "prodigy": LabelFormat(
        lambda file: prodigy(
            file.path,
            file.label_set,
            file.licence,
            file.clock,
            file.said,
            columns=parse_columns(file.columns),
            written=file.written,
        ),
        "db-out JSONL: text, accept or label, answer, _annotator_id, _timestamp",
    ),
}


def describe_formats() -> str:
    """One paragraph for a terminal: every format with its shape, names in a column."""
    width = max(map(len, FORMATS)) + 2
    return "\n".join(f"{name:<{width}}" + form.shape.replace("\n", "\n" + " " * width) for name, form in FORMATS.items())
