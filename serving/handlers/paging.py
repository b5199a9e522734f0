"""How a route that lists rows is asked for a part of them."""

from typing import Annotated

from litestar.params import QueryParameter

Limit = Annotated[int, QueryParameter(ge=1, le=200, description="So many rows at most.")]
Offset = Annotated[int, QueryParameter(ge=0, le=10_000, description="So many rows are left out before the first.")]
