"""Whether the exported graphs answer like the network they were made from. torch is imported inside the function.

Writing the graphs is `export`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Floats, LabelledTexts
from sentiment_platform.models.transformer.runtime import OnnxScorer
from sentiment_platform.models.transformer.tokens import encode, length_buckets, padded
from sentiment_platform.statistics.estimate import Estimate, with_interval
from sentiment_platform.statistics.significance import paired_bootstrap
from sentiment_platform.statistics.softmax_regression import softmax

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

MAX_LOGIT_DIFFERENCE = 1e-3
MIN_AGREEMENT = 0.95
MAX_MACRO_F1_LOSS = 0.005
SEED = 20260101
BATCH_SIZE = 32


class ParityError(PermanentError):
    """The exported graph does not answer like the network it was made from."""


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How close the exported graphs are to the trained network, on all `n` texts of one part.

    Attributes:
        max_logit_difference: largest absolute difference of fp32 logits, torch against ONNX.
        max_int8_difference: the same, fp32 ONNX against int8.
        agreement: share of texts on which int8 and fp32 choose the same class.
        macro_f1: of the fp32 network.
        macro_f1_difference: int8 less fp32, with the interval of a paired bootstrap.
    """

    n: int
    max_logit_difference: float
    max_int8_difference: float
    agreement: float
    macro_f1: float
    macro_f1_difference: Estimate

    def require_same_graph(self) -> None:
        """Refuse an fp32 graph that is another model than the network.

        Raises:
            ParityError: logits of ONNX and torch differ.
        """
        if not self.max_logit_difference <= MAX_LOGIT_DIFFERENCE:
            raise ParityError(
                f"ONNX and torch logits differ by {self.max_logit_difference:.2g} (limit {MAX_LOGIT_DIFFERENCE}).",
                remedy="Do not publish; check the versions of torch, onnx and onnxruntime.",
            )

    def require(self) -> None:
        """Refuse a graph that is another model, or one that int8 made worse beyond what chance explains.

        Raises:
            ParityError: logits of ONNX and torch differ; the agreement is below `MIN_AGREEMENT` by more than two standard errors; the
                whole interval of the macro-F1 difference is a loss above `MAX_MACRO_F1_LOSS`.
        """
        self.require_same_graph()
        spread = 2.0 * math.sqrt(MIN_AGREEMENT * (1.0 - MIN_AGREEMENT) / self.n)
        if self.agreement < MIN_AGREEMENT - spread or self.macro_f1_difference.high < -MAX_MACRO_F1_LOSS:
            raise ParityError(
                f"int8 agrees with fp32 on {self.agreement:.1%} of {self.n} texts and moves macro-F1 by"
                f" {with_interval(self.macro_f1_difference, '+.3f')}; the limits are {MIN_AGREEMENT:.0%} and -{MAX_MACRO_F1_LOSS}.",
                remedy="Do not publish; train longer or from another base.",
            )


def measure_parity(network: "nn.Module", fp32: OnnxScorer, served: Floats, tokenizer: "Tokenizer", part: LabelledTexts) -> Parity:
    """Compare `network` with its `fp32` graph, and that with the logits `served` (n, 3) by the int8 graph, on every text of `part`."""
    exact = _torch_logits(network, tokenizer, fp32.pad_id, part.texts)
    graph = fp32.logits(part.texts)
    moved = paired_bootstrap(part.labels, softmax(graph), softmax(served), seed=SEED)
    return Parity(
        n=len(part),
        max_logit_difference=float(np.abs(graph - exact).max()),
        max_int8_difference=float(np.abs(served - graph).max()),
        agreement=float((graph.argmax(axis=1) == served.argmax(axis=1)).mean()),
        macro_f1=moved.a,
        macro_f1_difference=moved.difference,
    )


def _torch_logits(network: "nn.Module", tokenizer: "Tokenizer", pad_id: int, texts: Sequence[str]) -> Floats:
    import torch

    tokens = encode(tokenizer, texts)
    logits = np.empty((len(tokens), 3))
    with torch.no_grad():
        for rows in length_buckets(np.array([len(row) for row in tokens], dtype=np.int64), BATCH_SIZE, None):
            batch = padded([tokens[row] for row in rows], pad_id)
            logits[rows] = network(torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)).numpy()
    return logits
