"""A name in a query that its route does not know is refused: `limt=5` would otherwise be answered as if nothing had been asked."""

from functools import cache
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from serving.contract.problem_bodies import FieldError
from serving.contract.problems import invalid


async def refuse_unknown_names(request: Request[Any, Any, Any]) -> None:
    """Before each request. Routes without any parameter take what comes: probes and scrapers add names of their own.

    Raises:
        Problem: 400, with every unknown name.
    """
    known = _known(request.route_handler) if request.query_params else ()
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known] if known else []
    if unknown:
        there_are = f"There is no such parameter; there are {', '.join(known)}."
        raise invalid([FieldError(name[:100], None, there_are) for name in unknown])


@cache
def _known(handler: HTTPRouteHandler) -> tuple[str, ...]:
    parameters = handler.parsed_fn_signature.parameters.items()
    return tuple(name for name, parameter in parameters if isinstance(parameter.kwarg_definition, QueryParameter))
