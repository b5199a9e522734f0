"""The two clients: one sends and waits, the other is awaited. A route is named once here and works on both."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, Generic, ParamSpec, Self, TypeVar, cast, overload

import httpx
import msgspec

from serving.client import acts, calls
from serving.client.call import Call
from serving.client.event_lines import LONGEST_SILENCE_S, EventLines, Told
from serving.client.failures import UnexpectedAnswer, Unreachable, failure_of

T = TypeVar("T")
P = ParamSpec("P")
TIMEOUT_S = 10.0
EVENTS = "/events"


class Route(Generic[P, T]):
    """A method of both clients that sends what `make` makes."""

    def __init__(self, make: Callable[P, Call[T]]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, client: "Client", kind: object = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: "AsyncClient", kind: object = None) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: None, kind: object = None) -> Self: ...
    def __get__(self, client: "Client | AsyncClient | None", kind: object = None) -> Any:
        """The method, bound to its client."""
        if client is None:
            return self

        def bound(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.send(self._make(*args, **kwargs))

        bound.__doc__ = self.__doc__
        return bound


class Routes:
    """Every route of the API."""

    predict = Route(calls.predict)
    predict_batch = Route(calls.predict_batch)
    compare = Route(calls.compare)
    feedback = Route(calls.feedback)
    prediction = Route(calls.prediction)
    news = Route(calls.news)
    tickers = Route(calls.tickers)
    models_status = Route(calls.models_status)
    performance = Route(calls.performance)
    performance_history = Route(calls.performance_history)
    models = Route(calls.models)
    model = Route(calls.model)
    select = Route(acts.select)
    roll_back = Route(acts.roll_back)
    promote = Route(acts.promote)
    selections = Route(calls.selections)
    flags = Route(calls.flags)
    audit = Route(calls.audit)
    set_flag = Route(acts.set_flag)
    feature_schema = Route(calls.feature_schema)
    experiments = Route(calls.experiments)
    drift = Route(calls.drift)
    drift_reports = Route(calls.drift_reports)
    drift_report = Route(calls.drift_report)
    deployments = Route(calls.deployments)
    alerts = Route(calls.alerts)
    acknowledge = Route(acts.acknowledge)
    service = Route(calls.service)
    sources = Route(calls.sources)
    quality = Route(calls.quality)
    decisions = Route(calls.decisions)
    runs = Route(calls.runs)
    about = Route(calls.about)
    health = Route(calls.health)
    alive = Route(calls.alive)
    metrics = Route(calls.metrics)


class Client(Routes):
    """Sends and waits. Use it in a `with` block, from one thread or several.

    Args:
        url: where serving answers, `http://127.0.0.1:8000`.
        api_key: sent with every request; `select`, `roll_back`, `promote` and `acknowledge` need one, `feedback` has a voice by it.
        timeout_s: longest wait for a connection, and for each part of an answer.
    """

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = TIMEOUT_S) -> None:
        self.http = httpx.Client(base_url=url, headers=_headers(api_key), timeout=timeout_s)

    def send(self, call: Call[T]) -> T:
        """The answer to `call`.

        Raises:
            ApiProblem: the API refuses.
            UnexpectedAnswer: something else answered.
            Unreachable: nothing answered in time.
        """
        try:
            return _answer(call, self.http.send(_request(self.http, call)))
        except httpx.HTTPError as error:
            raise _unreachable(f"{call.method} {call.path}", error) from error

    def events(self, *, after: str = "") -> Generator[Told]:
        """What happens, as it happens, until the process or the caller leaves; `after` tells again what came after that event.

        Raises:
            ClientError: as `send` does, also in the middle.
        """
        lines = EventLines()
        try:
            with self.http.stream("GET", EVENTS, **_listening(self.http, after)) as reply:
                if not reply.is_success:
                    reply.read()
                    raise failure_of(reply)
                for line in reply.iter_lines():
                    if told := _told(lines, line):
                        yield told
        except httpx.HTTPError as error:
            raise _unreachable(f"GET {EVENTS}", error) from error

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncClient(Routes):
    """As `Client`, with every method awaited; use it in an `async with` block."""

    def __init__(self, url: str, *, api_key: str = "", timeout_s: float = TIMEOUT_S) -> None:
        self.http = httpx.AsyncClient(base_url=url, headers=_headers(api_key), timeout=timeout_s)

    async def send(self, call: Call[T]) -> T:
        """The answer to `call`; raises as `Client.send` does."""
        try:
            return _answer(call, await self.http.send(_request(self.http, call)))
        except httpx.HTTPError as error:
            raise _unreachable(f"{call.method} {call.path}", error) from error

    async def events(self, *, after: str = "") -> AsyncGenerator[Told]:
        """As `Client.events`, for `async for`."""
        lines = EventLines()
        try:
            async with self.http.stream("GET", EVENTS, **_listening(self.http, after)) as reply:
                if not reply.is_success:
                    await reply.aread()
                    raise failure_of(reply)
                async for line in reply.aiter_lines():
                    if told := _told(lines, line):
                        yield told
        except httpx.HTTPError as error:
            raise _unreachable(f"GET {EVENTS}", error) from error

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _headers(api_key: str) -> dict[str, str]:
    return {"X-API-Key": api_key} if api_key else {}


def _request(http: "httpx.Client | httpx.AsyncClient", call: Call[Any]) -> httpx.Request:
    content = msgspec.json.encode(call.body) if call.body is not None else None
    headers = {**call.headers, **({"Content-Type": "application/json"} if content is not None else {})}
    return http.build_request(call.method, call.path, content=content, headers=headers, params=dict(call.query))


def _answer(call: Call[T], reply: httpx.Response) -> T:
    if not reply.is_success and reply.status_code != call.also:
        raise failure_of(reply)
    if call.kind is str:
        return cast(T, reply.text)
    try:
        return msgspec.json.decode(reply.content, type=call.kind)
    except msgspec.MsgspecError as error:
        # The proxy's own page of the status that the API answers with too, or fields that this client does not know.
        raise UnexpectedAnswer(reply.status_code, f"this is no {call.kind.__name__}: {error}.") from error


def _listening(http: "httpx.Client | httpx.AsyncClient", after: str) -> dict[str, Any]:
    timeout = httpx.Timeout(http.timeout.connect, read=LONGEST_SILENCE_S)
    return {"timeout": timeout, "headers": {"Last-Event-ID": after} if after else {}}


def _told(lines: EventLines, line: str) -> Told | None:
    try:
        return lines.told(line)
    except msgspec.MsgspecError as error:
        raise UnexpectedAnswer(200, f"{line[:200]!r} is no event: {error}.") from error


def _unreachable(route: str, error: httpx.HTTPError) -> Unreachable:
    return Unreachable(f"{route}: no answer ({type(error).__name__}: {error}).")
