"""Checks of what training takes in and of training sets. They block: a model trained on a leak cannot be judged any more."""

import dagster as dg

from sentiment_platform.labels.intake import NEWEST, Intake, evaluate_intake
from sentiment_platform.labels.training_set import MINIMUM_PER_LABEL, leaks_in
from sentiment_platform.news.profiles import HISTORY
from sentiment_platform.store.label_sets import imported_files
from sentiment_platform.store.profiles import source_profiles
from sentiment_platform.store.quarantine import days_of_news
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.training_sets import StoredExample, latest_training_set, training_examples
from sentiment_platform.text.sentiment import LABELS


def intake_result(intake: Intake) -> dg.AssetCheckResult:
    """A warning for a fault, an error (which stops training) for a large one."""
    return dg.AssetCheckResult(
        passed=not intake.unsound,
        severity=dg.AssetCheckSeverity.ERROR if intake.is_alarming else dg.AssetCheckSeverity.WARN,
        description=f"{len(intake.unsound)} faults in {len(intake.files)} label sets and {len(intake.days)} days of news; none may be.",
        metadata={
            "value": len(intake.unsound),
            "bound": 0,
            "label_sets": len(intake.files),
            "days_of_news": len(intake.days),
            "unsound": dg.MetadataValue.md("\n".join(f"- {fault}" for fault in intake.unsound) or "none"),
        },
    )


@dg.asset_check(
    asset="labels",
    blocking=True,
    description=(
        "Of the newest file of each label set and of each of the newest days of news at most 5 % is refused, and sources deliver the "
        "fields that they used to; above 25 %, or where a field jumps far, nothing is trained until it was fixed and read again."
    ),
)
def what_training_takes_in_is_sound(platform: PlatformResource) -> dg.AssetCheckResult:
    now = platform.now()
    with platform.engine().connect() as connection:
        files, days = imported_files(connection), days_of_news(connection, now - NEWEST)
        profiles = source_profiles(connection, now - NEWEST - HISTORY, now)
    return intake_result(evaluate_intake(files, days, profiles, now))


@dg.asset_check(
    asset="training_set",
    blocking=True,
    description="No story, and no text, is in two parts; no test story began before a training story.",
)
def nothing_leaks_between_parts(platform: PlatformResource) -> dg.AssetCheckResult:
    leaks = leaks_in(_newest(platform))
    total = sum(leaks.values())
    return dg.AssetCheckResult(
        passed=total == 0,
        description=f"{total:,} stories or texts are in two parts, or out of order; none may be.",
        metadata={"value": total, "bound": 0, **leaks},
    )


@dg.asset_check(
    asset="training_set", blocking=True, description="Each part has enough texts of each label to train on or to measure with."
)
def every_label_is_present(platform: PlatformResource) -> dg.AssetCheckResult:
    examples = _newest(platform)
    counts = {
        f"{part} {label}": sum(e.part == part and e.label == label for e in examples)
        for part in ("train", "validation", "test")
        for label in LABELS
    }
    fewest = min(n for name, n in counts.items() if name.startswith("train"))
    scarce = [name for name, n in counts.items() if n < (MINIMUM_PER_LABEL if name.startswith("train") else 5)]
    return dg.AssetCheckResult(
        passed=not scarce,
        description=f"Too few texts to train on or to measure with: {', '.join(scarce)}. Import more labels."
        if scarce
        else f"The scarcest label of the training part has {fewest:,} texts, at least {MINIMUM_PER_LABEL} are needed.",
        metadata={"value": fewest, "bound": MINIMUM_PER_LABEL, **counts, "scarce": ", ".join(scarce) or "none"},
    )


def _newest(platform: PlatformResource) -> list[StoredExample]:
    with platform.engine().connect() as connection:
        newest = latest_training_set(connection)
        return training_examples(connection, newest.digest) if newest else []
