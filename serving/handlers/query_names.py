"""What a query may not be, whatever its route: `limt=5` would be answered as if nothing had been asked, `limit=5&limit=9` as one of both."""

from collections import Counter
from functools import cache
from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from serving.contract.problem_bodies import FieldError
from serving.contract.problems import invalid

PROBED = frozenset({"/health", "/health/live", "/metrics"})


async def refuse_unknown_names(request: Request[Any, Any, Any]) -> None:
    """Before each request. Left out are probes, scrapers and links to pages, which carry names of their own.

    Raises:
        Problem: 400, with every name that is unknown or stands there twice.
    """
    if not request.query_params or not _is_strict(request.route_handler):
        return
    known = _known(request.route_handler)
    asked = Counter(name for name, _ in request.query_params.multi_items())
    there_are = f"There is no such parameter; there are {', '.join(known) or 'none here'}."
    faults = [FieldError(name[:100], None, there_are) for name in asked if name not in known]
    faults += [
        FieldError(name, None, "This parameter stands there more than once; give it once.")
        for name, times in asked.items()
        if times > 1 and name in known
    ]
    if faults:
        raise invalid(faults)


@cache
def _is_strict(handler: HTTPRouteHandler) -> bool:
    return handler.resolve_include_in_schema() and handler.paths.isdisjoint(PROBED)


@cache
def _known(handler: HTTPRouteHandler) -> tuple[str, ...]:
    parameters = handler.parsed_fn_signature.parameters.items()
    return tuple(name for name, parameter in parameters if isinstance(parameter.kwarg_definition, QueryParameter))
