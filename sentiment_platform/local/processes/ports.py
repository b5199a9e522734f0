"""Loopback ports that stay the same from one start to the next, as long as nobody else has taken them."""

import json
import random
import socket
from pathlib import Path

from sentiment_platform.errors import ConflictError, PermanentError
from sentiment_platform.local.processes.process import LocalStackError

LOOPBACK = "127.0.0.1"
LASTING_PORTS = range(20_000, 30_000)


def stable_port(memory: Path, part: str) -> int:
    """The port that `memory` (a JSON file) remembers for `part` when it is free, otherwise a free one, remembered from now on."""
    try:
        known: dict[str, int] = json.loads(memory.read_text())
    except (OSError, ValueError):
        known = {}
    port = known.get(part, 0)
    if not port or not is_free(port) or any(port == taken for name, taken in known.items() if name != part):
        port = free_port()
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps({**known, part: port}))
    return port


def chosen_port(named: int | None, default: int, how: str, *, besides: int = 0) -> int:
    """The port that somebody named; where nobody did, `default`, or a free one while another program has that.

    Args:
        how: how a port is named, for the error.
        besides: a port that is given away already.

    Raises:
        ConflictError: the named port is taken. Another one would not be where it is looked for.
    """
    if named is None:
        return default if default != besides and is_free(default) else free_port()
    if named == besides or not is_free(named):
        raise ConflictError(f"Port {named} of {LOOPBACK} is taken.", remedy=f"End what uses it, or name another port with {how}.")
    return named


def still_free(port: int, name: str) -> None:
    """Pass only if `name`, which has ended, can listen on its port again: ports are chosen a while before they are listened on.

    Raises:
        LocalStackError: another program has it. What was told of the address is of that program now.
    """
    if not is_free(port):
        raise LocalStackError(
            f"{name} has ended: port {port} of {LOOPBACK} was taken by another program.",
            remedy="End that program, or start this command again: it chooses another port where none is named.",
        )


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of loopback now."""
    with socket.socket() as probe:
        # Servers set this too: connections in TIME_WAIT do not keep a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of loopback that is free now, outside the ranges that systems hand to outgoing connections."""
    for port in random.sample(LASTING_PORTS, k=100):
        if is_free(port):
            return port
    raise PermanentError(
        f"A hundred ports of {LOOPBACK} between {LASTING_PORTS[0]} and {LASTING_PORTS[-1]} are taken.",
        remedy="End what uses them.",
    )
