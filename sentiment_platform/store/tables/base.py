"""The declarative base, the column types that every table shares, and nothing else."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import TIMESTAMP, BigInteger, Identity, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

SCHEMA = "platform"

Instant = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]
"""A point in time; always aware, always UTC in the house."""

InsertedAt = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True), server_default=text("now()"))]
Serial = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Document = Annotated[dict[str, Any], mapped_column(JSONB)]


class Base(DeclarativeBase):
    """All tables live in schema `platform`; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map = {str: Text, datetime: TIMESTAMP(timezone=True)}  # noqa: RUF012  SQLAlchemy reads a plain dict here
