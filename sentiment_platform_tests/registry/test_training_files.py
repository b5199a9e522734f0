"""Claims about files that lie in a release for later training and that serving never fetches."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save

from sentiment_platform.github_server import GithubServer
from sentiment_platform.registry.documents import canonical_json, digest
from sentiment_platform.registry.manifest import FileEntry, Manifest
from sentiment_platform.registry.reader import RegistryReader
from sentiment_platform.registry.refusal import Refused
from sentiment_platform.registry.releases import ReleaseRegistry
from sentiment_platform.registry.signing import PrivateKeys
from sentiment_platform_tests.registry.examples import FILES, manifest_of, write_files

WEIGHTS = save({"layer": np.arange(6, dtype=np.float32)})


def with_weights() -> Manifest:
    entry = FileEntry(digest(WEIGHTS), len(WEIGHTS))
    return msgspec.structs.replace(manifest_of(), training_files={"weights.safetensors": entry})


def test_serving_fetches_a_version_without_its_training_files_and_training_fetches_them_alone(
    tmp_path: Path, server: GithubServer, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    manifest = with_weights()
    folder = write_files(tmp_path / "model", {**FILES, "weights.safetensors": WEIGHTS})
    model = registry.publish_model(folder, manifest, keys)
    assert reader.fetch_model(manifest.version, model.manifest_digest, tmp_path / "cache") == manifest
    served = {path.name for path in (tmp_path / "cache" / model.manifest_digest).iterdir()}
    assert served == {*FILES, "manifest.json", "manifest.json.sig"}
    again = reader.fetch_model(manifest.version, model.manifest_digest, tmp_path / "cache")
    assert again == manifest, "the copy without the training files is complete"
    (tmp_path / "training").mkdir()
    path = reader.fetch_training_file(manifest.version, model.manifest_digest, "weights.safetensors", tmp_path / "training")
    assert path.read_bytes() == WEIGHTS


def test_training_files_are_vouched_for_like_all_others(
    tmp_path: Path, registry: ReleaseRegistry, reader: RegistryReader, keys: PrivateKeys
) -> None:
    other = save({"layer": np.ones(6, dtype=np.float32)})
    with pytest.raises(Refused, match="has another sha256"):
        registry.publish_model(write_files(tmp_path / "a", {**FILES, "weights.safetensors": other}), with_weights(), keys)
    with pytest.raises(Refused, match="has missing files: weights"):
        registry.publish_model(write_files(tmp_path / "b"), with_weights(), keys)
    model = registry.publish_model(write_files(tmp_path / "c", {**FILES, "weights.safetensors": WEIGHTS}), with_weights(), keys)
    with pytest.raises(Refused, match=r"no file other\.safetensors for training"):
        reader.fetch_training_file(model.version, model.manifest_digest, "other.safetensors", tmp_path)


def test_a_manifest_without_training_files_is_written_as_ever() -> None:
    assert b"training_files" not in canonical_json(manifest_of())
    entry = FileEntry(digest(WEIGHTS), len(WEIGHTS))
    with pytest.raises(ValueError, match="two file names are the same"):
        msgspec.structs.replace(manifest_of(), training_files={next(iter(FILES)): entry}).__post_init__()
