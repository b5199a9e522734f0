"""Tables of sentiment for the Dagster UI."""

from collections.abc import Sequence

from sentiment_platform.sentiment.agreement import BOUND, Compared, VersionAgreement
from sentiment_platform.sentiment.scoring import ScoredDays


def tallies_table(scored: ScoredDays) -> str:
    """A line a version: how many articles it scored in this run, and how many had a score that stands."""
    lines = ["| version | scored now | stood already |", "|---|---|---|"]
    return "\n".join(lines + [f"| {tally.version} | {tally.scored:,} | {tally.kept:,} |" for tally in scored.tallies])


def agreement_table(agreements: Sequence[VersionAgreement]) -> str:
    """A line a version: the largest difference from its model and from serving, against the bound."""
    lines = [
        f"| version | asked of the model: rows | largest difference (at most {BOUND:g}) | asked of serving: rows | largest difference |"
    ]
    lines.append("|---|---|---|---|---|")
    return "\n".join(lines + [f"| {one.version} | {_cells(one.model)} | {_cells(one.serving)} |" for one in agreements])


def _cells(compared: Compared | str) -> str:
    return f"not asked | {compared}" if isinstance(compared, str) else f"{compared.rows} | {compared.largest:.1e}"
