"""Bodies that never come hold nobody up but their own connections."""

import socket
from contextlib import ExitStack

from sentiment_platform_tests.serving.running import ServingProcess

STUCK = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"


def test_predictions_are_answered_beside_hundreds_of_requests_whose_body_does_not_come(answering: ServingProcess) -> None:
    """They were counted as work that was begun, and everybody else was refused."""
    with ExitStack() as held:
        for _ in range(400):
            held.enter_context(connection := socket.create_connection(("127.0.0.1", answering.port)))
            connection.sendall(STUCK)
        statuses = [answering.client.post("/predict", json={"text": f"Profit rose {number}"}).status_code for number in range(60)]
    assert set(statuses) == {200}
