"""A database in which every text that somebody else wrote means harm to a terminal or to whoever prints it as markup."""

from datetime import UTC, datetime

import msgspec
import numpy as np
from sqlalchemy import Engine

from sentiment_platform.alerts.acknowledgement import acknowledge
from sentiment_platform.labels.examples import LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.flags import set_flag
from sentiment_platform.store.incidents import Incident, open_incident, open_incidents
from sentiment_platform.store.market import Bar, write_bars
from sentiment_platform.store.quarantine import insert_quarantine, refused_row
from sentiment_platform.store.sources import SourceState, write_source_state
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import Label
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.monitoring.seeding import features, manifest, seed_predictions
from sentiment_platform_tests.registry.examples import deployment_of
from sentiment_platform_tests.versions import mirror, register

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HARM = "[/b][red]x[link=https://x.example]\x1b[2J\x1b]0;title\x07\u202egnp.exe\x9b31m"
"""Closes a style that nobody opened, opens one, sets a link, clears the screen, renames the window, turns text around."""
TEXT_ID = text_hash(HARM)


def store_harm(engine: Engine) -> str:
    """Harm wherever a column takes it; returns the id of the prediction."""
    told = msgspec.structs.replace(manifest(), base_model=HARM)
    register(engine, told)
    mirror(engine, deployment_of(told, reason=HARM, actor=HARM), NOW)
    [prediction] = seed_predictions(engine, features(1, 0), np.array([[0.1, 0.2, 0.7]]), texts=[HARM])
    import_labels(engine, [_label("ada", "positive"), _label(HARM, "negative")])
    bar = Bar(
        symbol=HARM,
        session=NOW.date(),
        open=1.0,
        high=1.0,
        low=1.0,
        close=1.0,
        volume=None,
        source=HARM,
        available_at=NOW,
        fetched_at=NOW,
        run_id="tests",
    )
    insert(engine, [article(1, 1, title=HARM)])
    with engine.begin() as connection:
        create_key(connection, "viewer", HARM)
        set_flag(connection, "collection", enabled=False, expected=None, reason=HARM, actor=HARM, at=NOW)
        open_incident(
            connection,
            Incident(fingerprint=HARM, category="system", severity="warning", source="tests", summary=HARM, detail={"why": HARM}),
            NOW,
        )
        (alert,) = open_incidents(connection)
        acknowledge(connection, alert.id, by=HARM, note=HARM, now=NOW)
        insert_quarantine(
            connection,
            [
                refused_row(
                    "raw_news",
                    HARM,
                    {"source": HARM, "origin": "tests", "position": 1, "title": HARM},
                    rule=HARM,
                    detail=HARM,
                    run_id="tests",
                    now=NOW,
                )
            ],
        )
        write_source_state(
            connection, SourceState(source="gdelt", last_failure_at=NOW, last_failure=HARM, consecutive_failures=2)
        )
        write_bars(connection, [bar])
    return prediction


def _label(annotator: str, label: Label) -> LabelledExample:
    return LabelledExample(
        label_set=HARM, external_id=annotator, text=HARM, label=label, annotator=annotator, licence=HARM, labelled_at=NOW
    )
