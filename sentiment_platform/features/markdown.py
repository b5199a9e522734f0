"""What the assets of the feature store show: Markdown tables of a schema and of a reconciliation."""

from collections.abc import Mapping

from sentiment_platform.features.reconciliation import Reconciliation
from sentiment_platform.features.schema import FeatureSchema


def schema_table(schema: FeatureSchema) -> str:
    """One line a feature: name, group, type, range, whether it may be missing, meaning."""
    lines = [f"| {schema.version} | group | type | range | missing | meaning |", "|---|---|---|---|---|---|"]
    for f in schema.features:
        missing = "allowed" if f.nullable else "refused"
        lines.append(f"| `{f.name}` | {f.group} | {f.type} | {f.low:g} to {f.high:g} | {missing} | {f.doc} |")
    return "\n".join([*lines, "", f"Computed by `{schema.function}`."])


def reconciliation_table(done: Mapping[str, Reconciliation]) -> str:
    """One line a schema: what was compared, what was found, what remained."""
    lines = ["| schema | compared | missing | older | newer | different | remaining |", "|---|---|---|---|---|---|---|"]
    for version, one in done.items():
        comparison = one.before_repair
        faults = " | ".join(str(comparison.count(fault)) for fault in ("missing", "older", "newer", "different"))
        lines.append(f"| {version} | {comparison.compared} | {faults} | {len(one.after_repair.differences)} |")
    return "\n".join(lines)
