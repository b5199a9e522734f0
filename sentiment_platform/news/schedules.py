"""When collection runs: every 15 minutes, for today, and for yesterday too while its last articles still come in."""

import dagster as dg

from sentiment_platform.news.collect.days import days_to_collect
from sentiment_platform.news.jobs import WITHOUT_ASKING, collect_job
from sentiment_platform.news.markdown import nothing_for_these_days
from sentiment_platform.news.sources.configured import configured_sources
from sentiment_platform.store.flags import is_switched_off
from sentiment_platform.store.resources import PlatformResource


@dg.schedule(
    job=collect_job,
    cron_schedule="*/15 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Today's partition every 15 minutes; yesterday's too in the first hour after midnight UTC.",
)
def collection_schedule(context: dg.ScheduleEvaluationContext, platform: PlatformResource) -> list[dg.RunRequest] | dg.SkipReason:
    """Today's run asks the sources, for everything since they were last asked; yesterday's makes its day of what has come.

    Dagster leaves out all but the last of the ticks that a stopped daemon missed; that one makes up for them. Where nobody has chosen a
    source there is nothing to run; a chosen one that is off is for the run to say.
    """
    if is_switched_off(platform.engine, "collection"):
        return dg.SkipReason("Collection is switched off: see `sentiment-platform flags list`.")
    sources = configured_sources(platform.settings(), platform.environment())
    if not any(source.chosen and source.source.live for source in sources):
        return dg.SkipReason(nothing_for_these_days(sources))
    tick = context.scheduled_execution_time
    today, *earlier = days_to_collect(tick)
    # The key names the tick as well: with the day alone every run but the first would be skipped without a word.
    asking = dg.RunRequest(run_key=f"{tick:%Y-%m-%dT%H:%MZ}/{today}", partition_key=today.isoformat())
    return [asking] + [
        dg.RunRequest(run_key=f"{tick:%Y-%m-%dT%H:%MZ}/{day}", partition_key=day.isoformat(), run_config=WITHOUT_ASKING)
        for day in earlier
    ]
