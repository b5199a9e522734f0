"""A served transformer: tokenizer and int8 graph behind the `Model` protocol, on onnxruntime and `tokenizers` alone.

Both are imported when a model is loaded. Writing the files is `export`; training them `training`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.explanation import explain_by_reading
from sentiment_platform.models.family import LABELS, Explanation, Floats
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.transformer.tokens import encode, length_buckets, pad_id_of, padded, tokenizer_from_json

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE, HEAD_FILE = "model.onnx", "tokenizer.json", "config.json", "head.json"
FILES = (MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE, HEAD_FILE)
INPUTS = ("input_ids", "attention_mask")
OUTPUT = "logits"
FORMAT = 1
# Measured on MiniLM and BERT-base: larger batches of short texts gain nothing and make the first of them wait.
BATCH_SIZE = 4
KEPT_LENGTHS = 256
# On a CPU these fused kernels are slower than their parts (onnxruntime 1.32, 32 tokens of MiniLM: 65 us against 12, 130 against 45).
SLOW_FUSIONS = ("SkipLayerNormFusion", "BiasGeluFusion")


class TransformerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`config.json` of the artefact: what the graph cannot say about itself."""

    format: int
    labels: tuple[str, ...]
    max_length: int
    base_model: str
    base_digest: str
    pooling: str
    quantization: str


