"""What is asked of both families, trained on PhraseBank's training part (the transformer on those of all sets): calibration, agreement.

The transformers and VADER models are those of Q.3 and Q.2; a process trains each once.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.evaluation.evaluation import Evaluation, evaluate
from sentiment_platform.models.family import LabelledTexts
from sentiment_platform.models.transformer.training.stages import taken
from sentiment_platform_tests.benchmarks.labelled_data import SPLIT, training_data
from sentiment_platform_tests.benchmarks.quality import vader_run
from sentiment_platform_tests.benchmarks.quality_transformer import agreed_rows, in_domain_run
from sentiment_platform_tests.benchmarks.rows import TABLE, Figure
from sentiment_platform_tests.benchmarks.seeds import SEEDS, mean_of_seeds, seed_documents, with_interval

AGREEMENT = ("50Agree", "66Agree", "75Agree", "AllAgree")


def evaluations(texts: LabelledTexts) -> dict[str, Sequence[Evaluation]]:
    """Every seed of both families on `texts`."""
    return {
        "transformer": [evaluate(in_domain_run(seed).model, texts) for seed in SEEDS],
        "vader": [evaluate(vader_run(seed).model, texts) for seed in SEEDS],
    }


@TABLE.row("Q.5", "calibration of both families on the test part of PhraseBank 50Agree")
def calibration() -> Iterator[Figure]:
    test = training_data(("phrasebank",)).test
    for family, found in evaluations(test).items():
        errors = [one.calibration.ece for one in found]
        explains = {"split": SPLIT, "seeds": list(SEEDS), "of_each_seed": [round(error, 4) for error in errors]}
        what = f"{family}: calibration error (ECE), mean of the seeds"
        yield Figure(what, float(np.mean(errors)), "", 0.05, len(test), explains=explains)


@TABLE.row("S4.7", "both families on the test part of PhraseBank, by how many annotators agreed")
def by_agreement() -> Iterator[Figure]:
    test = training_data(("phrasebank",)).test
    for split in AGREEMENT:
        try:
            texts = taken(test, agreed_rows(test, split))
        except (FileNotFoundError, PermanentError) as error:
            explains = {"split": SPLIT, "missing": str(error)}
            yield Figure(f"{split}: not measured, its file is not there", 0.0, "", 0.0, 0, explains=explains)
            continue
        for family, found in evaluations(texts).items():
            macro_f1 = mean_of_seeds(texts.labels, found)
            explains = {
                "interval": with_interval(macro_f1)[1:],
                "accuracy": with_interval(mean_of_seeds(texts.labels, found, "accuracy")),
                "split": SPLIT,
                "seeds": list(SEEDS),
                "in_sample": False,
                "runs": seed_documents(found),
            }
            yield Figure(f"{family}, {split}: macro-F1, mean of the seeds", macro_f1.value, "", 0.0, macro_f1.n, True, explains)
