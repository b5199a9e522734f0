"""What can happen to the registry behind serving: one entry for each fault, as requests that go wrong."""

from dataclasses import dataclass

from sentiment_platform_tests.github_server.faults import Fault, secondary_rate_limit

LATEST = r"/releases/latest$"
FILES = r"_storage/.*/vader\.json"
"""The model in a release."""
WAIT_S = 2
MODEL_BYTES = 3_800
SILENT = "silent after the head of its answer"


@dataclass(frozen=True)
class RegistryFault:
    """The requests that it strikes, until they are cleared; `refused`: what it gives is never tried, not only late."""

    faults: tuple[Fault, ...]
    refused: bool = False


def _status(status: int, **headers: str) -> RegistryFault:
    return RegistryFault((Fault(kind="status", path=r".*", count=0, status=status, headers=headers),))


def _redirect(to: str) -> RegistryFault:
    return RegistryFault((Fault(kind="status", path=FILES, count=0, status=302, headers={"Location": to}),), refused=True)


def _cut(share: float) -> RegistryFault:
    return RegistryFault((Fault(kind="cut_connection", path=FILES, count=0, after_bytes=max(1, int(share * MODEL_BYTES))),))


def faults(elsewhere: str) -> dict[str, RegistryFault]:
    """Name -> fault; `elsewhere` is the URL of another host that redirects lead to."""
    return {
        "connections cut": RegistryFault((Fault(kind="cut_before", path=r".*", count=0),)),
        "500": _status(500),
        "503": _status(503),
        "404": _status(404),
        "primary limit": _status(403, **{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}),
        "secondary limit": RegistryFault((secondary_rate_limit(r".*", retry_after_s=WAIT_S, count=1),)),
        "slow": RegistryFault((Fault(kind="slow_body", path=FILES, count=0, chunk_bytes=64, delay_s=0.05),)),
        SILENT: RegistryFault((Fault(kind="slow_body", path=r".*", count=0, delay_s=30.0),)),
        "endless body": RegistryFault((Fault(kind="inflate", path=FILES, count=0, factor=1000),), refused=True),
        "cut at 10 %": _cut(0.1),
        "cut at 50 %": _cut(0.5),
        "cut at 99 %": _cut(0.99),
        "redirect to another host": _redirect(elsewhere),
        "redirect to a file": _redirect("file:///etc/passwd"),
        "no JSON": RegistryFault((Fault(kind="replace_body", path=LATEST, count=0, body=b"<html>"),)),
    }
