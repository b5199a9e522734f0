"""Labels as Markdown, for people who look at the asset."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sentiment_platform.labels.agreement import Agreement
from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.store.label_sets import LabelSet
from sentiment_platform.text.sentiment import LABELS

SHOWN_CONFLICTS = 20


def counts_by_set(counts: Sequence[tuple[str, str, int]]) -> dict[str, dict[str, int]]:
    """Set -> label -> rows."""
    by_set: dict[str, dict[str, int]] = defaultdict(dict)
    for name, label, n in counts:
        by_set[name][label] = n
    return by_set


def allowed(commercial_use: bool | None) -> str:
    """What the licence says of commercial use, in a word."""
    return {True: "yes", False: "no", None: "not known"}[commercial_use]


def sets_table(sets: Mapping[str, LabelSet], counts: Sequence[tuple[str, str, int]]) -> str:
    """A row a set."""
    rows = counts_by_set(counts)
    counted = [
        (
            one.name,
            one.kind,
            *(rows.get(one.name, {}).get(label, 0) for label in LABELS),
            one.licence,
            allowed(one.commercial_use),
        )
        for one in sets.values()
    ]
    return markdown_table(("set", "kind", *LABELS, "licence", "commercial use"), counted, "No labels yet.")


def pairs_table(agreement: Agreement) -> str:
    """A row for each two annotators with texts in common."""
    rows = [(pair.first, pair.second, pair.items, f"{pair.share:.1%}") for pair in agreement.pairs]
    return markdown_table(
        ("annotator", "annotator", "texts", "agreement"), rows, "No two annotators have spoken on the same text."
    )


def conflicts_table(agreement: Agreement) -> str:
    """The first texts of which different things are said."""
    rows = [
        (one.text[:100], *(", ".join(one.said.get(label, ())) or "-" for label in LABELS))
        for one in agreement.conflicts[:SHOWN_CONFLICTS]
    ]
    rest = len(agreement.conflicts) - SHOWN_CONFLICTS
    return markdown_table(("text", *LABELS), rows, "Nobody contradicts anybody.") + (
        f"\n\n...and {rest} more." if rest > 0 else ""
    )


def parts_table(parts: Mapping[str, Mapping[str, int]]) -> str:
    """One line a part of a training set: how many texts of each label (part -> label -> number)."""
    rows = [(part, *(counts.get(label, 0) for label in LABELS)) for part, counts in parts.items()]
    return markdown_table(("part", *LABELS), rows, "No parts.")
