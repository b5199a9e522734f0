"""The graph: every subject's assets, checks, jobs, schedules, sensors and resources. Nothing is decided here."""

import dagster as dg

from sentiment_platform.alerts import assets as alert_assets
from sentiment_platform.alerts import checks as alert_checks
from sentiment_platform.alerts.jobs import alert_job
from sentiment_platform.alerts.schedules import alert_schedule
from sentiment_platform.experiments import assets as experiment_assets
from sentiment_platform.experiments import checks as experiment_checks
from sentiment_platform.features import assets as feature_assets
from sentiment_platform.features import checks as feature_checks
from sentiment_platform.features.jobs import feature_store_job
from sentiment_platform.features.schedules import feature_store_schedule
from sentiment_platform.labels import assets as label_assets
from sentiment_platform.labels import checks as label_checks
from sentiment_platform.labels.sensors import new_labels_arrived
from sentiment_platform.market import assets as market_assets
from sentiment_platform.market import checks as market_checks
from sentiment_platform.market.jobs import market_job
from sentiment_platform.market.schedules import market_schedule
from sentiment_platform.models import assets as model_assets
from sentiment_platform.models import checks as model_checks
from sentiment_platform.monitoring import assets as monitoring_assets
from sentiment_platform.monitoring import checks as monitoring_checks
from sentiment_platform.monitoring.jobs import monitor_job, watch_job
from sentiment_platform.monitoring.schedules import monitoring_schedule
from sentiment_platform.monitoring.sensors import a_swap_is_watched, retraining_was_decided
from sentiment_platform.news import assets as news_assets
from sentiment_platform.news import checks as news_checks
from sentiment_platform.news.jobs import collect_job
from sentiment_platform.news.schedules import collection_schedule
from sentiment_platform.news.sensors import late_news_arrived
from sentiment_platform.promotion import assets as promotion_assets
from sentiment_platform.promotion import checks as promotion_checks
from sentiment_platform.promotion.jobs import baseline_job, deploy_job, train_job
from sentiment_platform.promotion.schedules import weekly
from sentiment_platform.promotion.sensors import a_version_was_selected
from sentiment_platform.sentiment import assets as sentiment_assets
from sentiment_platform.sentiment import checks as sentiment_checks
from sentiment_platform.sentiment.jobs import score_job
from sentiment_platform.starters import assets as starter_assets
from sentiment_platform.starters.jobs import bootstrap_job
from sentiment_platform.store.resources import PlatformResource

ASSET_MODULES = [
    news_assets,
    market_assets,
    feature_assets,
    label_assets,
    model_assets,
    sentiment_assets,
    experiment_assets,
    promotion_assets,
    starter_assets,
    monitoring_assets,
    alert_assets,
]
CHECK_MODULES = [
    news_checks,
    market_checks,
    feature_checks,
    label_checks,
    model_checks,
    sentiment_checks,
    experiment_checks,
    promotion_checks,
    monitoring_checks,
    alert_checks,
]

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(ASSET_MODULES, include_specs=True),
    asset_checks=dg.load_asset_checks_from_modules(CHECK_MODULES),
    jobs=[
        collect_job,
        market_job,
        feature_store_job,
        score_job,
        train_job,
        baseline_job,
        deploy_job,
        bootstrap_job,
        monitor_job,
        watch_job,
        alert_job,
    ],
    schedules=[collection_schedule, market_schedule, feature_store_schedule, weekly, monitoring_schedule, alert_schedule],
    sensors=[late_news_arrived, retraining_was_decided, new_labels_arrived, a_version_was_selected, a_swap_is_watched],
    resources={"platform": PlatformResource()},
    # What is materialized by a click: starting a process for each step takes longer than most steps. `train_job` says otherwise.
    executor=dg.in_process_executor,
)
