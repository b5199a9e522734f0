"""A typed client of the API, over the contract's own structs: `Client`, `AsyncClient`, and what they raise.

    with Client("http://127.0.0.1:8000") as client:
        answer = client.predict("Shares rise as profit beats forecasts", explain=True)

Importing it loads httpx and msgspec, neither the web framework nor the graph.
"""

from serving.client.clients import AsyncClient, Client
from serving.client.event_lines import Told
from serving.client.failures import ApiProblem, ClientError, UnexpectedAnswer, Unreachable

__all__ = ["ApiProblem", "AsyncClient", "Client", "ClientError", "Told", "UnexpectedAnswer", "Unreachable"]
