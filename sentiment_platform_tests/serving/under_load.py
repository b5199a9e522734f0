"""Clients that ask without a pause while a test changes what answers."""

import threading
from collections.abc import Generator
from contextlib import contextmanager

import httpx

TEXT = "Harbour Mills moves its office after a good year"


@contextmanager
def load(url: str, clients: int = 4) -> Generator[list[tuple[int, str, float]]]:
    """Requests on kept connections until the block ends: (status, version, sentiment) of each."""
    seen: list[tuple[int, str, float]] = []
    stop = threading.Event()

    def ask(number: int) -> None:
        with httpx.Client(base_url=url, timeout=10) as client:
            while not stop.is_set():
                try:
                    reply = client.post("/predict", json={"text": TEXT, "source": f"outlet {number}"})
                    body = reply.json()
                    seen.append((reply.status_code, body["performance"]["model_version"], body["prediction"]["sentiment"]))
                except (httpx.TransportError, KeyError) as error:
                    seen.append((599, repr(error), 0.0))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        stop.set()
        for thread in threads:
            thread.join()