class OnnxScorer:
    """Texts to logits. Thread-safe: concurrent calls share one session and, with `threads=1`, run side by side.

    Texts run in batches of `BATCH_SIZE` of similar length. The graph scales each token by itself (`quantization`), so a
    text's logits do not depend on its neighbours or on padding, to about 1e-6.
    """

    def __init__(self, session: "InferenceSession", tokenizer: "Tokenizer", pad_id: int) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self.pad_id = pad_id
        # Asked before a text is read and again for what the answer says of it.
        self.fits = lru_cache(maxsize=KEPT_LENGTHS)(self._fits)

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, 3) logits in the order of `LABELS`."""
        answer = np.empty((len(texts), len(LABELS)))
        tokens = encode(self._tokenizer, texts)
        lengths = np.array([len(row) for row in tokens], dtype=np.int64)
        for rows in length_buckets(lengths, BATCH_SIZE, None):
            batch = padded([tokens[row] for row in rows], self.pad_id)
            answer[rows] = run_graph(self._session, batch.input_ids, batch.attention_mask)
        return answer

    def _fits(self, text: str) -> bool:
        """Whether nothing of `text` is cut off at the longest length."""
        return not self._tokenizer.encode(text).overflowing


@dataclass(frozen=True)
class OnnxTransformer:
    """The `Model` of this family: scorer and calibration head."""

    scorer: OnnxScorer
    head: CalibrationHead
    config: TransformerConfig

    @property
    def batch_size(self) -> int:
        """Texts that one run takes together."""
        return BATCH_SIZE

    def logits(self, texts: Sequence[str]) -> Floats:
        """(n, 3) scores before the head."""
        return self.scorer.logits(texts)

    def predict(self, texts: Sequence[str], features: Floats | None) -> Floats:
        """(n, 3) calibrated probabilities; `features` (n, k) with NaN where missing, or None."""
        if not texts:
            return np.empty((0, len(LABELS)))
        return self.head.probabilities(self.scorer.logits(texts), features)

    @property
    def uses_features(self) -> bool:
        """Whether the head does."""
        return self.head.uses_features

    @property
    def feature_schema(self) -> str:
        """The schema of these features."""
        return self.head.feature_schema

    def explain(self, text: str, features: Floats | None) -> Explanation:
        """What each word adds, read both ways; in longer texts a part is several words in a row."""
        return explain_by_reading(self.predict, text, features)

    def fits(self, text: str) -> bool:
        """Whether it has no more tokens than the model reads; in ASCII a token has at least a character, and two are special."""
        return (len(text) <= self.config.max_length - 2 and text.isascii()) or self.scorer.fits(text)


def load_transformer(directory: Path, *, threads: int = 1) -> OnnxTransformer:
    """Read a verified artefact directory.

    Raises:
        PermanentError: a file is missing or not what this version reads: other labels, a graph with other inputs or outputs,
            external tensor data.
    """
    config = read_config(_read(directory, CONFIG_FILE))
    scorer = open_scorer(directory, config, threads=threads)
    try:
        head = CalibrationHead.from_json(msgspec.json.decode(_read(directory, HEAD_FILE)))
    except msgspec.DecodeError as error:
        raise PermanentError(f"{HEAD_FILE} is not JSON: {error}", remedy="Publish the model again.") from error
    return OnnxTransformer(scorer, head, config)


def open_scorer(directory: Path, config: TransformerConfig, *, threads: int) -> OnnxScorer:
    """Tokenizer and session of a directory, checked with one run before anybody relies on them."""
    text = _read(directory, TOKENIZER_FILE).decode("utf-8", "replace")
    tokenizer = tokenizer_from_json(text, config.max_length)
    session = open_session(_read(directory, MODEL_FILE), threads)
    scorer = OnnxScorer(session, tokenizer, pad_id_of(text))
    if not np.isfinite(scorer.logits(["Profit rose."])).all():
        raise PermanentError(f"{MODEL_FILE} answers NaN or infinity.", remedy="Train and publish the model again.")
    return scorer


def read_config(content: bytes) -> TransformerConfig:
    """Parse and check `config.json`.

    Raises:
        PermanentError: unknown or missing fields, another format, other labels or another order of them.
    """
    try:
        config = msgspec.json.decode(content, type=TransformerConfig)
    except msgspec.MsgspecError as error:
        raise PermanentError(f"{CONFIG_FILE} is not a transformer's: {error}", remedy="Publish the model again.") from error
    if config.format != FORMAT:
        raise PermanentError(f"Artefact format {config.format} is unknown.", remedy=f"This version reads format {FORMAT}.")
    if config.labels != LABELS:
        raise PermanentError(f"The labels are {config.labels}, not {LABELS}.", remedy="Export the model with this platform.")
    if not 8 <= config.max_length <= 8192:
        raise PermanentError(f"max_length={config.max_length} is out of range.", remedy="Use 8 to 8192 tokens.")
    return config


def open_session(content: bytes, threads: int) -> "InferenceSession":
    """An onnxruntime session on the CPU over an in-memory graph; memory and threads stay what they are at the first request.

    Raises:
        PermanentError: not a graph of ours (see `load_transformer`).
    """
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # The arena keeps its largest size for ever and the memory pattern one plan for each text length: both only grow.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Tensors stored outside the file would not be covered by the file's digest: look for them where nothing is.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", "/nonexistent")
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(SLOW_FUSIONS)
        )
    except Exception as error:  # onnxruntime's errors share no base below Exception
        raise PermanentError(
            f"{MODEL_FILE} cannot be loaded: {str(error)[:200]}", remedy="Publish the model again; external data is refused."
        ) from error
    _check_signature(session)
    return session


def run_graph(session: "InferenceSession", input_ids: Any, attention_mask: Any) -> Floats:
    """(n, 3) logits of token ids and mask, each (n, width) int64."""
    (logits,) = session.run([OUTPUT], {INPUTS[0]: input_ids, INPUTS[1]: attention_mask})
    return np.asarray(logits, dtype=np.float64)


def _check_signature(session: "InferenceSession") -> None:
    inputs = {item.name: (item.type, len(item.shape)) for item in session.get_inputs()}
    outputs = {item.name: (item.type, list(item.shape)[1:]) for item in session.get_outputs()}
    dynamic = all(not isinstance(size, int) for item in session.get_inputs() for size in item.shape)
    expected = dict.fromkeys(INPUTS, ("tensor(int64)", 2))
    if inputs != expected or not dynamic or outputs != {OUTPUT: ("tensor(float)", [len(LABELS)])}:
        raise PermanentError(
            f"{MODEL_FILE} has inputs {inputs} and outputs {outputs}.",
            remedy=f"Expected {INPUTS} of any batch and length, and {OUTPUT} of {len(LABELS)} columns.",
        )


def _read(directory: Path, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        raise PermanentError(f"{name} is missing in {directory}.", remedy="Fetch the model again.") from error
