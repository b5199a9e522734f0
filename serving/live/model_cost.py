"""What a version takes: as its manifest says, as its files let expect, as a trial found out."""

import msgspec

from sentiment_platform.registry.manifest import Manifest

MIB = 2**20
TIMES_ITS_FILES = 2.0
"""Memory of a loaded version whose manifest says nothing: its files are read whole and become tables or a session."""


class ModelCost(msgspec.Struct, frozen=True, kw_only=True):
    """Median milliseconds a text alone, and MiB that loading and answering added to a process of its own."""

    latency_ms: float
    memory_mb: float


UNMEASURED = ModelCost(latency_ms=0.0, memory_mb=0.0)


class DeclaredCost(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured at registration, in milliseconds and in 10^6 bytes."""

    latency_p50_ms: float
    loaded_mb: float


class _Figures(msgspec.Struct, frozen=True):
    technical: DeclaredCost | None = None


def declared_cost(manifest: Manifest) -> DeclaredCost | None:
    """The figures that the manifest has; None where it has none that can be read."""
    try:
        return msgspec.convert(manifest.figures, _Figures).technical
    except msgspec.ValidationError:
        return None


def expected_mb(manifest: Manifest) -> float:
    """MiB that the version will hold."""
    declared = declared_cost(manifest)
    of_files = TIMES_ITS_FILES * sum(entry.size for entry in manifest.files.values()) / MIB
    return declared.loaded_mb * 1e6 / MIB if declared else of_files
