"""A request whose JSON body is read as its route's struct at once, and strictly: `"true"` is no boolean and `"1"` no number.

Litestar reads JSON without a type and converts it leniently afterwards; what is a struct already, it leaves alone.
"""

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ClientException


class StrictRequest(Request[Any, Any, Any]):
    """Litestar's request; `json` gives the struct that the route takes."""

    async def json(self) -> Any:
        """The body as the type of the route's `data`, or as plain values where there is none.

        Raises:
            ClientException: it is none; what exactly is wrong, the exception handler finds (`handlers.refused_bodies`).
        """
        wanted = body_struct(self)
        if wanted is None:
            return await super().json()
        try:
            return msgspec.json.decode(await self.body(), type=wanted)
        except msgspec.DecodeError as error:
            raise ClientException(str(error)) from error


def body_struct(request: Request[Any, Any, Any]) -> type[msgspec.Struct] | None:
    """The struct that the body of a request must be; None for a route without one."""
    route = request.scope.get("route_handler")
    wanted = route.parsed_data_field.annotation if route and route.parsed_data_field else None
    return wanted if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) else None
