"""What to do about an incident, in one sentence, by the check that found it. The runbook says more; serving shows this beside the alert."""

from collections.abc import Mapping

EXPORT = "sentiment-platform labels tasks export --out FILE"
REMEDIES: Mapping[str, str] = {
    "quarantine_share_is_low": (
        "See which rule refused what: `sentiment-platform news quarantine`. Adapt the source's entry, then `sentiment-platform news replay`."
    ),
    "sources_are_fresh": "See quota, key and last failure: `sentiment-platform news sources`. Switch off a source that is gone.",
    "drift_is_within_bounds": "Look at both distributions and at the telling words. A missing feed or a new client explains context; other texts need labels.",
    "new_labels_are_there": f"`{EXPORT}` writes the texts to label; bring them back with `sentiment-platform labels import`.",
    "live_accuracy_matches_the_holdout": (
        "Roll back if the newest deployment is the cause: `sentiment-platform models rollback`. Otherwise add labels and train again."
    ),
    "the_new_version_answers_as_well": (
        "Compare the two versions on the page Models and look at the swap's figures; `sentiment-platform models rollback`, or promote it again by hand."
    ),
    "newest_run_succeeded": "Read the run's log in the Dagster UI, mend the cause and start the job again.",
    "serving_answers": "Ask `sentiment-platform doctor` what is missing, and see the log of serving.",
    "serving_runs_what_was_deployed": (
        "Read why in GET /models/status. Publish a damaged version anew, or go back: `sentiment-platform models rollback`."
    ),
}
UNKNOWN = "See the runbook."


def remedy_of(source: str) -> str:
    """What to do about an incident that `source` found."""
    return REMEDIES.get(source, UNKNOWN)
