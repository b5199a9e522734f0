"""The whole graph, written out by hand: what changes in it changes here, and a reader sees both in one place."""

# key: (group, stage, parents)
ASSETS: dict[str, tuple[str, str, set[str]]] = {
    "raw_news": ("news", "collection", set()),
    "articles": ("news", "collection", {"raw_news"}),
    "article_features": ("features", "collection", {"articles"}),
    "online_features": ("features", "collection", {"article_features"}),
    "article_sentiment": ("sentiment", "collection", {"article_features", "deployment"}),
    "market_prices": ("market", "collection", set()),
    "outcomes": ("market", "collection", {"articles", "market_prices"}),
    "labels": ("labels", "training", set()),
    "training_set": ("labels", "training", {"labels", "article_features"}),
    "vader_model": ("models", "training", {"training_set"}),
    "finbert_model": ("models", "training", {"training_set"}),
    "vader_evaluation": ("models", "training", {"training_set", "vader_model"}),
    "finbert_evaluation": ("models", "training", {"training_set", "finbert_model"}),
    "ab_evaluation": ("experiments", "training", {"vader_evaluation", "finbert_evaluation"}),
    "online_evaluation": ("experiments", "monitoring", {"predictions", "deployment", "labels"}),
    "deployment": ("promotion", "training", {"ab_evaluation"}),
    "starters": ("promotion", "training", set()),
    "predictions": ("monitoring", "monitoring", {"deployment"}),
    "drift_report": ("monitoring", "monitoring", {"predictions", "deployment"}),
    "performance_report": ("monitoring", "monitoring", {"predictions", "deployment"}),
    "swap_watch": ("monitoring", "monitoring", {"predictions", "deployment"}),
    "retrain_decision": ("monitoring", "monitoring", {"drift_report", "performance_report"}),
    "alerts": ("alerts", "monitoring", {"raw_news", "drift_report", "performance_report"}),
}

# (asset, check): whether it stops what comes after
CHECKS: dict[tuple[str, str], bool] = {
    ("raw_news", "every_fetched_item_is_accounted_for"): True,
    ("raw_news", "quarantine_share_is_low"): True,
    ("raw_news", "a_source_answers"): False,
    ("raw_news", "sources_are_fresh"): False,
    ("raw_news", "sources_deliver_what_they_used_to"): True,
    ("articles", "articles_keep_their_contract"): True,
    ("article_features", "offline_and_online_agree"): False,
    ("online_features", "served_vectors_can_be_computed_again"): False,
    ("article_sentiment", "scores_are_what_the_models_answer"): False,
    ("market_prices", "prices_hold_their_contract"): True,
    ("market_prices", "no_session_is_missing"): False,
    ("market_prices", "every_split_is_answered"): False,
    ("outcomes", "no_outcome_looks_ahead"): False,
    ("labels", "what_training_takes_in_is_sound"): True,
    ("training_set", "nothing_leaks_between_parts"): True,
    ("training_set", "every_label_is_present"): True,
    ("vader_model", "vader_learning_succeeded"): False,
    ("finbert_model", "the_released_version_verifies"): True,
    ("vader_evaluation", "every_holdout_text_was_answered"): True,
    ("finbert_evaluation", "every_holdout_text_was_answered"): True,
    ("ab_evaluation", "the_verdict_rests_on_evidence"): True,
    ("online_evaluation", "units_are_shared_as_planned"): False,
    ("deployment", "the_registry_offers_what_was_decided"): False,
    ("drift_report", "drift_is_within_bounds"): False,
    ("performance_report", "live_accuracy_matches_the_holdout"): False,
    ("swap_watch", "the_new_version_answers_as_well"): False,
    ("retrain_decision", "every_decision_names_its_reason"): False,
    ("alerts", "alerts_are_delivered"): False,
}

WITHOUT_CHECK = {
    "starters": "every file is verified before it is published; it does nothing once something is deployed",
    "predictions": "written by serving, outside of the graph; the two reports judge them",
}

COLLECT = {"raw_news", "articles", "article_features", "article_sentiment"}
TRAIN = {
    "labels",
    "training_set",
    "vader_model",
    "finbert_model",
    "vader_evaluation",
    "finbert_evaluation",
    "ab_evaluation",
    "deployment",
}

JOBS: dict[str, set[str]] = {
    "collect_job": COLLECT,
    "market_job": {"market_prices", "outcomes"},
    "feature_store_job": {"online_features"},
    "score_job": {"article_sentiment"},
    "train_job": TRAIN,
    "baseline_job": TRAIN - {"finbert_model"},
    "deploy_job": {"deployment"},
    "bootstrap_job": {"starters"},
    "watch_job": {"swap_watch"},
    "monitor_job": {"drift_report", "performance_report", "retrain_decision", "online_evaluation", "alerts"},
    "alert_job": {"alerts"},
}

RUNNING = "RUNNING"

# name: (job, cron in UTC, status when nobody has chosen)
SCHEDULES: dict[str, tuple[str, str, str]] = {
    "collection_schedule": ("collect_job", "*/15 * * * *", RUNNING),
    "market_schedule": ("market_job", "45 22 * * *", RUNNING),
    "feature_store_schedule": ("feature_store_job", "52 * * * *", RUNNING),
    "monitoring_schedule": ("monitor_job", "37 * * * *", RUNNING),
    "alert_schedule": ("alert_job", "5-59/15 * * * *", RUNNING),
    "weekly": ("train_job", "23 4 * * 1", RUNNING),
}

# name: (job, status when nobody has chosen)
SENSORS: dict[str, tuple[str, str]] = {
    "late_news_arrived": ("collect_job", RUNNING),
    "retraining_was_decided": ("train_job", RUNNING),
    "new_labels_arrived": ("train_job", RUNNING),
    "a_version_was_selected": ("deploy_job", RUNNING),
    "a_swap_is_watched": ("watch_job", RUNNING),
}


def box(stage: str) -> set[str]:
    return {key for key, (_, of, _) in ASSETS.items() if of == stage}
