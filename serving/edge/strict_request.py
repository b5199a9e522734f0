"""A request whose JSON body is read as its route's struct at once, and strictly: `"true"` is no boolean and `"1"` no number.

Litestar reads JSON without a type and converts it leniently afterwards; what is a struct already, it leaves alone.
"""

from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ClientException
from litestar.types import Scope

READ = "body_struct"
"""Where in the request's state the body is kept as its struct: whoever asks second need not read it again."""


class StrictRequest(Request[Any, Any, Any]):
    """Litestar's request; `json` gives the struct that the route takes."""

    async def json(self) -> Any:
        """The body as the type of the route's `data`, or as plain values where there is none.

        Raises:
            ClientException: it is none; what exactly is wrong, the exception handler finds (`handlers.refused_bodies`).
        """
        if body_struct(self.scope) is None:
            return await super().json()
        try:
            return read_struct(self.scope, await self.body())
        except msgspec.DecodeError as error:
            raise ClientException(str(error)) from error


def read_struct(scope: Scope, body: bytes) -> Any:
    """The body as its route's struct; None for a route without one.

    Raises:
        msgspec.DecodeError: it is none.
    """
    state: dict[str, Any] = scope["state"]
    if READ not in state:
        wanted = body_struct(scope)
        state[READ] = None if wanted is None else msgspec.json.decode(body, type=wanted)
    return state[READ]


def body_struct(scope: Scope) -> type[msgspec.Struct] | None:
    """The struct that the body of a request must be; None for a route without one."""
    route: Any = scope.get("route_handler")
    wanted = route.parsed_data_field.annotation if route and route.parsed_data_field else None
    return wanted if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) else None
