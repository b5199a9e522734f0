"""Checks of prices: read, evaluate (`market.evaluation`), convert."""

from datetime import timedelta

import dagster as dg

from sentiment_platform.market.assets import market_prices
from sentiment_platform.market.evaluation import MAX_REFUSED_SHARE, RefusedShare, completeness_now
from sentiment_platform.market.markdown import questions_list
from sentiment_platform.market.prices import BOUNDARY, price_symbols
from sentiment_platform.store.market import arrivals_since
from sentiment_platform.store.outcomes import outcomes_that_look_ahead
from sentiment_platform.store.resources import PlatformResource
from sentiment_platform.store.splits import RULE, questions_open

ARRIVALS = timedelta(days=14)


@dg.asset_check(
    asset=market_prices,
    blocking=True,
    description=f"At most {MAX_REFUSED_SHARE:.0%} of the bars that arrived in the last 14 days are refused by the contract.",
)
def prices_hold_their_contract(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        stored, refused = arrivals_since(connection, BOUNDARY, platform.now() - ARRIVALS)
    # What waits for a person's answer is no fault of the source; the check below tells of it.
    refused_share = RefusedShare(stored, {rule: n for rule, n in refused.items() if rule != RULE})
    rules = "\n".join(f"- {rule}: {n}" for rule, n in refused_share.refused.items())
    return dg.AssetCheckResult(
        passed=refused_share.is_low,
        description=f"{refused_share.share:.1%} of the bars that arrived are refused, at most {MAX_REFUSED_SHARE:.0%} may be.",
        metadata={
            "value": refused_share.share,
            "bound": MAX_REFUSED_SHARE,
            "arrived": refused_share.stored + sum(refused_share.refused.values()),
            "rules": dg.MetadataValue.md(rules or "none"),
        },
    )


@dg.asset_check(
    asset=market_prices,
    description="In the last 45 days no series lacks a session of its exchange, and none that is fetched is more than 2 sessions behind.",
)
def no_session_is_missing(platform: PlatformResource) -> dg.AssetCheckResult:
    settings = platform.settings()
    live = price_symbols(settings.price_symbols) if settings.price_source and settings.price_key else ()
    with platform.engine().connect() as connection:
        completeness = completeness_now(connection, platform.now(), live)
    missing = "\n".join(f"- {exchange}: {'; '.join(said)}" for exchange, said in completeness.by_exchange.items())
    return dg.AssetCheckResult(
        passed=completeness.holds,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(completeness.gaps)} series have a gap, {len(completeness.behind)} are behind; none may be.",
        metadata={
            "value": len(completeness.gaps) + len(completeness.behind),
            "bound": 0,
            "by_exchange": dg.MetadataValue.md(missing or "none"),
            "sessions_behind": dict(completeness.behind),
        },
    )


@dg.asset_check(
    asset=market_prices,
    description="No change of level that looks like a split waits for a person's answer.",
)
def every_split_is_answered(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        asked = questions_open(connection)
    return dg.AssetCheckResult(
        passed=not asked,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(asked)} changes of level wait for an answer; none may.",
        metadata={"value": len(asked), "bound": 0, "questions": dg.MetadataValue.md(questions_list(asked))},
    )


@dg.asset_check(
    asset="outcomes",
    description="Every outcome is entered after its article was available, ends after it began, and is over.",
)
def no_outcome_looks_ahead(platform: PlatformResource) -> dg.AssetCheckResult:
    with platform.engine().connect() as connection:
        looking_ahead = outcomes_that_look_ahead(connection, platform.now())
    return dg.AssetCheckResult(
        passed=looking_ahead == 0,
        description=f"{looking_ahead:,} outcomes look ahead; none may.",
        metadata={"value": looking_ahead, "bound": 0},
    )
