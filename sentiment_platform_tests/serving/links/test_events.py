"""Claims about GET /events: what is told arrives, once and in order; nobody is held up by a listener, and shutting down ends them all."""

import asyncio
import contextlib
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sentiment_platform.clock import utc_now
from sentiment_platform.events import RetrainDecided, publish
from sentiment_platform.local.parts.redis import LocalRedis
from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.listening import listening
from sentiment_platform_tests.serving.publishing import Publisher
from sentiment_platform_tests.serving.running import ServingProcess, metric
from serving.handlers.events import EventStream
from serving.links.event_hub import MOST_STREAMS, EventHub
from serving.links.listener import MOST_WAITING, Listener

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def decided(name: str) -> RetrainDecided:
    return RetrainDecided(at=AT, decision_id=name, retrain=True, reason="two\nlines")


def names(url: str, count: int, last: str) -> list[str]:
    """Ids of the next `count` decisions that a stream tells after the event `last`."""
    with listening(url, last) as events:
        state, *told = [next(events) for _ in range(count + 1)]
    assert state.kind == "stream_state", "how it stands comes first"
    return [event.data["decision_id"] for event in told]


@pytest.mark.slow
def test_events_arrive_as_they_happen_and_who_comes_back_misses_none(
    settings: Settings, publisher: Publisher, start_serving: StartServing
) -> None:
    assert publish(settings.redis_url, [decided("before")]) == 1
    serving = start_serving(ready=False)
    with listening(serving.url) as first, listening(serving.url) as second:
        for events in (first, second):
            state = next(events)
            assert (state.kind, state.data["connected"], state.data["message"]) == ("stream_state", True, None)
        serving.wait_until(lambda: metric(serving.client.get("/metrics").text, "serving_event_streams") == 2)
        time.sleep(0.3)
        publish(settings.redis_url, [decided("a")])
        told = [next(events) for events in (first, second)]
        assert [event.data["decision_id"] for event in told] == ["a", "a"], "what was before is not told to who comes new"
        assert told[0].data["reason"] == "two\nlines"
        publisher.deploy(publisher.model())
        live = next(first)
        assert (live.kind, live.data["revision"], live.data["versions"]) == ("deployment_live", 1, {"vader": "v1.0.0-vader"})
    publish(settings.redis_url, [decided("b"), decided("c")])
    assert names(serving.url, 2, live.id) == ["b", "c"]
    text = serving.client.get("/metrics").text
    assert metric(text, "serving_request_seconds_count", route="/events") == 0
    assert metric(text, "serving_request_seconds_count", route="/metrics") > 0, "the control"

    document = serving.client.get("/schema/openapi.json").json()
    schema = document["paths"]["/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    for event in (*told, live):
        jsonschema.validate(event.data, {**schema, "components": document["components"]})
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**live.data, "type": "something else"}, {**schema, "components": document["components"]})


@pytest.mark.slow
def test_a_stream_ends_when_the_process_leaves_and_does_not_hold_it_up(start_serving: StartServing) -> None:
    serving = start_serving(ready=False)
    with listening(serving.url) as events:
        next(events)
        assert serving.process is not None
        serving.process.terminate()
        began = time.monotonic()
        assert list(events) == []
        ended_s = time.monotonic() - began
        assert serving.process.wait(15) == 0
        left_s = time.monotonic() - began
    # Without an end of its own the stream would take the whole grace of ten seconds.
    assert ended_s < 2, ended_s
    assert left_s < 6, left_s


@pytest.mark.slow
def test_no_more_than_a_bounded_number_listens_and_a_place_that_is_left_is_free(start_serving: StartServing) -> None:
    serving = start_serving(ready=False)

    def streams() -> float:
        return metric(serving.client.get("/metrics").text, "serving_event_streams")

    with contextlib.ExitStack() as open_streams:
        address = ("127.0.0.1", serving.port)
        lines = [open_streams.enter_context(socket.create_connection(address, 10)) for _ in range(MOST_STREAMS + 20)]
        for line in lines:
            line.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        heard = [line.recv(12) for line in lines]
        assert (heard.count(b"HTTP/1.1 200"), heard.count(b"HTTP/1.1 503")) == (MOST_STREAMS, 20)
        serving.wait_until(lambda: streams() == MOST_STREAMS)
        refused = serving.client.get("/events")
        assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "too_many_streams", "10")
        assert serving.answers("/health/live")
    serving.wait_until(lambda: streams() == 0)
    assert serving.client.head("/events").status_code == 200
    serving.wait_until(lambda: streams() == 0)
    with listening(serving.url) as events:
        assert next(events).kind == "stream_state"


@pytest.mark.slow
def test_without_redis_the_stream_stays_open_and_says_so_and_events_come_when_it_is_back(
    servers_dir: Path, start_serving: StartServing
) -> None:
    without = start_serving(ready=False, REDIS_URL="")
    with listening(without.url) as events:
        state = next(events)
        assert (state.data["connected"], "REDIS_URL" in state.data["message"]) == (False, True)
    without.stop()
    folder = servers_dir / "redis of events"
    server = LocalRedis(folder)
    server.start()
    try:
        serving: ServingProcess = start_serving(ready=False, REDIS_URL=server.url)
        with listening(serving.url) as events:
            assert next(events).data["connected"] is True
            server.stop()
            away = next(events)
            assert (away.kind, away.data["connected"]) == ("stream_state", False)
            server.start()
            assert next(events).data["connected"] is True
            publish(server.url, [decided("after")])
            assert next(events).data["decision_id"] == "after"
    finally:
        server.stop()


@pytest.mark.parametrize("started", [False, True])
def test_a_client_that_leaves_before_the_first_line_or_after_it_gives_its_place_back(started: bool) -> None:
    async def leave() -> tuple[bool, int, int]:
        hub = EventHub("", clock=utc_now, draining=lambda: False)
        told = list[str]()

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if not started:
                raise ConnectionResetError
            told.append(message["type"])

        answer = EventStream(hub, None).to_asgi_response(None, None)
        taken = hub.streams
        with contextlib.suppress(ConnectionResetError):
            await answer({}, receive, send)
        return "http.response.body" in told, taken, hub.streams

    assert asyncio.run(leave()) == (started, 1, 0)


def test_a_listener_that_does_not_keep_up_is_let_go_with_what_it_has() -> None:
    async def slow() -> list[bytes | None]:
        listener = Listener(None)
        for number in range(MOST_WAITING + 50):
            listener.offer(str(number).encode())
        return [await listener.next(0.1) for _ in range(MOST_WAITING + 1)]

    frames = asyncio.run(slow())
    assert frames[-2:] == [str(MOST_WAITING - 1).encode(), None]


def test_silence_is_broken_and_a_process_that_leaves_takes_no_new_listener() -> None:
    async def ask() -> tuple[bytes | None, bytes | None, int]:
        leaving = False
        hub = EventHub("", clock=utc_now, draining=lambda: leaving)
        listener = hub.listen()
        assert await listener.next(1) != b"", "the state"
        silence = await listener.next(0.01)
        leaving = True
        late = await hub.listen().next(1)
        assert await listener.next(2) is None
        hub.leave(listener)
        return silence, late, hub.streams

    assert asyncio.run(ask()) == (b"", None, 0)
