"""The torch network that is trained and exported: a pretrained encoder under three logits in the order of `LABELS`.

Imports torch and transformers inside its functions; how it is trained belongs to `fine_tuning`.
"""

import contextlib
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS
from sentiment_platform.models.transformer.tokens import pad_id_of, tokenizer_text
from sentiment_platform.models.transformer.training.parameters import Pooling

if TYPE_CHECKING:
    from torch import nn

MOST_TOKENS = 8192
SYNONYMS = {"bearish": "negative", "bullish": "positive"}


def build_network(path: Path, pooling: Pooling) -> "tuple[nn.Module, str]":
    """A network `(input_ids, attention_mask) -> logits (n, 3)` on the CPU in float32, and the pooling that was chosen.

    `mean` puts dropout and one linear layer on the mean of the last hidden states; `own` is the checkpoint's sequence
    classification head, its rows put into our label order where its config names the same three classes. Whether that map is true is
    for `canaries.verified_network` to prove.

    Raises:
        PermanentError: the checkpoint cannot be loaded.
    """
    classes = own_classes(path)
    try:
        if pooling == "own" or (pooling == "auto" and classes is not None):
            return _with_own_head(path, label_order(classes or {})), "own"
        return _with_mean_pooling(path), "mean"
    except (OSError, ValueError, KeyError) as error:
        raise PermanentError(f"{path} cannot be loaded: {error}", remedy="Check TRANSFORMER_BASE.") from error
    except Exception as error:
        # By its name, for no module here imports pickle.
        if type(error).__name__ != "UnpicklingError":
            raise
        # Without torch's own words: they advise to load it all the same, and to run what it holds.
        raise PermanentError(
            f"The weights of {path} are damaged or hold more than tensors; nothing of them was loaded.",
            remedy="Take a checkpoint whose weights are safetensors.",
        ) from None


def own_classes(path: Path) -> dict[int, str] | None:
    """Index -> class of the checkpoint's own classification head, in lower case; None where it has no such head.

    Raises:
        PermanentError: its config cannot be read.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(path)
    except (OSError, ValueError, KeyError) as error:
        raise PermanentError(f"{path} cannot be loaded: {error}", remedy="Check TRANSFORMER_BASE.") from error
    if not any("ForSequenceClassification" in name for name in config.architectures or []):
        return None
    return {int(index): name.lower() for index, name in (config.id2label or {}).items()}


def label_order(id2label: Mapping[Any, str]) -> list[int] | None:
    """For each of `LABELS` the checkpoint's own index, or None when it names other classes."""
    own = {SYNONYMS.get(name.lower(), name.lower()): int(index) for index, name in id2label.items()}
    return [own[label] for label in LABELS] if set(own) == set(LABELS) else None


def _with_mean_pooling(path: Path) -> "nn.Module":
    import torch
    from torch import nn
    from transformers import AutoModel

    with quiet_transformers():
        encoder: Any = AutoModel.from_pretrained(path, dtype=torch.float32)
    if hasattr(encoder, "pooler"):
        encoder.pooler = None

    class MeanPooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder
            self.dropout = nn.Dropout(0.1)
            self.classifier = nn.Linear(encoder.config.hidden_size, len(LABELS))

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
            return self.classifier(self.dropout(mean))

    return MeanPooled()


def _with_own_head(path: Path, order: list[int] | None) -> "nn.Module":
    import torch
    from torch import nn
    from transformers import AutoModelForSequenceClassification

    with quiet_transformers():
        kept = {} if order else {"num_labels": len(LABELS), "ignore_mismatched_sizes": True}
        model: Any = AutoModelForSequenceClassification.from_pretrained(path, dtype=torch.float32, **kept)

    class OwnHead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = model
            self.register_buffer("order", torch.tensor(order or list(range(len(LABELS)))))

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            logits = self.encoder(input_ids=input_ids, attention_mask=attention_mask).logits
            return logits.index_select(1, self.get_buffer("order"))

    return OwnHead()


def tokenizer_json(path: Path) -> str:
    """The content of the checkpoint's `tokenizer.json`; built from its vocabulary where it brings only that.

    It pads with what the checkpoint's config names: vocabularies have been seen that also hold another encoder's token.

    Raises:
        PermanentError: no tokenizer that the `tokenizers` library can run.
    """
    from transformers import AutoConfig, AutoTokenizer

    try:
        file = path / "tokenizer.json"
        text = file.read_text("utf-8") if file.is_file() else AutoTokenizer.from_pretrained(path).backend_tokenizer.to_str()
        pad_id = AutoConfig.from_pretrained(path).pad_token_id
        return text if pad_id is None or pad_id == pad_id_of(text) else tokenizer_text(text, MOST_TOKENS, pad_id)
    except (OSError, ValueError, AttributeError) as error:
        raise PermanentError(f"{path} has no fast tokenizer: {error}", remedy="Add a tokenizer.json to it.") from error


def width_of(path: Path) -> int:
    """Numbers in a token's vector, as the checkpoint's config says."""
    from transformers import AutoConfig

    return int(AutoConfig.from_pretrained(path).hidden_size)


def positions_of(network: "nn.Module") -> int | None:
    """Tokens that the encoder has learnt places for; None where it has no table of them.

    Encoders after RoBERTa count from behind the padding token: of MPNet's 514 places 512 are a text's.
    """
    from torch import nn

    for name, table in network.named_modules():
        if name.endswith("position_embeddings") and isinstance(table, nn.Embedding):
            return table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1)
    return None


@contextlib.contextmanager
def quiet_transformers() -> Generator[None]:
    """Silence the library's loading bars and its report of layers that are new on purpose."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
