"""Addresses in settings: what is wrong with one, without ever quoting it, since it may hold a password.

Each function here judges one value: it returns what is wrong in words, or "" where nothing is. Whoever cannot read an address says
nothing about it: that it cannot be read is a finding of its own.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from sentiment_platform.setting_values.secrets import guessable

TRUSTED_NETWORK = "SENTIMENT_TRUSTED_NETWORK"
"""The setting that names hosts which may be reached without TLS."""
POSTGRES = ("postgresql", "postgres")
REDIS = ("rediss", "redis")
LEAST_PASSWORD_CHARACTERS = 12
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?(?![\s\S])")
POOLER_PORTS = {6432: "PgBouncer's", 6543: "Supabase's transaction mode", 25061: "DigitalOcean's connection pools"}
"""Ports that a PostgreSQL itself is not given. Supabase's session mode has port 5432 on its pooler's host, and is none of them."""
DIRECT_REMEDY = (
    "Dagster's storage and migrations need session state: set DATABASE_DIRECT_URL to the server itself. Neon: the same host without "
    "`-pooler`; Supabase: port 5432; DigitalOcean: port 25060; PgBouncer: the server behind it."
)
_POOLER_NAME = re.compile(r"-pooler|pgbouncer|pgcat|odyssey", re.IGNORECASE)
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:.]+")
_ENCRYPTED_MODES = {"require", "verify-ca", "verify-full"}

Judge = Callable[[str, Mapping[str, str]], str]
"""(value, every value by its variable) -> what is wrong, or ""."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """A URL in parts; `host` is "" for a socket of this machine, `password` is decoded."""

    scheme: str
    host: str
    port: int | None
    user: str
    password: str
    path: str
    query: Mapping[str, list[str]]

    @staticmethod
    def parse(url: str) -> "Address | None":
        """The parts of `url`; None where it has no host and names no socket, or a port that cannot be."""
        try:
            parts = urlsplit(url)
            port = parts.port
            query = parse_qs(parts.query, keep_blank_values=True)
        except ValueError:
            return None
        host = parts.hostname or (query.get("host") or [""])[-1]
        if not parts.scheme or not host or port == 0 or re.search(r"\s", url):
            return None
        if not host.startswith("/") and not _HOST_NAME.fullmatch(host):
            return None
        return Address(
            scheme=parts.scheme.lower(),
            host="" if host.startswith("/") else host,
            port=port or _port_of(query),
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            path=parts.path,
            query=query,
        )


def pooler_of(url: str) -> str:
    """By what an address is known as that of a transaction-mode pooler, in words; "" where nothing says so."""
    address = Address.parse(url)
    if address is None:
        return ""
    if name := _POOLER_NAME.search(address.host):
        return f"`{name[0]}` in the host name"
    if address.port in POOLER_PORTS:
        return f"port {address.port}, {POOLER_PORTS[address.port]}"
    if "true" in (value.lower() for value in address.query.get("pgbouncer", [])):
        return "`pgbouncer=true`"
    return ""


def _port_of(query: Mapping[str, list[str]]) -> int | None:
    """libpq takes a port as a parameter too."""
    written = (query.get("port") or [""])[-1]
    return int(written) if written.isdecimal() else None


def without_credentials(url: str) -> str:
    """Where an address leads, for people to read: no user, no password, no query."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}" or "a socket of this machine"


def no_url_of(*schemes: str, path: bool = False) -> Judge:
    """Judges whether a value is a URL of one of `schemes`, with a path where that is needed."""

    def judge(value: str, _: Mapping[str, str]) -> str:
        address = Address.parse(value)
        if address is None:
            return "it is no URL with a host and a port between 1 and 65535"
        if address.scheme not in schemes:
            return f"it does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        return "it names nothing after the host" if path and not address.path.strip("/") else ""

    return judge


def unencrypted_postgres(value: str, values: Mapping[str, str]) -> str:
    """Whether password and rows may cross a network in the clear."""
    address = Address.parse(value)
    if address is None or address.scheme not in POSTGRES or _is_near(address.host, values):
        return ""
    modes = address.query.get("sslmode", [])
    if not modes:
        return "it has no sslmode, so the connection may be unencrypted"
    return "" if set(modes) <= _ENCRYPTED_MODES else "its sslmode lets the connection be unencrypted"


def unencrypted_redis(value: str, values: Mapping[str, str]) -> str:
    """Whether password and values cross a network in the clear, or to a server that nobody checks."""
    address = Address.parse(value)
    if address is None:
        return ""
    if address.scheme == "redis" and not _is_near(address.host, values):
        return "its password crosses the network unencrypted"
    return "it checks no certificate (ssl_cert_reqs)" if "none" in address.query.get("ssl_cert_reqs", []) else ""


def unencrypted_http(value: str, values: Mapping[str, str]) -> str:
    """Whether what is sent there crosses a network in the clear."""
    address = Address.parse(value)
    if address is None or address.scheme != "http" or _is_near(address.host, values):
        return ""
    return "what is sent there crosses the network unencrypted"


def unencrypted_registry(value: str, _: Mapping[str, str]) -> str:
    """As `unencrypted_http`; no host but this machine is near enough, since the reader of the registry follows no other."""
    return unencrypted_http(value, {})


def without_strong_password(value: str, _: Mapping[str, str]) -> str:
    """Whether a server takes everybody, or whoever guesses; the password is in the address."""
    address = Address.parse(value)
    if address is None or address.scheme not in (*POSTGRES, *REDIS) or not address.host:
        return ""
    if not address.password:
        return "it has no password"
    if address.password.lower() == address.user.lower():
        return "its password is the name of its user"
    weakness = guessable(address.password, LEAST_PASSWORD_CHARACTERS)
    return f"its password {weakness}" if weakness else ""


def with_credentials(value: str, _: Mapping[str, str]) -> str:
    """Whether a secret stands where it is shown and logged."""
    address = Address.parse(value)
    return "it has a user or a password in it, and addresses are logged" if address and (address.user or address.password) else ""


def no_host_names(value: str, _: Mapping[str, str]) -> str:
    """Whether a list names anything but single hosts."""
    wrong = [name for name in _items(value) if not _HOST_NAME.fullmatch(name)]
    return f"{wrong[0]!r} is no name of one host" if wrong else ""


def open_origins(value: str, _: Mapping[str, str]) -> str:
    """Whether pages that nobody chose may read answers, or pages that anybody on the way can change."""
    for origin in _items(value):
        if not ORIGIN.match(origin):
            return f"{origin!r} is no origin"
        if origin.startswith("http://"):
            return f"{origin!r} is a page that anybody on the network can change"
    return ""


def everybody(value: str, _: Mapping[str, str]) -> str:
    """Whether networks of proxies are unreadable, or so wide that whoever calls could say that he is somebody else."""
    for item in _items(value):
        try:
            network = ipaddress.ip_network(item)
        except ValueError:
            return f"{item!r} is no address and no network"
        if network.prefixlen < (8 if network.version == 4 else 16):
            return f"{item!r} holds clients as well as proxies, who could then take any address"
    return ""


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",") if item.strip()]


def _is_near(host: str, values: Mapping[str, str]) -> bool:
    """Whether a host is this machine, or on a network that the settings trust."""
    if host in ("", "localhost", *_items(values.get(TRUSTED_NETWORK, ""))):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
