"""A version as a card for people: what it was made of, how good it is and beside what, what it costs, and how to check all of it.

Everything stands in the manifest; nothing is measured here. It is the text of the version's release and of its page in Dagster.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files

from sentiment_platform.models.evaluation.baselines import Baseline
from sentiment_platform.models.evaluation.contrast_suite import ContrastScore
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.models.family import LABELS
from sentiment_platform.models.head.head import Ablation
from sentiment_platform.models.version_figures import ChampionFigures, PartFigures, ShownFigures, shown_figures
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.statistics.estimate import ECE, LOG_LOSS, MACRO_F1, TITLES, interval, with_interval

NOT_RECORDED = "Not recorded with this version."
LIMITS = (
    "It reads English news of companies. A text in another language, or without a word that it knows, is answered `supported: false`.",
    "It answers what a text says, not what a price will do: no outcome of the market was learnt from.",
    "A text longer than it reads at once is read sentence by sentence, by the rule of the build that runs it.",
    "Labels are people's, and people differ. Where they do, its errors are theirs too.",
    "Its figures hold for texts like those of its test part. What traffic looks like now is in the drift report.",
)


def model_card(manifest: Manifest) -> str:
    """Markdown, the same sections in the same order for every family."""
    figures = shown_figures(manifest)
    entry = FAMILIES.get(manifest.family)
    sections: dict[str, list[str]] = {
        "What it is": [
            *([entry.description] if entry else []),
            f"Base: {_cell(manifest.base_model)}. Made {manifest.created_at:%Y-%m-%d} from commit `{_cell(manifest.git_sha)}`.",
            *([f"**Warning.** {_cell(figures.warning)}"] if figures.warning else []),
        ],
        "Data": list(_data(figures.data, manifest.training_set)),
        "How good it is": list(_measured(manifest, figures)),
        "Beside baselines": list(_baselines(figures.baselines, manifest)),
        "Calibration": [_calibration(figures)],
        "What the features add": list(_features(figures.ablation, used=figures.features_help)),
        "Contrast pairs": list(_contrast(figures.contrast)),
        "Beside the champion of that day": [_champion(figures.deployed_then)],
        "Limits": [f"- {limit}" for limit in LIMITS],
        "What it costs": [_cost(figures)],
        "Licences": [f"- {_cell(licence)}" for licence in manifest.licences],
        "Check it": list(_how_to_check(manifest)),
        "Answer with it elsewhere": list(_elsewhere(manifest)),
    }
    return "\n\n".join(f"## {title}\n\n" + "\n".join(lines) for title, lines in sections.items())


def measured_table(manifest: Manifest) -> str:
    """Markdown: of the card only the measures, what the features add and the cost; as much as fits a window."""
    figures = shown_figures(manifest)
    measures = _measures(manifest) if manifest.metrics else ["It was not measured."]
    folds = ["", figures.folds.words()] if figures.folds else []
    return "\n".join([*measures, *folds, "", *_features(figures.ablation, used=figures.features_help), "", _cost(figures)])


def contrast_table(score: ContrastScore) -> str:
    """Markdown: pairs of the contrast suite with both sentences right, in all and by kind."""
    whole = score.both_right
    lines = ["| kind of pair | both sentences right |", "|---|---|"]
    lines += [f"| {kind} | {share:.0%} |" for kind, share in sorted(score.by_kind.items())]
    return "\n".join([*lines, f"| all {whole.n} | {with_interval(whole, '.1%')} |"])


def _data(parts: Mapping[str, PartFigures], training_set: str) -> Iterator[str]:
    yield f"Training set `{_cell(training_set)}`. Fitted on *train*, every choice made on *validation*, measured on *test*."
    if not parts:
        yield NOT_RECORDED
        return
    yield "Dated stories are split by time, the newest to *test*; undated ones by a hash of their words. No story stands in two parts."
    yield from (
        "",
        f"| part | texts | stories | {' | '.join(LABELS)} | dated from | to | sets |",
        "|---|---|---|---|---|---|---|---|---|",
    )
    for name, part in ((name, parts[name]) for name in ("train", "validation", "test") if name in parts):
        first, last = part.days or ("undated", "")
        labels = " | ".join(f"{part.labels.get(label, 0):,}" for label in LABELS)
        sets = ", ".join(f"{_cell(one)} {count:,}" for one, count in sorted(part.sets.items()))
        yield f"| {name} | {part.texts:,} | {part.stories:,} | {labels} | {first} | {last} | {sets} |"


def _measured(manifest: Manifest, figures: ShownFigures) -> Iterator[str]:
    if not manifest.metrics:
        yield "It was not measured."
        return
    yield from _measures(manifest)
    if any(m.low == m.high for m in manifest.metrics.values()):
        yield from ("", "An interval without width says that these texts showed no difference; few texts cannot show one.")
    if figures.folds:
        yield from ("", f"Beside this holdout: {figures.folds.words()}")
    if figures.confusion:
        yield from ("", f"| true label | said {' | said '.join(LABELS)} |", "|---|---|---|---|")
        for label, row in zip(LABELS, figures.confusion, strict=True):
            yield f"| {label} | {' | '.join(f'{count:,}' for count in row)} |"


def _measures(manifest: Manifest) -> Iterator[str]:
    yield from ("| metric | value | 95 % interval | n | data |", "|---|---|---|---|---|")
    for name, m in sorted(manifest.metrics.items()):
        seen = " (in-sample: it, or its base, has seen these texts)" if m.in_sample else ""
        yield f"| {_cell(name)} | {m.value:.3f} | {interval(m)} | {m.n} | {_cell(m.dataset)}{seen} |"


def _baselines(baselines: Mapping[str, Baseline], manifest: Manifest) -> Iterator[str]:
    if not baselines:
        yield NOT_RECORDED
        return
    yield from ("On the same test part:", "", "| | accuracy | macro-F1 |", "|---|---|---|")
    own = [with_interval(manifest.metrics[name]) for name in ("accuracy", MACRO_F1) if name in manifest.metrics]
    if len(own) == 2:
        yield f"| {manifest.version} | {' | '.join(own)} |"
    for name, one in sorted(baselines.items()):
        yield f"| {name} | {with_interval(one.accuracy)} | {with_interval(one.macro_f1)} |"


def _calibration(figures: ShownFigures) -> str:
    if figures.ece is None:
        return NOT_RECORDED
    if figures.ece_when_calibrated is None:
        return f"The expected calibration error is {figures.ece:.3f}."
    within = figures.ece <= figures.ece_when_calibrated
    verdict = (
        "on these texts its confidence is not off by more than chance" if within else "its confidence is off by more than chance"
    )
    return (
        f"The expected calibration error is {figures.ece:.3f}; of perfectly calibrated models with these answers 95 % stay below "
        f"{figures.ece_when_calibrated:.3f}. So {verdict}."
    )


def _features(ablation: Ablation | None, *, used: bool) -> Iterator[str]:
    if ablation is None:
        yield "Its head uses the features." if used else "Features are not used: its head reads the text's scores alone."
        return
    comparison = ablation.comparison
    verdict = (
        "they help, and this version uses them" if used else "no sure gain, so this version leaves them out: features not used"
    )
    yield f"What the features add: {verdict}"
    yield ""
    yield f"| held-out validation texts, n = {comparison.n} | {' | '.join(TITLES[name] for name in (LOG_LOSS, MACRO_F1, ECE))} |"
    yield "|---|---|---|---|"
    for title, side in (("scorer alone", comparison.a), ("with the features", comparison.b)):
        yield f"| {title} | {side.log_loss:.3f} | {side.macro_f1:.3f} | {side.ece:.3f} |"
    differences = (comparison.log_loss_difference, comparison.macro_f1_difference, comparison.ece_difference)
    yield f"| difference (95 % interval) | {' | '.join(with_interval(difference, '+.3f') for difference in differences)} |"


def _contrast(score: ContrastScore | None) -> Iterator[str]:
    if score is None:
        yield NOT_RECORDED
        return
    yield "Two sentences that differ in little and mean something else; a pair counts when both are right. Nothing is fitted on them."
    yield ""
    yield contrast_table(score)


def _champion(beside: ChampionFigures | None) -> str:
    if beside is None:
        return "No version of this family was deployed then, or it read other features."
    seen = f" {beside.version} was fitted on {beside.seen} of these texts, so this flatters it." if beside.seen else ""
    return (
        f"Against {beside.version} on this version's test part: macro-F1 {with_interval(beside.macro_f1, '+.3f')}, "
        f"n = {beside.macro_f1.n}; alone right {beside.only_this_right} against {beside.only_that_right} times.{seen} "
        "What follows from it is decided by `ab_evaluation`, on the newest holdout."
    )


def _cost(figures: ShownFigures) -> str:
    if (technical := figures.technical) is None:
        return NOT_RECORDED
    return (
        f"One text in {technical.latency_p50_ms} ms (p95 {technical.latency_p95_ms}), {technical.texts_per_s} texts/s, "
        f"{technical.loaded_mb} MB, one thread on {_cell(technical.processor)} ({technical.cores} cores)."
    )


def _how_to_check(manifest: Manifest) -> Iterator[str]:
    yield "Files, and what the signed manifest says of them:"
    yield from ("", "| file | MB | sha256 |", "|---|---|---|")
    for name, entry in sorted(manifest.released_files().items()):
        yield f"| {_cell(name)} | {entry.size / 1e6:.2f} | `{entry.sha256}` |"
    yield ""
    yield f"`gh release verify {manifest.version}` proves that GitHub holds this release unchanged, where releases are immutable. "
    yield "`sentiment-platform models verify` proves signature, digests and sizes of everything that is deployed."
    yield "A release is not a deployment: what runs is named by the latest `deploy-` release."


def _elsewhere(manifest: Manifest) -> Iterator[str]:
    entry = FAMILIES.get(manifest.family)
    if entry is None or not entry.script:
        yield "Its rules are code of this platform, so it needs the package: `sentiment-platform predict TEXT`."
        return
    package, _, name = entry.script.partition(":")
    yield "Without this platform: the files of the release, and this script. It answers the golden sentences and shows what is recorded."
    yield from ("", "```python", files(package).joinpath(name).read_text("utf-8").rstrip(), "```")


def _cell(text: str) -> str:
    """One line that cannot leave its table cell, or be markup."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").replace("`", "'").split())
