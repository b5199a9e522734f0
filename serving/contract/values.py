"""Kinds of values that several bodies have: moments, names of processes, and named values whose kinds differ from one to the next."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Moment = Annotated[datetime, Meta(tz=True)]
"""A moment with its offset from UTC."""
WITHOUT_NUL = r"^[^\u0000]*(?![\s\S])"
"""A pattern: PostgreSQL stores no NUL. With words, `WORDS`."""
WORDS = r"^[^\u0000]*[^\s\u0000][^\u0000]*(?![\s\S])"
Replica = Annotated[str, Meta(description="Tells serving processes apart; it does not name the machine.")]
Value = str | int | float | bool | None
Values = dict[str, Value]
Figures = dict[str, Value | Values]
"""Named figures, or groups of them; never deeper."""
Details = dict[str, Value | list[Value | Values]]
"""Named figures, or lists of them; never deeper."""
