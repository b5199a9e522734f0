"""Body of the routes that show rows of the database: /models/performance and all under /monitoring."""

from datetime import datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType


class Rows(Struct, frozen=True):
    """Rows of the database as of a moment; `live_versions` names what runs here."""

    as_of: datetime
    rows: list[dict[str, Any]]
    live_versions: list[str] | UnsetType = UNSET
