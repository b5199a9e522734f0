"""The tags of runs: Dagster's names that we read or write, and our own. Whoever tags a run, or looks for one, takes the name from here."""

from collections.abc import Collection, Mapping
from datetime import date

PARTITION = "dagster/partition"
RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
LAUNCHED = ".dagster/grpc_info"
"""What Dagster's launcher writes: the code server that it gave the run to."""

TRIGGER, REASON = "trigger", "reason"
"""Why there is a run: a word to filter by (`weekly`, `late_news`, `new_labels`, the kinds of a decision's causes), and a sentence."""
DECISION, ACTOR = "decision", "actor"
"""The id of the retraining decision that asked for a run; the person whose selection did."""
SELECTION = "selection"
"""The newest selection that a run is to publish; each time that it is asked for again has it too."""
RANGE = "range"
"""First and last day of the whole range that a run makes a piece of."""
UNFINISHED, WAITING = "unfinished", "waiting"
"""Sources of which a run's past days are not all there, with the reason; and those of them that have more to give, later."""
SCORES, ONLY_NEW = "scores", "only new"
"""What a run scores: `only new` leaves alone what an earlier deployed version has scored. A tag of the job, because configuration of a
job is lost where a run brings its own."""
SHOWN_WITH_ITS_JOB = {".dagster/repository": "__repository__@sentiment_platform"}
"""What Dagster writes into a run that its UI or daemon starts: the code that the job is of, by its name in workspace.yaml. The UI looks
for it, and lists a run without it nowhere with its job."""
TRAINS = "trains"
"""The families that a run trains before it deploys. Such a run signs with both keys, and needs a machine that can train."""
HOST, PROCESS, PROCESS_START = ".dagster/sentiment_host", ".dagster/sentiment_process", ".dagster/sentiment_process_start"
"""The process that a headless run belongs to. Only machines read this: Dagster's UI hides what begins with `.dagster/`."""


def range_tags(first: date | str, last: date | str) -> dict[str, str]:
    """Tags of a run that makes all the days from `first` to `last` (ISO 8601), both included."""
    return {RANGE_START: str(first), RANGE_END: str(last)}


def unfinished_tags(unfinished: Mapping[str, str], waiting: Collection[str]) -> dict[str, str]:
    """UNFINISHED and WAITING, as far as there is something to say."""
    tags = {UNFINISHED: "; ".join(f"{source}: {reason}" for source, reason in sorted(unfinished.items()))}
    return tags | ({WAITING: ", ".join(sorted(waiting))} if waiting else {})
