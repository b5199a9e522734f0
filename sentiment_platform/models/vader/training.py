"""Fit the VADER family: search the rule constants, learn terms around the stock lexicon, fit the calibration head.

Terms and constants see the training part only, the head and its label rule the validation part only. Deterministic, seconds. It
always ends with a model: what cannot be learned is the champion's (without one: the stock lexicon, the scorer's own softmax), with a
warning.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import ExportReport, Progress, ProgressSink, TrainingData, TrainingOptions, TrainingWorld
from sentiment_platform.models.head.head import CalibrationHead
from sentiment_platform.models.head.label_rule import fit_labelling_head, head_figures, plain_head
from sentiment_platform.models.vader.diff import moved_summary
from sentiment_platform.models.vader.family import (
    HEAD_FILE,
    SCORER_FILE,
    STOCK_SCORER,
    TUNABLE,
    LearnedTerm,
    VaderModel,
    VaderScorer,
    load_vader,
    scorer_logits,
)
from sentiment_platform.models.vader.fit import FittedTerms, fit_terms
from sentiment_platform.models.vader.search import problem_of, search
from sentiment_platform.models.vader.terms import EXAMPLES, TermEvidence, read_evidence
from sentiment_platform.statistics.metrics import confusion_matrix, predicted_classes, ratios
from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.rules import STOCK_RULES, RuleConstants

TRIALS = 16
BASE_MODEL = "vaderSentiment 3.3.2 lexicon"
DECIMALS = 3
"""Of weights in the artefact: finer differences change no answer and only tire whoever reads it."""


@dataclass(frozen=True, kw_only=True)
class TrainedVader:
    """The fitted parts.

    Attributes:
        fitted_macro_f1: of scorer and head on the training part, which the scorer has seen: no estimate of quality.
        search: the record of the search, empty where there was none.
        champion: the version to compare with.
        label_balance: see `head.label_rule`; None where the head was not fitted here.
        warning: what could not be learned, and why; None where all was.
    """

    scorer: VaderScorer
    head: CalibrationHead
    fitted_macro_f1: float
    search: Mapping[str, Any] = field(default_factory=dict[str, Any])
    champion: VaderScorer = STOCK_SCORER
    label_balance: float | None = None
    warning: str | None = None


class VaderFamily:
    """Rules, readable, fast; needs no training library."""

    name = "vader"
    files = (SCORER_FILE, HEAD_FILE)

    def inputs(self) -> Mapping[str, str]:
        """The stock lexicon, and the rule by which terms are learned."""
        return {"lexicon": stock_lexicon_digest(), "rule": "terms-1"}

    def train(self, data: TrainingData, options: TrainingOptions, progress: ProgressSink) -> TrainedVader:
        """Learn from `data.train`, calibrate on `data.validation`. The one parameter is `trials`, the settings to search."""
        trials = _trials(options.parameters)
        deployed, warnings = _deployed(options.champion, progress), list[str]()
        champion = deployed.scorer if deployed else STOCK_SCORER
        record: Mapping[str, Any] = {}
        try:
            scorer, record = _learn(data, trials, options.seed, progress)
            engine = scorer.engine()
        except Exception as error:  # Whatever went wrong: last week's lexicon is better than none.
            scorer, engine, record = champion, champion.engine(), {}
            warnings.append(f"Learning failed, the previous lexicon stands: {type(error).__name__}: {error}")
        logits, balance = scorer_logits(engine, scorer, data.validation.texts), None
        try:
            head, balance = fit_labelling_head(
                logits, data.validation, data.feature_names, data.feature_schema, seed=options.seed
            )
        except Exception as error:
            head, stands = _head_without_fit(deployed, data)
            warnings.append(f"No head could be fitted, {stands}: {type(error).__name__}: {error}")
        for warning in warnings:
            progress(Progress(stage="vader: WARNING", done=1, total=1, rate=0.0, remaining_s=0.0, note=warning))
        probabilities = head.probabilities(scorer_logits(engine, scorer, data.train.texts), data.train.features)
        on_training_part = ratios(confusion_matrix(data.train.labels, predicted_classes(probabilities)).astype(np.float64))
        note = f"{len(scorer.terms)} terms, label balance {balance}"
        progress(
            Progress(stage="vader: fitted", done=len(data.train), total=len(data.train), rate=0.0, remaining_s=0.0, note=note)
        )
        return TrainedVader(
            scorer=scorer,
            head=head,
            fitted_macro_f1=float(on_training_part.macro_f1),
            search=record,
            champion=champion,
            label_balance=balance,
            warning=" ".join(warnings) or None,
        )

    def export(self, trained: TrainedVader, data: TrainingData, directory: Path, progress: ProgressSink) -> ExportReport:
        """Write the two JSON files, sorted, one term a line, for a reader and for `diff`."""
        del data, progress
        (directory / SCORER_FILE).write_text(readable(trained.scorer), encoding="utf-8")
        head = json.dumps(trained.head.to_json(), indent=1, sort_keys=True)
        (directory / HEAD_FILE).write_text(head + "\n", encoding="utf-8")
        figures: dict[str, Any] = {
            "fitted_macro_f1": trained.fitted_macro_f1,
            "thresholds": [trained.scorer.negative_below, trained.scorer.positive_above],
            "terms": len(trained.scorer.terms),
            "terms_moved": moved_summary(trained.champion, trained.scorer),
            "search": dict(trained.search),
            **head_figures(trained.head, trained.label_balance),
        }
        if trained.warning:
            figures["warning"] = trained.warning
        return ExportReport(BASE_MODEL, stock_lexicon_digest(), figures, ("MIT (VADER lexicon, Hutto and Gilbert 2014)",))


def vader_family(world: TrainingWorld) -> VaderFamily:
    """The family needs nothing of the world around it."""
    del world
    return VaderFamily()


def readable(scorer: VaderScorer) -> str:
    """The scorer as JSON: sorted, one field a line, one term a line."""
    document: dict[str, Any] = msgspec.to_builtins(scorer)
    terms = document.pop("terms")
    lines = [f"  {json.dumps(term, ensure_ascii=False)}: {_compact(terms[term])}" for term in sorted(terms)]
    fields = [f" {json.dumps(name)}: {_compact(value)}" for name, value in sorted(document.items())]
    return "{\n" + ",\n".join([*fields, ' "terms": {\n' + ",\n".join(lines) + "\n }"]) + "\n}\n"


def stock_lexicon_digest() -> str:
    """SHA-256 over the stock lexicon's terms and valences."""
    return sha256(json.dumps(dict(stock_lexicon().valences), sort_keys=True).encode()).hexdigest()


