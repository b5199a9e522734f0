"""Claims about many clients that come at once while the event loop is busy: all are taken in the next turn, none waits for turns of its own."""

import asyncio
import socket
import time
from typing import Any

import pytest
import uvicorn
import uvloop

from serving.server import _Server  # pyright: ignore[reportPrivateUsage]

CLIENTS, TURNS = 60, 5


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def taken_after_a_busy_turn(kind: type[uvicorn.Server]) -> int:
    server = kind(uvicorn.Config(answer, port=0, loop="uvloop", log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    address = server.servers[0].sockets[0].getsockname()
    clients = [socket.create_connection(address) for _ in range(CLIENTS)]
    # Nothing is read while this thread makes them: they wait in the kernel.
    time.sleep(0.05)
    for _ in range(TURNS):
        await asyncio.sleep(0)
    taken = len(server.server_state.connections)
    for client in clients:
        client.close()
    server.should_exit = True
    await asyncio.wait_for(serving, 10)
    return taken


@pytest.mark.parametrize(("kind", "least", "most"), [(_Server, CLIENTS, CLIENTS), (uvicorn.Server, 0, TURNS)])
def test_all_who_came_meanwhile_are_taken_at_once(kind: type[uvicorn.Server], least: int, most: int) -> None:
    """The second one is the control."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert least <= runner.run(taken_after_a_busy_turn(kind)) <= most
