"""What an importer read from one file: the examples that keep the contract, the rows that do not, and what was left out on purpose."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import LabelKind, LabelledExample, RawLabel
from sentiment_platform.labels.label_files import MisfitRow, read_bytes
from sentiment_platform.labels.quality import RefusedLabel, judge_labels
from sentiment_platform.labels.spelling import SKIP, meanings_of
from sentiment_platform.news.parsing.markup import plain_text
from sentiment_platform.text.misread import is_misread
from sentiment_platform.text.normalise import normalise, text_hash
from sentiment_platform.text.sentiment import LABELS, Label

IMPORTER_VERSION = 4
"""Part of every label's provenance: another way of reading the same file gets another number."""

SHOWN_CHARACTERS, SHOWN_WORDS = 40, 8
MISFIT = "the row has more cells than the header: a delimiter stands in one of them"
NO_LABEL_YET = "nobody has labelled it"
MISREAD_TEXT = "the text was decoded with the wrong charset before it was written"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """One file of one label set: rows = examples + refused + left out.

    Attributes:
        refused: rows that broke the contract; they go into quarantine.
        payloads: the rows of the examples as they came, in the same order.
        left_out: reason -> rows that are sound and no label of a text, such as titles whose entities disagree.
        file_digest: SHA-256 of the file's bytes.
        unlabelled: the rows of texts that wait for a label, as they came.
    """

    importer: str
    label_set: str
    kind: LabelKind
    licence: str
    file_name: str
    file_digest: str
    examples: tuple[LabelledExample, ...]
    payloads: tuple[Mapping[str, Any], ...]
    refused: tuple[RefusedLabel, ...]
    left_out: Mapping[str, int]
    unlabelled: tuple[Mapping[str, Any], ...] = ()

    @property
    def rows(self) -> int:
        """Rows of the file, each counted once."""
        return len(self.examples) + len(self.refused) + sum(self.left_out.values())


