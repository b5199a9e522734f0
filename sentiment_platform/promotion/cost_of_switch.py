"""What a deployment changes for whoever asks, in words: how long an answer takes and what it needs, before and after; and the way back."""

from collections.abc import Callable

from sentiment_platform.models.version_figures import shown_figures
from sentiment_platform.registry.deployment import Deployment
from sentiment_platform.registry.manifest import Manifest

NOT_MEASURED = "not measured"


def switch_in_words(before: Deployment | None, after: Deployment, manifest_of: Callable[[str], Manifest | None]) -> str:
    """Markdown for the text of the release of `after`.

    Args:
        before: what ran; None where nothing did.
        manifest_of: version -> its manifest, None where it is not known here.
    """
    ran = before.versions() if before else {}
    lines = ["What the switch costs (measured when each version was published, one thread):", ""]
    lines += ["| family | before | after |", "| --- | --- | --- |"]
    for family, version in sorted(after.versions().items()):
        now, then = _cost(manifest_of(version)), ran.get(family)
        earlier = "nothing" if then is None else f"{then}: {_cost(manifest_of(then))}"
        lines.append(f"| {family} | {'unchanged' if then == version else earlier} | {version}: {now} |")
    if before is None:
        return "\n".join([*lines, "", "Nothing ran before, so there is nothing to go back to."])
    if before.default_family != after.default_family:
        lines += [
            "",
            f"The default family was {before.default_family} and is {after.default_family}: POST /predict answers with it.",
        ]
    # What a rollback left does not return by itself.
    back, button = (f" --to {before.revision}", "choose its versions") if after.rule == "rollback" else ("", "Roll back")
    undo = (
        f'`sentiment-platform models rollback{back} --reason "..."` publishes the content of {before.tag} as the next revision.'
    )
    return "\n".join([*lines, "", f"To undo it: {undo} In the dashboard: Deployments, {button}."])


def _cost(manifest: Manifest | None) -> str:
    technical = shown_figures(manifest).technical if manifest else None
    if technical is None:
        return NOT_MEASURED
    return f"{technical.latency_p50_ms} ms a text (p95 {technical.latency_p95_ms}), {technical.loaded_mb} MB"
