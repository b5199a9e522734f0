"""Tables of sentiment for the Dagster UI."""

from collections.abc import Sequence

from sentiment_platform.markdown_tables import markdown_table
from sentiment_platform.sentiment.agreement import BOUND, Compared, VersionAgreement
from sentiment_platform.sentiment.scoring import ScoredDays


def tallies_table(scored: ScoredDays) -> str:
    """A line a version: how many articles it scored in this run, and how many had a score that stands."""
    rows = [(tally.version, f"{tally.scored:,}", f"{tally.kept:,}") for tally in scored.tallies]
    return markdown_table(("version", "scored now", "stood already"), rows, "No version scored.")


def agreement_table(agreements: Sequence[VersionAgreement]) -> str:
    """A line a version: the largest difference from its model and from serving, against the bound."""
    largest = f"largest difference (at most {BOUND:g})"
    header = ("version", "asked of the model: rows", largest, "asked of serving: rows", "largest difference")
    rows = [(one.version, *_cells(one.model), *_cells(one.serving)) for one in agreements]
    return markdown_table(header, rows, "No version was asked.")


def _cells(compared: Compared | str) -> tuple[str, str]:
    return ("not asked", compared) if isinstance(compared, str) else (str(compared.rows), f"{compared.largest:.1e}")