class Reading:
    """Collects the rows of one file for `finish`, which reads their labels and holds them against the contract.

    `said`: what a person said that labels mean, as `spelling.parse_labels` gives it.
    """

    def __init__(
        self,
        path: Path,
        importer: str,
        label_set: str,
        licence: str,
        kind: LabelKind = "human",
        *,
        said: Mapping[str, str] | None = None,
    ) -> None:
        self._path, self._importer, self._label_set, self._licence = path, importer, label_set, licence
        self._kind: LabelKind = kind
        self._rows: list[RawLabel] = []
        self._left_out: Counter[str] = Counter()
        self._unlabelled: list[Mapping[str, Any]] = []
        self._taken_back: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
        self._said = dict(said or {})

    def add(
        self,
        text: str | None,
        label: str | None,
        annotator: str | None,
        payload: Mapping[str, Any],
        *,
        external_id: str | None = None,
        **more: Any,
    ) -> None:
        """One row, its label as it is spelled there; without `external_id` the text itself is its id.

        A text with an empty label waits for one and is left out.
        """
        read = plain_text(text) or ""
        # All of it is normalised: an export may hold what neither a table nor a database can.
        said = normalise(label or "")
        if not said and normalise(read) and not isinstance(payload, MisfitRow):
            self.leave_out(NO_LABEL_YET)
            self._unlabelled.append(dict(payload))
            return
        if isinstance(payload, MisfitRow) or is_misread(read):
            self.unreadable(MISFIT if isinstance(payload, MisfitRow) else MISREAD_TEXT, payload)
            return
        text, name, who = _identified(read, external_id, annotator)
        self._rows.append(RawLabel(text=text, label=said, annotator=who, external_id=name, payload=dict(payload), **more))

    def add_choice(
        self,
        text: object,
        choices: Sequence[Any],
        who: object,
        payload: Mapping[str, Any],
        item: object,
        *,
        question: str = "it",
        **more: Any,
    ) -> None:
        """One annotator's answer in a labelling tool; none is left out, and two that differ are no label."""
        names = list(dict.fromkeys(filter(str.strip, map(str, choices))))
        if not names:
            self.leave_out(NO_LABEL_YET if question == "it" else f"nobody answered {question}")
            return
        if len(names) > 1:
            self.unreadable(f"there are {len(names)} labels where one is expected", payload)
            return
        words, name = text if isinstance(text, str) else "", None if item is None else str(item)
        self.add(words, names[0], "" if who is None else str(who), payload, external_id=name, **more)

    def unreadable(self, problem: str, payload: Mapping[str, Any]) -> None:
        """A row that is not of the file's own shape."""
        self._rows.append(RawLabel(text=None, label=None, annotator=None, problem=normalise(problem), payload=dict(payload)))

    def leave_out(self, reason: str) -> None:
        """A sound row that labels no text."""
        self._left_out[reason] += 1

    def take_back(self, reason: str, text: object, who: object, item: object, *, labelled_at: datetime | None = None) -> None:
        """An annotator who decided to give no label, and what they said of the item before that counts no more."""
        self.leave_out(reason)
        words = plain_text(text) or "" if isinstance(text, str) else ""
        _, name, annotator = _identified(words, None if item is None else str(item), None if who is None else str(who))
        if labelled_at:
            self._taken_back[name, annotator].append(labelled_at)

    def finish(self, shape: str) -> ImportReport:
        """The report.

        Raises:
            PermanentError: not one row of the file is a labelled text (`shape` says what was expected), or its labels are numbers
                of which nobody said what they mean.
        """
        self._keep_last_words()
        self._read_labels()
        kept, refused = judge_labels(self._rows)
        if self._left_out.keys() == {NO_LABEL_YET} and not self._rows:
            raise PermanentError(
                f"{self._path} has no labelled text: no row has a label yet (rows: {self._left_out[NO_LABEL_YET]:,}).",
                remedy=f"Label some of them and import the file again. Expected {shape}.",
            )
        if not kept:
            shown = f": {refused[0].value[:SHOWN_CHARACTERS]!r}" if refused and refused[0].value else ""
            first = f" The first row was refused: {refused[0].detail}{shown}." if refused else ""
            first += "".join(f" Rows left out because {reason}: {count}." for reason, count in self._left_out.items())
            raise PermanentError(
                f"{self._path} has no labelled text.{first}", remedy=f"Expected {shape}.{remedy_of_words(unknown_words(refused))}"
            )
        return ImportReport(
            importer=self._importer,
            label_set=self._label_set,
            kind=self._kind,
            licence=self._licence,
            file_name=self._path.name,
            file_digest=sha256(read_bytes(self._path)).hexdigest(),
            examples=tuple(self._example(row) for row in kept),
            payloads=tuple(row.payload for row in kept),
            refused=tuple(refused),
            left_out=dict(self._left_out),
            unlabelled=tuple(self._unlabelled),
        )

    def _read_labels(self) -> None:
        # Not row by row: whether 0 is neutral depends on the other labels of the file.
        meanings = meanings_of(self._path, {row.label for row in self._rows if row.label}, self._said)
        rows = [replace(row, label=meanings.get(row.label or "", row.label)) for row in self._rows]
        for before, row in zip(self._rows, rows, strict=True):
            if row.label == SKIP:
                self.leave_out(f"label {before.label} is to be left out")
        self._rows = [row for row in rows if row.label != SKIP]

    def _keep_last_words(self) -> None:
        """Of one who spoke of one item at several times, the last word counts; words without a time are left to the contract."""
        times: defaultdict[tuple[str | None, str | None], list[datetime | None]] = defaultdict(list)
        for row in self._rows:
            if row.problem is None:
                times[row.external_id, row.annotator].append(row.labelled_at)
        last = {who: max(filter(None, at)) for who, at in times.items() if len(at) > 1 and all(at)}
        kept: list[RawLabel] = []
        for row in self._rows:
            spoke_later = last.get((row.external_id, row.annotator)) if row.problem is None else None
            taken_back = self._taken_back.get((row.external_id or "", row.annotator or ""), [])
            if row.problem is None and row.labelled_at and any(at > row.labelled_at for at in taken_back):
                self.leave_out("the annotator took it back later")
            elif spoke_later is not None and row.labelled_at != spoke_later:
                self.leave_out("the annotator spoke again later")
            else:
                kept.append(row)
        self._rows = kept

    def _example(self, row: RawLabel) -> LabelledExample:
        # The contract has seen to it that text, label, annotator and id are there.
        return LabelledExample(
            label_set=self._label_set,
            external_id=cast(str, row.external_id),
            text=cast(str, row.text),
            label=cast(Label, row.label),
            annotator=cast(str, row.annotator),
            licence=self._licence,
            weight=row.weight,
            published_at=row.published_at,
            url=row.url,
            kind=self._kind,
            score=row.score,
            agreement=row.agreement,
            labelled_at=row.labelled_at,
        )


def unknown_words(refused: Sequence[RefusedLabel]) -> list[str]:
    """The labels that no rule knows, each once, in the order of their rows."""
    return list(dict.fromkeys(one.row.label for one in refused if one.rule == "label_is_known" and one.row.label))


def remedy_of_words(words: Sequence[str]) -> str:
    """What to add to a command line where labels have other names; empty where none has."""
    if not words:
        return ""
    asked = ",".join(f"{word[:SHOWN_CHARACTERS]}=..." for word in words[:SHOWN_WORDS]) + (
        ",..." if len(words) > SHOWN_WORDS else ""
    )
    return f" If these labels mean something, say what: --labels '{asked}' with {', '.join(LABELS)}, or {SKIP}."


def _identified(text: str, external_id: str | None, annotator: str | None) -> tuple[str, str, str]:
    """Text, id and annotator in the one spelling of each."""
    text = normalise(text)
    return text, normalise(external_id or "") or text_hash(text)[:32], normalise(annotator or "")
