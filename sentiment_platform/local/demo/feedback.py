"""What users ask, what they think of the answers, and what people say who are asked to label: all with headlines whose labels the demo knows."""

import time
from collections.abc import Sequence
from datetime import timedelta

import httpx
from sqlalchemy import Engine

from sentiment_platform.clock import utc_now
from sentiment_platform.errors import PermanentError
from sentiment_platform.labels.examples import AUDIT_SET, LabelledExample
from sentiment_platform.labels.importing import import_labels
from sentiment_platform.local.demo.sample_data import SampleHeadline
from sentiment_platform.store.api_keys import create_key
from sentiment_platform.store.audit_sample import draw_sample, waiting_texts
from sentiment_platform.store.key_form import read_key
from sentiment_platform.store.labels import labelled_feedback
from sentiment_platform.text.normalise import text_hash
from sentiment_platform.text.sentiment import Label

ARRIVAL_LIMIT = timedelta(seconds=60)
KEY_LIFE = timedelta(days=1)
MAX_LABELLED = 1_000


def ask_ordinarily(serving_url: str, headlines: Sequence[SampleHeadline]) -> int:
    """Ask for each headline as a user would, without a word on the answers; returns how many."""
    with httpx.Client(timeout=10.0, trust_env=False) as client:
        for headline in headlines:
            client.post(f"{serving_url}/predict", json=_question(headline)).raise_for_status()
    return len(headlines)


def give_feedback(serving_url: str, engine: Engine, headlines: Sequence[SampleHeadline]) -> int:
    """Ask for each headline, give its label as feedback, and wait until all of it is in PostgreSQL; returns how many.

    It speaks with a key of the lowest role that it makes for itself: models do not learn from feedback without one.

    Raises:
        PermanentError: it has not arrived within `ARRIVAL_LIMIT`.
    """
    with engine.begin() as connection:
        key = create_key(connection, "viewer", "demo", utc_now() + KEY_LIFE)
    with httpx.Client(timeout=10.0, trust_env=False, headers={"X-API-Key": key}) as client:
        for headline in headlines:
            answer = client.post(f"{serving_url}/predict", json=_question(headline)).raise_for_status().json()
            feedback = {"prediction_id": answer["prediction_id"], "label": headline.label}
            client.post(f"{serving_url}/feedback", json=feedback).raise_for_status()
    presented = read_key(key)
    deadline = utc_now() + ARRIVAL_LIMIT
    while utc_now() < deadline:
        with engine.connect() as connection:
            words = [word for word in labelled_feedback(connection) if presented and word.voice == presented.key_id]
        if len(words) >= len({headline.title for headline in headlines}):
            return len(headlines)
        time.sleep(0.3)
    raise PermanentError(
        f"The journal did not arrive in PostgreSQL within {ARRIVAL_LIMIT}.", remedy="See serving's log in the state folder."
    )


def label_sample(engine: Engine, headlines: Sequence[SampleHeadline]) -> int:
    """Label what waits in the random sample of served texts, as far as it is one of `headlines`; returns how many texts."""
    known: dict[str, Label] = {text_hash(headline.title): headline.label for headline in headlines}
    now = utc_now()
    with engine.begin() as connection:
        draw_sample(connection, now)
        waiting = waiting_texts(connection, AUDIT_SET, now - timedelta(days=1), MAX_LABELLED)
    labelled = [
        LabelledExample(
            label_set=AUDIT_SET,
            external_id=task.id,
            text=task.text,
            label=known[task.id],
            annotator="demo",
            licence="Apache-2.0",
            labelled_at=now,
        )
        for task in waiting
        if task.id in known
    ]
    import_labels(engine, labelled)
    return len(labelled)


def _question(headline: SampleHeadline) -> dict[str, str]:
    return {"text": headline.title, "source": headline.outlet} | ({"ticker": headline.tickers[0]} if headline.tickers else {})