def _learn(data: TrainingData, trials: int, seed: int, progress: ProgressSink) -> tuple[VaderScorer, Mapping[str, Any]]:
    train, lexicon = data.train, stock_lexicon()
    evidence = read_evidence(train.texts, lexicon)
    searched = search(
        train.texts,
        train.labels,
        evidence,
        lexicon,
        trials=trials,
        seed=seed,
        report=lambda number, best: progress(
            Progress(
                stage="vader: search",
                done=number + 1,
                total=trials,
                rate=0.0,
                remaining_s=0.0,
                note=f"best held-out macro-F1 {best:.3f}",
            )
        ),
    )
    problem = problem_of(train.texts, train.labels, evidence, lexicon, searched.best.constants)
    fitted = fit_terms(problem, searched.best.strengths)
    largest = float(np.abs(fitted.sums(problem)).max())
    return scorer_of(fitted, evidence, searched.best.constants, largest, train.ids), searched.record


def scorer_of(
    fitted: FittedTerms, evidence: TermEvidence, rules: RuleConstants, largest_sum: float, ids: Sequence[str]
) -> VaderScorer:
    """The artefact's form of a fit: rounded, with the evidence of every term that moved."""
    terms = dict[str, LearnedTerm]()
    for column, term in enumerate(evidence.terms):
        stock, change = float(evidence.stock[column]), float(fitted.valence[column])
        valence, emphasis = round(stock + change, DECIMALS), round(float(fitted.emphasis[column]), DECIMALS)
        if valence != stock or emphasis != 0:
            rows = evidence.texts_of_term[column]
            examples = tuple(ids[row] for row in rows[:EXAMPLES])
            terms[term] = LearnedTerm(valence + 0.0, stock or None, emphasis + 0.0, len(rows), examples)
    return VaderScorer(
        # Plus 0, which is never minus 0.
        negative_below=round(fitted.emphasis_bias - fitted.polarity_bias, DECIMALS) + 0.0,
        positive_above=round(-fitted.emphasis_bias - fitted.polarity_bias, DECIMALS) + 0.0,
        steepness=fitted.steepness,
        largest_sum=round(largest_sum + 1, DECIMALS),
        constants={name: getattr(rules, name) for name in sorted(TUNABLE) if getattr(rules, name) != getattr(STOCK_RULES, name)},
        terms=terms,
    )


def _deployed(directory: Path | None, progress: ProgressSink) -> VaderModel | None:
    """The deployed version; None without a deployment, or where an older release wrote another format or knew another lexicon."""
    try:
        return load_vader(directory) if directory else None
    except PermanentError as error:
        progress(
            Progress(
                stage="vader: WARNING",
                done=1,
                total=1,
                rate=0.0,
                remaining_s=0.0,
                note=f"compared with the stock lexicon: {error}",
            )
        )
        return None


def _head_without_fit(deployed: VaderModel | None, data: TrainingData) -> tuple[CalibrationHead, str]:
    """A head where none can be fitted, and whose it is. What the features added to an older version is not claimed for this one."""
    if deployed and (deployed.head.feature_schema, deployed.head.feature_names) == (data.feature_schema, data.feature_names):
        return replace(deployed.head, ablation=None), "the deployed version's stands"
    return plain_head(data.feature_names, data.feature_schema), "the scorer's own probabilities stand"


def _trials(parameters: Mapping[str, Any]) -> int:
    if unknown := parameters.keys() - {"trials"}:
        raise PermanentError(f"VADER has no parameters {sorted(unknown)}.", remedy="It has one: trials.")
    trials = parameters.get("trials", TRIALS)
    if not isinstance(trials, int) or isinstance(trials, bool) or not 0 <= trials <= 1000:
        raise PermanentError(f"trials is {trials!r}.", remedy="Give a whole number from 0 to 1000.")
    return trials


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
