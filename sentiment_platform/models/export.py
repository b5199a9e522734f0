"""From a trained transformer to the artefact that is served: ONNX graph, int8 weights, parity check, calibration head.

torch and onnx are imported inside the functions. Reading the files again is `transformer_runtime`.
"""

import contextlib
import logging
import math
import tempfile
import warnings
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import LABELS, ExportReport, Floats, Integers, LabelledTexts, ProgressSink, TrainingData
from sentiment_platform.models.head import CalibrationHead
from sentiment_platform.models.head_training import fit_head, measure_ablation
from sentiment_platform.models.progress import ProgressMeter
from sentiment_platform.models.transformer_network import set_attention
from sentiment_platform.models.transformer_quantization import QUANTIZATION, quantise_graph
from sentiment_platform.models.transformer_runtime import (
    CONFIG_FILE,
    FORMAT,
    HEAD_FILE,
    INPUTS,
    MODEL_FILE,
    OUTPUT,
    TOKENIZER_FILE,
    OnnxScorer,
    TransformerConfig,
    open_scorer,
    open_session,
    run_graph,
)
from sentiment_platform.models.transformer_tokens import encode, pad_id_of, padded, tokenizer_from_json
from sentiment_platform.models.transformer_training import TrainedTransformer
from sentiment_platform.statistics.metrics import confusion_matrix, ratios

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn

MAX_LOGIT_DIFFERENCE = 1e-3
# In logits. int8 moves the margin between the two best by 0.4 at the 95th percentile and 0.8 at most (247 texts, MiniLM).
CLEAR_MARGIN = 1.0
MIN_CLEAR_AGREEMENT = 0.99
MIN_AGREEMENT = 0.9
MAX_MACRO_F1_LOSS = 0.01
PARITY_TEXTS = 64


class ParityError(PermanentError):
    """The exported graph does not answer like the network it was made from."""


@dataclass(frozen=True)
class Parity:
    """How close the exported graphs are to the trained network.

    Attributes:
        max_logit_difference: largest absolute difference of fp32 logits, torch against ONNX, over `n_graph` texts in padded batches.
        agreement: share of the `n` validation texts on which int8 and fp32 choose the same class.
        clear_agreement: the same over the `n_clear` texts whose two best fp32 logits are at least `CLEAR_MARGIN` apart.
        macro_f1_fp32: of the fp32 graph on the validation part; `macro_f1_int8` of the served one.
    """

    n_graph: int
    max_logit_difference: float
    n: int
    agreement: float
    n_clear: int
    clear_agreement: float
    macro_f1_fp32: float
    macro_f1_int8: float

    def require(self) -> None:
        """Refuse a graph that is another model.

        Near ties may fall either way, so clear cases count; one clear text may differ, and macro-F1 may move by chance: the net of d
        differing texts has a standard deviation of sqrt(d) / n.

        Raises:
            ParityError: differences beyond the limits at the top of this module.
        """
        if not self.max_logit_difference <= MAX_LOGIT_DIFFERENCE:
            raise ParityError(
                f"ONNX and torch logits differ by {self.max_logit_difference:.2g} (limit {MAX_LOGIT_DIFFERENCE}).",
                remedy="Do not publish; check the versions of torch, onnx and onnxruntime.",
            )
        differing, clear = ((1.0 - share) * n for share, n in ((self.agreement, self.n), (self.clear_agreement, self.n_clear)))
        allowed_loss = MAX_MACRO_F1_LOSS + 2.0 * math.sqrt(max(differing, 0.0)) / self.n
        lost = self.macro_f1_fp32 - self.macro_f1_int8
        unclear = clear > 1.5 and self.clear_agreement < MIN_CLEAR_AGREEMENT
        if self.agreement < MIN_AGREEMENT or unclear or lost > allowed_loss:
            raise ParityError(
                f"int8 agrees with fp32 on {self.agreement:.1%} of {self.n} texts and on {self.clear_agreement:.1%} of the"
                f" {self.n_clear} clear ones, and loses {lost:.3f} macro-F1 (limits {MIN_AGREEMENT:.0%}, {MIN_CLEAR_AGREEMENT:.0%},"
                f" {allowed_loss:.3f}).",
                remedy="Do not publish; train longer or from another base.",
            )


