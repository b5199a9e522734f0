"""What a lost part is called: errors as the libraries raise them when nothing answers, and what they mean to whoever reads them."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import redis
from sqlalchemy import create_engine, text

from sentiment_platform.commands.failures import explain


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield closed.getsockname()[1]


def ask_through_sqlalchemy(port: int) -> None:
    engine = create_engine(f"postgresql+psycopg://ada:secret@127.0.0.1:{port}/news")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))


def ask_postgresql(port: int) -> None:
    psycopg.connect(f"postgresql://ada:secret@127.0.0.1:{port}/news")


def ask_redis(port: int) -> None:
    redis.Redis(port=port).ping()


def ask_over_http(port: int) -> None:
    httpx.get(f"http://127.0.0.1:{port}/")


def write_into_a_folder(_: int) -> None:
    Path("/").write_text("")


@pytest.mark.parametrize(
    ("ask", "begins", "names"),
    [
        (ask_through_sqlalchemy, "PostgreSQL failed: ", "DATABASE_URL"),
        (ask_postgresql, "PostgreSQL failed: ", "DATABASE_URL"),
        (ask_redis, "Redis failed: ", "REDIS_URL"),
        (ask_over_http, "The network failed: ", "sentiment-platform doctor"),
        (write_into_a_folder, "The system refused: ", "Check the path"),
    ],
)
def test_what_does_not_answer_is_named_with_what_to_look_at(
    closed_port: int, ask: Callable[[int], None], begins: str, names: str
) -> None:
    with pytest.raises(Exception) as raised:
        ask(closed_port)
    what, to_do = explain(raised.value)
    assert what.startswith(begins)
    assert "\n" not in what
    assert "secret" not in what
    assert names in to_do
