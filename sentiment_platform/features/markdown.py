"""What the assets of the feature store show: Markdown tables of a schema and of a reconciliation."""

from collections.abc import Mapping

from sentiment_platform.features.reconciliation import Reconciliation
from sentiment_platform.features.schema import FeatureSchema
from sentiment_platform.markdown_tables import markdown_table


def schema_table(schema: FeatureSchema) -> str:
    """One line a feature: name, group, type, range, whether it may be missing, meaning."""
    rows = [
        (f"`{f.name}`", f.group, f.type, f"{f.low:g} to {f.high:g}", "allowed" if f.nullable else "refused", f.doc)
        for f in schema.features
    ]
    table = markdown_table((schema.version, "group", "type", "range", "missing", "meaning"), rows)
    return f"{table}\n\nComputed by `{schema.function}`."


def reconciliation_table(done: Mapping[str, Reconciliation]) -> str:
    """One line a schema: what was compared, what was found, what remained."""
    faults = ("missing", "older", "newer", "different")
    rows = [
        (version, one.before_repair.compared, *map(one.before_repair.count, faults), len(one.after_repair.differences))
        for version, one in done.items()
    ]
    return markdown_table(("schema", "compared", *faults, "remaining"), rows, "No schema.")
