"""The asset of sentiment: what the versions say of each article."""

from typing import Any

import dagster as dg
from pydantic import Field

from sentiment_platform.models.pages.reporting import log_progress
from sentiment_platform.news.partitions import daily
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.run_tags import ONLY_NEW, SCORES
from sentiment_platform.sentiment.announcing import announce_scores
from sentiment_platform.sentiment.markdown import tallies_table
from sentiment_platform.sentiment.scorers import load_scorer, scoring_versions
from sentiment_platform.sentiment.scoring import score_days
from sentiment_platform.store.resources import PlatformResource


class ScoringConfig(dg.Config):
    """Whose scores one run makes."""

    version: str = Field(
        default="",
        description="Tag of the published version that scores; without, the deployed version of every family does.",
    )


@dg.asset(
    deps=["article_features", "deployment"],
    partitions_def=daily,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="sentiment",
    owners=["team:data-science"],
    kinds={"python", "postgres"},
    tags={"stage": "collection"},
    pool="sentiment",
    description=(
        "What the deployed version of each family says of each article: the probabilities that POST /predict answers to its headline alone. "
        "A partition is the UTC day of publication. A run of `collect_job` scores what no deployed version of the family has scored; any other run "
        "scores the whole day by the version that it is about. 2026-03-02 then has rows of both, side by side."
    ),
)
def article_sentiment(
    context: dg.AssetExecutionContext, config: ScoringConfig, platform: PlatformResource
) -> dg.MaterializeResult[Any]:
    days, engine, access = context.partition_time_window, platform.engine(), RegistryAccess(platform.settings())
    only_new = context.run.tags.get(SCORES) == ONLY_NEW
    scorers = scoring_versions(engine, config.version, only_new=only_new)
    scored = score_days(
        engine,
        scorers,
        days.start,
        days.end,
        load=lambda scoring: load_scorer(access, scoring),
        now=platform.now,
        progress=log_progress(context.log.info),
    )
    if only_new:
        # Scores of history are no news, and there may be many thousands.
        announce_scores(engine, platform.settings().redis_url, scored, platform.now())
    return dg.MaterializeResult(
        metadata={
            "summary": scored.words(),
            "dagster/partition_row_count": scored.articles,
            "scored": scored.scored,
            "kept": sum(tally.kept for tally in scored.tallies),
            "versions": dg.MetadataValue.md(tallies_table(scored)),
        },
        data_version=dg.DataVersion(scored.digest),
    )
