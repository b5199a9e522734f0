"""The text of a release, for people. The documents beside it are for machines; nothing is ever read back from here
but the marker, which tells which document a draft was made for.
"""

from sentiment_platform.registry.deployment import Deployment, Experiment, Shadow
from sentiment_platform.registry.manifest import Manifest
from sentiment_platform.statistics.estimate import interval


def marker(document_digest: str) -> str:
    """The hidden line by which a draft is recognised."""
    return f"<!-- document sha256:{document_digest} -->"


def model_notes(manifest: Manifest, manifest_digest: str, card: str = "") -> str:
    """Markdown: the card of the model, or where there is none its metrics with intervals and its files."""
    return "\n".join([card or _figures_and_files(manifest), "", marker(manifest_digest)])


def _figures_and_files(manifest: Manifest) -> str:
    rows = [
        f"| {_cell(name)} | {m.value:.4f} | {interval(m, '.4f')} | {m.n} | {_cell(m.dataset)}{' (in sample)' if m.in_sample else ''} |"
        for name, m in sorted(manifest.metrics.items())
    ]
    files = [f"| {name} | {entry.size} | `{entry.sha256}` |" for name, entry in sorted(manifest.released_files().items())]
    return "\n".join(
        [
            f"Model of family **{manifest.family}**, base `{_cell(manifest.base_model)}`. "
            "A release is not a deployment: what runs is named by the latest `deploy-` release.",
            "",
            "| metric | value | 95 % interval | n | data |",
            "| --- | ---: | --- | ---: | --- |",
            *rows,
            "",
            "| file | bytes | sha256 |",
            "| --- | ---: | --- |",
            *files,
        ]
    )


def deployment_notes(deployment: Deployment, document_digest: str, remarks: str = "") -> str:
    """Markdown: what runs from this revision on, and why; `remarks` as they are."""
    champions = [
        f"| {family} | {champion.version} | `{champion.manifest_digest}` |{' default' if family == deployment.default_family else ''} |"
        for family, champion in sorted(deployment.champions.items())
    ]
    return "\n".join(
        [
            f"Revision **{deployment.revision}** by {_cell(deployment.actor)} (rule: {deployment.rule}): {_cell(deployment.reason)}",
            "",
            "| family | version | manifest | |",
            "| --- | --- | --- | --- |",
            *champions,
            "",
            _cell(experiment_words(deployment.shadow or None, deployment.experiment)),
            f"Verdict: {_cell(deployment.evidence.verdict)}",
            "",
            *([remarks, ""] if remarks else []),
            marker(document_digest),
        ]
    )


def experiment_words(shadow: Shadow | None, split: Experiment | None) -> str:
    """What runs beside the champions, as a sentence."""
    if shadow:
        return (
            f"Experiment {shadow.name}, phase {shadow.phase}: {shadow.version} answers {shadow.share:.1%} of the requests of "
            f"{shadow.beside} in shadow, {shadow.daily_cap:,} a day at most; nobody is served its answers."
        )
    if split:
        arms = ", ".join(f"{name} {arm.version} {arm.weight:.1%}" for name, arm in sorted(split.arms.items()))
        return f"Experiment {split.name}, phase {split.phase}, of the units: {arms}."
    return "No experiment runs."


def _cell(text: str) -> str:
    """One line that cannot leave its table cell or forge a marker."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
