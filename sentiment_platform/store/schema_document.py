"""The schema in words: SCHEMA.md, made from the typed models. `python -m sentiment_platform.store.schema_document` writes it anew.

Here: how a table is told, whether it comes from the models or was read from a database. What a table is for stands with its class.
"""

from inspect import cleandoc
from pathlib import Path
from typing import Any, cast

from sqlalchemy import CheckConstraint, Column, Index, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import dialect

from sentiment_platform.store.tables import SCHEMA, Base

SCHEMA_DOCUMENT = Path(__file__).with_name("SCHEMA.md")
HEAD = f"""# The tables of schema `{SCHEMA}`

*For whoever queries the database.*

`python -m sentiment_platform.store.schema_document` makes this page from the typed models in `store/tables/`. A test keeps the page equal to
the models, and the models equal to the migrated database. Dagster's own tables are in schema `dagster`; they are not described here.
"""


def schema_document() -> str:
    """Every table of the models: what it is for, columns, keys and indexes."""
    described = {cast(Table, mapper.local_table): mapper.class_.__doc__ or "" for mapper in Base.registry.mappers}
    parts = [HEAD]
    for table in sorted(described, key=lambda table: table.name):
        parts.append(f"## `{table.name}`\n\n{cleandoc(described[table])}\n")
        parts.append("\n".join(["| column | type | | default |", "|---|---|---|---|", *column_lines(table)]) + "\n")
        parts.append("\n".join(key_lines(table)) + "\n")
    return "\n".join(parts)


def column_lines(table: Table) -> list[str]:
    """One row of a Markdown table for each column."""
    return [f"| `{column.name}` | {_type(column)} | {_null(column)} | {_default(column)} |" for column in table.columns]


def key_lines(table: Table) -> list[str]:
    """One line for the primary key, each foreign key, unique constraint, check and index, by name."""
    lines = [f"- primary key ({_names(table.primary_key.columns)})"]
    for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name)):
        target = f"`{key.referred_table.name}` ({', '.join(f'`{element.column.name}`' for element in key.elements)})"
        lines.append(f"- `{key.name}`: foreign key ({_names(key.columns)}) to {target}")
    for constraint in sorted(table.constraints, key=lambda constraint: str(constraint.name)):
        if isinstance(constraint, UniqueConstraint):
            lines.append(f"- `{constraint.name}`: unique ({_names(constraint.columns)})")
        elif isinstance(constraint, CheckConstraint):
            lines.append(f"- `{constraint.name}`: check")
    return lines + [_index(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]


def _index(index: Index) -> str:
    options = index.dialect_options["postgresql"]
    method = f" {options['using']}" if options["using"] not in (False, None, "btree") else ""
    # PostgreSQL hands a condition out in parentheses.
    where = f" where {str(options['where']).removeprefix('(').removesuffix(')')}" if options["where"] is not None else ""
    return f"- `{index.name}`: {'unique ' if index.unique else ''}index{method} ({_names(index.columns)}){where}"


def _type(column: Column[Any]) -> str:
    # The two are one type to PostgreSQL, which calls it by the longer name.
    return column.type.compile(dialect()).lower().replace("float", "double precision")


def _null(column: Column[Any]) -> str:
    return "may be null" if column.nullable else ""


def _default(column: Column[Any]) -> str:
    if column.identity is not None:
        return "identity"
    given = getattr(column.server_default, "arg", None)
    return f"`{given}`" if given is not None else ""


def _names(columns: Any) -> str:
    return ", ".join(f"`{column.name}`" for column in columns)


if __name__ == "__main__":
    SCHEMA_DOCUMENT.write_text(schema_document(), encoding="utf-8")
