"""Which port a server gets: the one that somebody named, or one that is free."""

import socket

import pytest

from sentiment_platform.errors import ConflictError
from sentiment_platform.local.processes.ports import LOOPBACK, chosen_port, free_port, is_free


def test_a_default_port_that_is_taken_gives_way_and_a_named_one_is_an_error_with_its_remedy() -> None:
    port = free_port()
    assert chosen_port(None, port, "--port") == port
    assert chosen_port(port, 3000, "--port") == port
    with socket.create_server((LOOPBACK, port)):
        assert is_free(chosen_port(None, port, "--port"))
        with pytest.raises(ConflictError, match=f"Port {port} of 127.0.0.1 is taken") as refused:
            chosen_port(port, 3000, "--port")
    assert "--port" in refused.value.remedy


def test_a_port_that_is_given_away_is_not_given_again() -> None:
    port = free_port()
    assert chosen_port(None, port, "PORT", besides=port) != port
    with pytest.raises(ConflictError):
        chosen_port(port, 8000, "PORT", besides=port)
