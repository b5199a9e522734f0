"""From a trained transformer to the artefact that is served: ONNX graph, int8 weights, calibration head.

torch and onnx are imported inside the functions. Reading the files again is `runtime`.
"""

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sentiment_platform.models.family import LABELS, ExportReport, ProgressSink, TrainingData
from sentiment_platform.models.head.label_rule import fit_labelling_head, head_figures
from sentiment_platform.models.progress import ProgressMeter
from sentiment_platform.models.transformer.parity import measure_parity
from sentiment_platform.models.transformer.quantization import QUANTIZATION, quantise_graph
from sentiment_platform.models.transformer.runtime import (
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
)
from sentiment_platform.models.transformer.tokens import pad_id_of, tokenizer_from_json, tokenizer_text
from sentiment_platform.models.transformer.training.fine_tuning import TrainedTransformer

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn

OPSET = 23
"""The first with attention as one operator; GELU is one since 20."""
HEAD_SEED = 0


def export_transformer(trained: TrainedTransformer, data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
    """Write the four files of the family into `directory`; the same trained state and data give the same bytes.

    The head is fitted on the validation logits of the int8 graph, because that is what serves.

    Raises:
        ParityError: the graph or its int8 form does not answer like the trained network.
    """
    meter = ProgressMeter(progress, "export", 4)
    meter.advance(0, "writing the graph")
    config = TransformerConfig(
        format=FORMAT,
        labels=LABELS,
        max_length=trained.parameters.max_length,
        base_model=trained.base.name,
        base_digest=trained.base.digest,
        pooling=trained.pooling,
        quantization=QUANTIZATION,
    )
    (directory / CONFIG_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(config), indent=2) + b"\n")
    tokenizer, pad_id = tokenizer_from_json(trained.tokenizer_json, config.max_length), pad_id_of(trained.tokenizer_json)
    (directory / TOKENIZER_FILE).write_text(tokenizer_text(trained.tokenizer_json, config.max_length, pad_id), "utf-8")
    fp32 = to_onnx(trained.network, directory)
    meter.advance(1, "quantising")
    (directory / MODEL_FILE).write_bytes(quantise_graph(fp32).SerializeToString(deterministic=True))
    meter.advance(1, "checking parity")
    scorer = open_scorer(directory, config, threads=trained.threads)
    served = scorer.logits(data.validation.texts)
    fp32_bytes = fp32.SerializeToString()
    reference = OnnxScorer(open_session(fp32_bytes, trained.threads), tokenizer, pad_id)
    parity = measure_parity(trained.network, reference, served, tokenizer, data.validation)
    parity.require()
    # The test part decides nothing that hangs on its labels; that the graph is the network's must hold there too.
    on_test = None
    if len(data.test):
        on_test = measure_parity(trained.network, reference, scorer.logits(data.test.texts), tokenizer, data.test)
        on_test.require_same_graph()
    meter.advance(1, "fitting the head")
    head, balance = fit_labelling_head(served, data.validation, data.feature_names, data.feature_schema, seed=HEAD_SEED)
    (directory / HEAD_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(head.to_json()), indent=1) + b"\n")
    meter.advance(1, "written")
    size = (directory / MODEL_FILE).stat().st_size
    figures: dict[str, Any] = {
        "base_model": trained.base.name,
        "training": training_figures(trained, data),
        "parity": msgspec.to_builtins(parity),
        "parity_test": msgspec.to_builtins(on_test),
        "quantization": QUANTIZATION,
        "int8_bytes": size,
        "fp32_bytes": len(fp32_bytes),
        **head_figures(head, balance),
    }
    return ExportReport(trained.base.name, trained.base.digest, figures, (trained.base.licence,))


def training_figures(trained: TrainedTransformer, data: TrainingData) -> dict[str, Any]:
    """What the manifest says about how the network was trained; JSON-able."""
    return {
        "n_train": len(data.train),
        "n_validation": len(data.validation),
        "epochs": msgspec.to_builtins(trained.epochs),
        "best_epoch": trained.best_epoch,
        "losses": [list(point) for point in trained.losses],
        "steps": trained.steps,
        "resumed_from_step": trained.resumed_from,
        "peak_memory_mib": round(trained.peak_memory_mib),
        "stopped_by_clock": trained.stopped_by_clock,
        "seconds": round(trained.seconds, 1),
        "sentences_per_s": round(trained.sentences_per_s, 1),
        "device": trained.compute.device,
        "precision": trained.compute.precision,
        "threads": trained.threads,
        "pooling": trained.pooling,
        "parameters": msgspec.to_builtins(trained.parameters),
    }


def to_onnx(network: "nn.Module", work: Path | None = None) -> "ModelProto":
    """The fp32 graph with dynamic batch and length, freed of everything that names this machine or its source tree.

    Args:
        work: folder for a file that is gone again at the end; None: the system's temporary folder.
    """
    import onnx
    import torch

    ids = torch.ones((2, 8), dtype=torch.int64)
    mask = torch.ones((2, 8), dtype=torch.int64)
    mask[1, 5:] = 0
    batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("sequence", min=2)
    axes = {0: batch, 1: length}
    with tempfile.TemporaryDirectory(dir=work) as folder, _quiet(), torch.no_grad():
        path = Path(folder) / "fp32.onnx"
        torch.onnx.export(
            network.eval(),
            (ids, mask),
            path,
            input_names=list(INPUTS),
            output_names=[OUTPUT],
            dynamic_shapes=(axes, axes),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
        model = onnx.load(path)
    graph: Any = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    return model


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