def export_transformer(trained: TrainedTransformer, data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
    """Write the four files of the family into `directory`; the same trained state and data give the same bytes.

    The head is fitted on the validation logits of the int8 graph, because that is what serves.

    Raises:
        ParityError: the graph or its int8 form does not answer like the trained network.
    """
    meter = ProgressMeter(progress, "export", 4)
    meter.advance(0, "writing the graph")
    config = TransformerConfig(
        FORMAT,
        LABELS,
        trained.parameters.max_length,
        trained.base.name,
        trained.base.digest,
        trained.pooling,
        QUANTIZATION,
    )
    (directory / CONFIG_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
    tokenizer = tokenizer_from_json(trained.tokenizer_json, config.max_length)
    (directory / TOKENIZER_FILE).write_text(tokenizer.to_str(pretty=False), "utf-8")
    fp32 = to_onnx(trained.network)
    meter.advance(1, "quantising")
    (directory / MODEL_FILE).write_bytes(quantise_graph(fp32).SerializeToString(deterministic=True))
    meter.advance(1, "checking parity")
    scorer = open_scorer(directory, config, threads=trained.threads)
    served = scorer.logits(data.validation.texts)
    fp32_bytes = fp32.SerializeToString()
    parity = measure_parity(trained, fp32_bytes, served, data.validation)
    parity.require()
    meter.advance(1, "fitting the head")
    head = calibrated(served, data)
    (directory / HEAD_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(head.to_json()), indent=1) + b"\n")
    meter.advance(1, "written")
    size = (directory / MODEL_FILE).stat().st_size
    figures: dict[str, Any] = {
        "base_model": trained.base.name,
        "training": training_figures(trained, data),
        "parity": msgspec.to_builtins(parity),
        "quantization": QUANTIZATION,
        "int8_bytes": size,
        "fp32_bytes": len(fp32_bytes),
        "features_help": head.uses_features,
        "ablation": msgspec.to_builtins(head.ablation),
    }
    return ExportReport(trained.base.name, trained.base.digest, figures, (trained.base.licence,))


def calibrated(served: Floats, data: TrainingData) -> CalibrationHead:
    """The head of the `served` (n, 3) validation logits, with the features only if held-out rows say that they help."""
    part = data.validation
    ablation = measure_ablation(served, part.features, part.labels)
    return fit_head(
        served,
        part.features,
        part.labels,
        data.feature_names,
        data.feature_schema,
        use_features=ablation.features_help,
        ablation=ablation,
    )


def training_figures(trained: TrainedTransformer, data: TrainingData) -> dict[str, Any]:
    """What the manifest says about how the network was trained; JSON-able."""
    return {
        "n_train": len(data.train),
        "n_validation": len(data.validation),
        "epochs": msgspec.to_builtins(trained.epochs),
        "best_epoch": trained.best_epoch,
        "stopped_by_clock": trained.stopped_by_clock,
        "seconds": round(trained.seconds, 1),
        "sentences_per_s": round(trained.sentences_per_s, 1),
        "device": trained.compute.device,
        "precision": trained.compute.precision,
        "threads": trained.threads,
        "pooling": trained.pooling,
        "parameters": msgspec.to_builtins(trained.parameters),
    }


def to_onnx(network: "nn.Module") -> "ModelProto":
    """The fp32 graph with dynamic batch and length, freed of everything that names this machine or its source tree."""
    import onnx
    import torch

    set_attention(network, "eager")  # onnxruntime recognises and fuses this form; the one of SDPA it does not
    ids = torch.ones((2, 8), dtype=torch.int64)
    mask = torch.ones((2, 8), dtype=torch.int64)
    mask[1, 5:] = 0
    batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("sequence", min=2)
    axes = {0: batch, 1: length}
    with tempfile.TemporaryDirectory() as folder, _quiet(), torch.no_grad():
        path = Path(folder) / "fp32.onnx"
        torch.onnx.export(
            network.eval(),
            (ids, mask),
            path,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=(axes, axes),
            opset_version=18,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        model = onnx.load(path)
    set_attention(network, "sdpa")
    graph: Any = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


def measure_parity(trained: TrainedTransformer, fp32: bytes, served: Floats, part: LabelledTexts) -> Parity:
    """Compare torch with the fp32 graph in padded batches, and the fp32 graph with the `served` (n, 3) logits of the int8 one."""
    import torch

    session = open_session(fp32, trained.threads)
    tokenizer = tokenizer_from_json(trained.tokenizer_json, trained.parameters.max_length)
    tokens = encode(tokenizer, part.texts)[:PARITY_TEXTS]
    difference = 0.0
    for start in range(0, len(tokens), 8):
        batch = padded(tokens[start : start + 8], pad_id_of(tokenizer))
        with torch.no_grad():
            expected = trained.network(torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)).numpy()
        found = run_graph(session, batch.input_ids, batch.attention_mask)
        difference = max(difference, float(np.abs(found - expected).max()))
    reference = OnnxScorer(session, tokenizer).logits(part.texts)
    same = reference.argmax(axis=1) == served.argmax(axis=1)
    ordered = np.sort(reference, axis=1)
    clear = ordered[:, 2] - ordered[:, 1] >= CLEAR_MARGIN
    return Parity(
        n_graph=len(tokens),
        max_logit_difference=difference,
        n=len(part),
        agreement=float(same.mean()),
        n_clear=int(clear.sum()),
        clear_agreement=float(same[clear].mean()) if clear.any() else 1.0,
        macro_f1_fp32=_macro_f1(part.labels, reference),
        macro_f1_int8=_macro_f1(part.labels, served),
    )


def _macro_f1(labels: Integers, logits: Floats) -> float:
    return float(ratios(confusion_matrix(labels, logits.argmax(axis=1)).astype(np.float64))["macro_f1"])


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """The exporters' advice (optional packages, preprocessing, renamed axes) is not for the reader of our logs."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
