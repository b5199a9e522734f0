"""Offers of another protocol (`Upgrade: h2c`, as curl and Java send it): HTTP lets a server ignore them."""

_OFFER = (b"upgrade", b"http2-settings")


def head_without_offer(method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The head of the request as if nothing else had been offered."""
    lines = [b"%s %s HTTP/1.1" % (method, url)]
    lines += [
        b"%s: %s" % (name, _without_offer(value) if name == b"connection" else value)
        for name, value in headers
        if name not in _OFFER
    ]
    return b"\r\n".join([*lines, b"", b""])


def _without_offer(connection: bytes) -> bytes:
    return b", ".join(token for token in map(bytes.strip, connection.split(b",")) if token.lower() not in _OFFER)
